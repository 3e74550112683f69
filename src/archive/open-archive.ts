/** Store 2, reading: an image layout in one tar, and what `docker save` and its kin write. */

import { findImage, type NamedImage } from '../content/find-image.ts'
import { verifyStream } from '../content/hash.ts'
import { nameImage } from '../content/image-names.ts'
import { contentNotFound } from '../content/not-found.ts'
import type { Fetcher, StoreOptions } from '../content/store.ts'
import { throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { splitDigest, type Digest } from '../spec/digest.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { invalidArchive } from './archive-error.ts'
import { readRange } from './archive-file.ts'
import { nameByRepoTags, readRepoTags, readSavedImages } from './docker-save.ts'
import { openTar, type OpenTar } from './open-tar.ts'
import { findFile, type FileRange } from './scan-tar.ts'

export type ArchiveKind = 'oci-archive' | 'docker-archive'

export interface ArchiveStore extends Fetcher {
  /** The images and all the names they go by. */
  readonly images: readonly NamedImage[]
  list(): Promise<readonly Descriptor[]>
  /** By name or digest. Throws `OCB-REFERENCE-NOT-FOUND`, `OCB-REFERENCE-AMBIGUOUS`. */
  resolve(reference: string, options?: StoreOptions): Promise<Descriptor>
}

export interface OpenArchiveOptions {
  /** Where a compressed archive is unpacked to; the caller removes it. */
  readonly spoolDir: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens an archive, also a gzip'd or zstd'd one. A docker-archive of before Docker 25 is shown as OCI manifests over
 * the same blobs. Throws `OCB-ARCHIVE-NOT-FOUND`, `OCB-ARCHIVE-DAMAGED`, `OCB-ARCHIVE-INVALID`,
 * `OCB-COMPRESSION-DAMAGED`, `OCB-DOCUMENT-INVALID`, `OCB-DOCUMENT-TOO-LARGE`, `OCB-DISK-FULL`.
 */
export async function openArchive(
  path: string,
  kind: ArchiveKind,
  options: OpenArchiveOptions,
): Promise<ArchiveStore> {
  const tar = await openTar(path, options.spoolDir, options.signal)
  const hasLayout = findFile(tar.entries, 'index.json') !== undefined
  const hasManifest = findFile(tar.entries, 'manifest.json') !== undefined
  if (hasLayout) return await openLayoutTar(tar, hasManifest && kind === 'docker-archive')
  if (!hasManifest) throw invalidArchive(path, 'it has neither index.json nor manifest.json')
  if (kind === 'oci-archive') {
    throw invalidArchive(path, 'it has no index.json', `write docker-archive:${path}`)
  }
  const { images, documents, ranges } = await readSavedImages(tar, options.signal)
  return archiveStore(tar, images, (digest) => documents.get(digest) ?? ranges.get(digest))
}

async function openLayoutTar(tar: OpenTar, withRepoTags: boolean): Promise<ArchiveStore> {
  const { manifests } = parseImageIndex(await tar.read('index.json'), `${tar.path}: index.json`)
  const locate = (digest: Digest): FileRange | undefined => {
    const { algorithm, encoded } = splitDigest(digest)
    return findFile(tar.entries, `blobs/${algorithm}/${encoded}`)
  }
  const plain = archiveStore(tar, manifests.map(nameImage), locate)
  if (!withRepoTags) return plain
  const images = await nameByRepoTags(plain, plain.images, await readRepoTags(tar))
  return archiveStore(tar, images, locate)
}

function archiveStore(
  tar: OpenTar,
  images: readonly NamedImage[],
  locate: (digest: Digest) => Uint8Array | FileRange | undefined,
): ArchiveStore {
  const store: ArchiveStore = {
    images,
    list: async () => images.map(({ descriptor }) => descriptor),
    resolve: async (reference) => await findImage(store, tar.path, images, reference),
    async fetch(target, options) {
      throwIfAborted(options?.signal)
      const found = locate(target.digest)
      if (found === undefined) throw contentNotFound(target, tar.path)
      return verifyStream(target, found instanceof Uint8Array ? once(found) : readRange(tar.file, found))
    },
  }
  return store
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}
