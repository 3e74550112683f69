/** Attaches a file to an image: an artifact with an empty config, whose subject is the image. */

import { createReadStream, statSync } from 'node:fs'
import { basename } from 'node:path'
import { createDigester, sha256 } from '../content/hash.ts'
import type { ContentStore, StoreOptions } from '../content/store.ts'
import { messageOf, OciBuildError, throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { ImageManifest } from '../spec/image-manifest.ts'
import { encodeJson } from '../spec/json.ts'
import { mediaTypes, type MediaType } from '../spec/media-type.ts'

/** RFC 6838, 4.2: what an artifactType has to be (image-spec v1.1.1 manifest.md). */
const mediaTypeGrammar = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/

const emptyBytes = new TextEncoder().encode('{}')
/** image-spec v1.1.1 manifest.md, Guidance for an Empty Descriptor. */
const emptyConfig: Descriptor = {
  mediaType: mediaTypes.empty,
  digest: sha256(emptyBytes),
  size: emptyBytes.length,
  data: Buffer.from(emptyBytes).toString('base64'),
}

export interface AttachOptions extends StoreOptions {
  readonly artifactType: string
  /** Of the file's bytes. Default `application/octet-stream`. */
  readonly mediaType?: MediaType | undefined
  /** Of the artifact's manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/**
 * Pushes a file as an artifact about `subject` and gives its manifest's descriptor. The same file, type and
 * annotations give the same digest. Throws `OCB-USAGE-ARTIFACT-TYPE`, `OCB-USAGE-FILE`, and what the store throws.
 */
export async function attachFile(
  target: ContentStore,
  path: string,
  subject: Descriptor,
  options: AttachOptions,
): Promise<Descriptor> {
  const { artifactType, mediaType = 'application/octet-stream', annotations, signal } = options
  checkMediaType(artifactType, '--type')
  checkMediaType(mediaType, '--media-type')
  const file = await describeFile(path, mediaType, signal)
  const layer = { ...file, annotations: { 'org.opencontainers.image.title': basename(path) } }
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: emptyConfig,
    layers: [layer],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations,
  }
  const bytes = encodeJson(manifest)
  const root: Descriptor = {
    mediaType: mediaTypes.manifest,
    digest: sha256(bytes),
    size: bytes.length,
    artifactType,
  }
  if (!(await target.has(emptyConfig, { signal })))
    await target.push(emptyConfig, once(emptyBytes), { signal })
  if (!(await target.has(file, { signal }))) await target.push(file, createReadStream(path), { signal })
  // Pushed even where it is: a registry without the referrers API then has its list mended.
  await target.push(root, once(bytes), { signal })
  return root
}

async function describeFile(
  path: string,
  mediaType: MediaType,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  try {
    if (!statSync(path).isFile()) throw new Error('it is not a regular file')
    const digester = createDigester()
    let size = 0
    for await (const chunk of createReadStream(path)) {
      throwIfAborted(signal)
      if (!(chunk instanceof Uint8Array)) continue
      digester.update(chunk)
      size += chunk.length
    }
    return { mediaType, digest: digester.digest(), size }
  } catch (error) {
    if (error instanceof OciBuildError) throw error
    throw new OciBuildError('OCB-USAGE-FILE', {
      message: `cannot attach ${path}: ${messageOf(error)}`,
      hint: 'name a file that can be read',
      cause: error,
    })
  }
}

function checkMediaType(text: string, option: string): void {
  if (mediaTypeGrammar.test(text)) return
  throw new OciBuildError('OCB-USAGE-ARTIFACT-TYPE', {
    message: `${option} "${text}" is not a media type; wanted TYPE/SUBTYPE`,
    hint: `write it like ${option} application/spdx+json`,
  })
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
