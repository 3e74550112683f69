/** Store 2, writing: an image layout as one tar, for `docker load` with a manifest.json beside it. */

import type { Writable } from 'node:stream'
import { verifyStream } from '../content/hash.ts'
import { containerdNameAnnotation, refNameAnnotation } from '../content/image-names.ts'
import { contentNotFound, referenceNotFound } from '../content/not-found.ts'
import type { Target } from '../content/store.ts'
import { isParent } from '../content/successors.ts'
import { throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { splitDigest, type Digest } from '../spec/digest.ts'
import { encodeJson } from '../spec/json.ts'
import { mediaTypes } from '../spec/media-type.ts'
import { maxDocumentBytes } from '../spec/read-value.ts'
import { readRange } from './archive-file.ts'
import { fileSink, streamSink } from './archive-sink.ts'
import { dockerManifest, parseRepoTag } from './docker-manifest.ts'
import type { ArchiveKind } from './open-archive.ts'
import { tarWriter } from './tar-writer.ts'

export interface ArchiveTarget extends Target {
  /**
   * Writes the documents that make the images visible and puts the file in its place. Throws
   * `OCB-ARCHIVE-PLATFORMS` when a docker-archive was given an image of several platforms.
   */
  close(): Promise<void>
  /** Leaves no trace of the file; what went into a stream stays there. Harmless after `close`. */
  abort(): Promise<void>
}

export interface ArchiveTargetOptions {
  readonly format: ArchiveKind
  /** Milliseconds since the epoch; see `removeStaleTemporaries`. */
  readonly nowMs?: number | undefined
}

/**
 * Begins an archive in a file (there once it is closed) or a stream (never ended by us). Blobs are appended in the
 * order of the pushes, one at a time and each once; all times are 0, so the same pushes and tags give the same bytes.
 * In a docker-archive a reference is a RepoTag, `NAME:TAG`. Throws `OCB-ARCHIVE-INVALID`, `OCB-DISK-FULL`,
 * `OCB-FILE-DENIED`; pushes throw `OCB-OUTPUT-CLOSED` when the stream's reader has gone.
 */
export async function createArchiveTarget(
  destination: string | Writable,
  options: ArchiveTargetOptions,
): Promise<ArchiveTarget> {
  const sink =
    typeof destination === 'string' ? fileSink(destination, options.nowMs ?? 0) : streamSink(destination)
  const writer = tarWriter(sink)
  const stored = new Map<Digest, { readonly offset: number; readonly size: number }>()
  /** Documents by digest: `close` needs them, and a stream cannot be read back. */
  const documents = new Map<Digest, Uint8Array>()
  const tags = new Map<string, Descriptor>()
  let queue: Promise<unknown> = Promise.resolve()
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work)
    queue = turn.catch(() => undefined)
    return await turn
  }

  return {
    has: async (target) => stored.get(target.digest)?.size === target.size,

    async fetch(target, fetchOptions) {
      throwIfAborted(fetchOptions?.signal)
      const document = documents.get(target.digest)
      if (document !== undefined) return verifyStream(target, once(document))
      const range = stored.get(target.digest)
      if (range === undefined || sink.file === undefined) throw contentNotFound(target, sink.name)
      return verifyStream(target, readRange(sink.file, range))
    },

    async push(expected, content, pushOptions) {
      await inTurn(async () => {
        throwIfAborted(pushOptions?.signal)
        if (stored.has(expected.digest)) return await content[Symbol.asyncIterator]().return?.()
        const kept: Uint8Array[] | undefined =
          isParent(expected) && expected.size <= maxDocumentBytes ? [] : undefined
        const { algorithm, encoded } = splitDigest(expected.digest)
        const tapped = tap(verifyStream(expected, content), (chunk) => {
          throwIfAborted(pushOptions?.signal)
          kept?.push(chunk)
        })
        const offset = await writer.file(`blobs/${algorithm}/${encoded}`, expected.size, tapped)
        stored.set(expected.digest, { offset, size: expected.size })
        if (kept !== undefined) documents.set(expected.digest, Buffer.concat(kept))
        return undefined
      })
    },

    async resolve(reference) {
      const tagged = tags.get(reference)
      if (tagged === undefined) throw referenceNotFound(reference, sink.name, [...tags.keys()])
      return tagged
    },

    async tag(target, reference) {
      if (!stored.has(target.digest)) throw contentNotFound(target, sink.name)
      if (options.format === 'docker-archive') parseRepoTag(reference)
      tags.set(reference, target)
    },

    async close() {
      await inTurn(async () => {
        const images = [...tags].map(([reference, target]) => ({ target, reference }))
        const manifest =
          options.format === 'docker-archive' ? dockerManifest(sink.name, images, documents) : undefined
        const manifests = images.map((image) => entryOf(image.target, image.reference, options.format))
        await writer.bytes(
          'index.json',
          encodeJson({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }),
        )
        if (manifest !== undefined) await writer.bytes('manifest.json', encodeJson(manifest))
        await writer.bytes('oci-layout', encodeJson({ imageLayoutVersion: '1.0.0' }))
        await writer.end()
        await sink.commit()
      })
    },

    abort: async () => await inTurn(async () => sink.abort()),
  }
}

/** An entry of index.json. */
function entryOf(target: Descriptor, reference: string, format: ArchiveKind): Descriptor {
  if (format === 'oci-archive') {
    return { ...target, annotations: { ...target.annotations, [refNameAnnotation]: reference } }
  }
  // podman load and containerd go by index.json where there is one, and there by the whole name.
  const { tag, canonical } = parseRepoTag(reference)
  return {
    ...target,
    annotations: { [containerdNameAnnotation]: canonical, ...target.annotations, [refNameAnnotation]: tag },
  }
}

async function* tap(
  content: AsyncIterable<Uint8Array>,
  see: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    see(chunk)
    yield chunk
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}
