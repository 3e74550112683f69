/** manifest.json and what it names: the format of `docker save`, shown as OCI images. */

import { detectCompression } from '../content/decompress.ts'
import type { NamedImage } from '../content/find-image.ts'
import { createDigester, sha256 } from '../content/hash.ts'
import { refNameAnnotation } from '../content/image-names.ts'
import type { Fetcher } from '../content/store.ts'
import { readDocument } from '../content/read-document.ts'
import { OciBuildError, throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { ImageConfig } from '../spec/image-config.ts'
import { encodeJson } from '../spec/json.ts'
import { isManifestType, mediaTypes } from '../spec/media-type.ts'
import { parseImageConfig } from '../spec/parse-image-config.ts'
import { parseImageManifest } from '../spec/parse-image-manifest.ts'
import { parseRepositoryReference } from '../spec/parse-repository.ts'
import { decodeDocument, readList, readObject, readString, readStrings } from '../spec/read-value.ts'
import { invalidArchive } from './archive-error.ts'
import { readHead, readRange } from './archive-file.ts'
import type { OpenTar } from './open-tar.ts'
import { findFile, type FileRange } from './scan-tar.ts'

export interface SavedImage {
  readonly config: string
  readonly repoTags: readonly string[]
  /** Names in the tar, lowest first. */
  readonly layers: readonly string[]
}

export interface SavedImages {
  readonly images: readonly NamedImage[]
  /** Configs, and the manifests made here. */
  readonly documents: ReadonlyMap<Digest, Uint8Array>
  readonly ranges: ReadonlyMap<Digest, FileRange>
}

/** The items of manifest.json. Throws `OCB-DOCUMENT-INVALID`. */
export async function readRepoTags(tar: OpenTar): Promise<readonly SavedImage[]> {
  const at = `${tar.path}: manifest.json`
  return readList(decodeDocument(await tar.read('manifest.json'), at), at, (item, itemAt) => {
    const object = readObject(item, itemAt)
    return {
      config: readString(object['Config'], `${itemAt}.Config`),
      repoTags: readStrings(object['RepoTags'] ?? [], `${itemAt}.RepoTags`),
      layers: readStrings(object['Layers'] ?? [], `${itemAt}.Layers`),
    }
  })
}

/** Every image of manifest.json as an OCI manifest over the tar's own blobs. Throws `OCB-ARCHIVE-INVALID`. */
export async function readSavedImages(tar: OpenTar, signal?: AbortSignal): Promise<SavedImages> {
  const documents = new Map<Digest, Uint8Array>()
  const ranges = new Map<Digest, FileRange>()
  const layers = new Map<string, Descriptor>()
  const images: NamedImage[] = []
  for (const saved of await readRepoTags(tar)) {
    throwIfAborted(signal)
    const configBytes = await tar.read(saved.config)
    if (configBytes === undefined) throw invalidArchive(tar.path, `its config ${saved.config} is missing`)
    const config = parseImageConfig(configBytes, `${tar.path}: ${saved.config}`)
    const { diff_ids: diffIds } = config.rootfs
    if (diffIds.length !== saved.layers.length) {
      throw invalidArchive(
        tar.path,
        `manifest.json names ${saved.layers.length} layers for ${saved.config}, which has ${diffIds.length}`,
      )
    }
    const described: Descriptor[] = []
    for (const [position, name] of saved.layers.entries()) {
      const range = findFile(tar.entries, name)
      const diffId = diffIds[position]
      if (range === undefined || diffId === undefined) {
        throw invalidArchive(tar.path, `its layer ${name} is missing`)
      }
      const key = `${range.offset} ${diffId}`
      const layer = layers.get(key) ?? (await describeLayer(tar, range, diffId, signal))
      layers.set(key, layer)
      ranges.set(layer.digest, range)
      described.push(layer)
    }
    const manifest = encodeJson({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, digest: sha256(configBytes), size: configBytes.length },
      layers: described,
    })
    documents.set(sha256(configBytes), configBytes)
    documents.set(sha256(manifest), manifest)
    images.push(...nameSaved(manifest, config, saved.repoTags))
  }
  return { images, documents, ranges }
}

/**
 * A layer as it lies in the tar. That an uncompressed one is what its diffID says is checked when it is fetched;
 * a compressed one has to be read to know its digest.
 */
async function describeLayer(
  tar: OpenTar,
  range: FileRange,
  diffId: Digest,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  const type = detectCompression(readHead(tar.file, range))
  if (type === 'none') return { mediaType: mediaTypes.layer, digest: diffId, size: range.size }
  const digester = createDigester()
  for await (const chunk of readRange(tar.file, range)) {
    throwIfAborted(signal)
    digester.update(chunk)
  }
  const mediaType = type === 'gzip' ? mediaTypes.layerGzip : mediaTypes.layerZstd
  return { mediaType, digest: digester.digest(), size: range.size }
}

function nameSaved(
  manifest: Uint8Array,
  config: ImageConfig,
  repoTags: readonly string[],
): readonly NamedImage[] {
  const { os, architecture, variant } = config
  const descriptor: Descriptor = {
    mediaType: mediaTypes.manifest,
    digest: sha256(manifest),
    size: manifest.length,
    platform: variant === undefined ? { os, architecture } : { os, architecture, variant },
  }
  if (repoTags.length === 0) return [{ descriptor, names: [] }]
  return repoTags.map((repoTag) => ({
    descriptor: { ...descriptor, annotations: { [refNameAnnotation]: repoTag } },
    names: namesOfRepoTag(repoTag),
  }))
}

/** Adds to images of index.json the RepoTags that manifest.json gives to their configs. */
export async function nameByRepoTags(
  store: Fetcher,
  images: readonly NamedImage[],
  saved: readonly SavedImage[],
): Promise<readonly NamedImage[]> {
  const named: NamedImage[] = []
  for (const image of images) {
    const { descriptor, names } = image
    const config = isManifestType(descriptor.mediaType) ? await configOf(store, descriptor) : undefined
    const item = saved.find(({ config: path }) => path === `blobs/${config?.replace(':', '/')}`)
    const wanted = (item?.repoTags ?? []).filter((repoTag) => agrees(names, namesOfRepoTag(repoTag)))
    named.push({
      descriptor,
      names: [...new Set([...wanted, ...names, ...wanted.flatMap((repoTag) => namesOfRepoTag(repoTag))])],
    })
  }
  return named
}

// One image under two tags is two entries of index.json and one item of manifest.json.
function agrees(names: readonly string[], repoTagNames: readonly string[]): boolean {
  return names.length === 0 || names.some((name) => repoTagNames.includes(name))
}

async function configOf(store: Fetcher, descriptor: Descriptor): Promise<Digest | undefined> {
  try {
    return parseImageManifest(await readDocument(store, descriptor), descriptor.digest).config.digest
  } catch (error) {
    // Names are a help; that the image is damaged is said when it is used.
    if (error instanceof OciBuildError) return undefined
    throw error
  }
}

/** The ways to write a RepoTag: as it stands, in full, without Docker's defaults, and its tag alone. */
function namesOfRepoTag(repoTag: string): readonly string[] {
  const names = new Set([repoTag])
  const parsed = parseRepositoryReference(repoTag)
  if ('reference' in parsed) {
    const { host, repository, tag } = parsed.reference
    const familiar = host === 'docker.io' ? repository.replace(/^library\//, '') : `${host}/${repository}`
    for (const name of [`${host}/${repository}`, familiar]) {
      if (tag !== undefined) names.add(`${name}:${tag}`)
      if (tag === 'latest') names.add(name)
    }
    if (tag !== undefined) names.add(tag)
  }
  return [...names]
}
