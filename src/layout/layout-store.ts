/** Store 1: an image layout in a folder (image-spec v1.1.1 image-layout.md). */

import { mkdirSync, statSync } from 'node:fs'
import { removeStaleTemporaries } from '../content/atomic-file.ts'
import { diskError } from '../content/disk-error.ts'
import { findImage } from '../content/find-image.ts'
import { verifyStream } from '../content/hash.ts'
import { nameImage } from '../content/image-names.ts'
import { contentNotFound } from '../content/not-found.ts'
import type {
  ByteStream,
  DigestFinder,
  FileBacked,
  FileReceiver,
  Ingester,
  StoreOptions,
  Target,
} from '../content/store.ts'
import { successors } from '../content/successors.ts'
import { OciBuildError, throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import { blobPath, findBlob, hasBlob, ingestBlob, readFileChunks, writeBlob } from './blob-files.ts'
import { removeUnreachable } from './collect-garbage.ts'
import { copyBlobFile, syncFile } from './copy-blob.ts'
import { initLayout, isLayout, notLayout, readLayoutIndex, writeLayoutIndex } from './layout-index.ts'
import { withLayoutLock } from './layout-lock.ts'
import { createOwnBlobs } from './own-blobs.ts'
import { replaceEntries, type TaggedImage } from './replace-entries.ts'

export interface LayoutStore extends Target, Ingester, DigestFinder, FileBacked, FileReceiver {
  /** Absolute or as given to `openLayout`. */
  readonly dir: string
  /** The entries of index.json, in its order. */
  list(): Promise<readonly Descriptor[]>
  /** `tag` for several references, made visible by one write of index.json. */
  tagAll(images: readonly TaggedImage[], options?: StoreOptions): Promise<void>
}

export interface OpenLayoutOptions {
  /** Default false. True makes the folder a layout when it is missing or empty, and tidies up after killed processes. */
  readonly create?: boolean | undefined
  /** Milliseconds since the epoch; without it only temporaries of dead processes of this host are removed. */
  readonly nowMs?: number | undefined
}

/**
 * Opens a layout. Pushing and tagging need `create: true` or a layout that is there.
 * Throws `OCB-LAYOUT-NOT-FOUND`, `OCB-LAYOUT-INVALID`, `OCB-LAYOUT-OCCUPIED`, `OCB-DISK-FULL`, `OCB-FILE-DENIED`.
 */
export async function openLayout(dir: string, options: OpenLayoutOptions = {}): Promise<LayoutStore> {
  if (options.create === true) {
    makeFolder(dir)
    removeStaleTemporaries(dir, options.nowMs ?? 0)
    if (!isLayout(dir)) {
      await withLayoutLock(dir, undefined, () => {
        if (!isLayout(dir)) initLayout(dir)
      })
    }
  } else {
    checkFolder(dir)
    if (!isLayout(dir)) throw notLayout(dir, 'it has no oci-layout file')
  }
  return layoutStore(dir)
}

function layoutStore(dir: string): LayoutStore {
  /** Written by this store and not yet known to be on the disk itself. */
  const unsynced = new Set<Digest>()
  const own = createOwnBlobs(dir)
  const store: LayoutStore = {
    dir,
    has: async (target) => hasBlob(dir, target),
    fileOf: async (target) => own.find(target),
    find: async (digest) => findBlob(dir, digest),
    list: async () => readLayoutIndex(dir).entries,

    async fetch(target, fetchOptions) {
      throwIfAborted(fetchOptions?.signal)
      const path = blobPath(dir, target.digest)
      if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) throw contentNotFound(target, dir)
      return verifyStream(target, readFileChunks(path))
    },

    async push(expected, content, pushOptions) {
      if (hasBlob(dir, expected)) return await discard(content)
      await writeBlob(dir, expected, content, pushOptions)
      unsynced.add(expected.digest)
      own.add(expected)
    },

    async pushFile(expected, file, pushOptions) {
      if (hasBlob(dir, expected)) return
      await copyBlobFile(dir, expected, file, pushOptions)
      own.add(expected)
    },

    async ingest(mediaType, content, ingestOptions) {
      const { descriptor, written } = await ingestBlob(dir, mediaType, content, ingestOptions)
      unsynced.add(descriptor.digest)
      // What was there before has not been looked at.
      if (written) own.add(descriptor)
      return descriptor
    },

    resolve: async (reference) =>
      await findImage(store, dir, readLayoutIndex(dir).entries.map(nameImage), reference),
    tag: async (target, reference, tagOptions) => await store.tagAll([{ target, reference }], tagOptions),

    async tagAll(images, tagOptions) {
      // The disk first gets the blobs, then the name that makes them visible: a power cut must not turn this round.
      for (const digest of unsynced) await syncFile(blobPath(dir, digest))
      unsynced.clear()
      await withLayoutLock(dir, tagOptions?.signal, async () => {
        for (const { target } of images) await checkWhole(store, target, tagOptions)
        throwIfAborted(tagOptions?.signal)
        const index = readLayoutIndex(dir)
        const { rawEntries, replaced } = replaceEntries(index, images)
        writeLayoutIndex(dir, index.document, rawEntries)
        removeUnreachable(dir, replaced, rawEntries)
      })
    },
  }
  return store
}

/**
 * Between the copy and this moment another process may have removed a blob that it alone seemed to use. The lock is
 * held now, so what is whole here stays whole. Throws `OCB-LAYOUT-INCOMPLETE`.
 */
async function checkWhole(
  store: LayoutStore,
  root: Descriptor,
  options: StoreOptions | undefined,
): Promise<void> {
  const seen = new Set<Digest>()
  const queue = [root]
  for (let item = queue.pop(); item !== undefined; item = queue.pop()) {
    if (seen.has(item.digest)) continue
    seen.add(item.digest)
    if (!hasBlob(store.dir, item)) {
      throw new OciBuildError('OCB-LAYOUT-INCOMPLETE', {
        message: `cannot tag ${root.digest} in ${store.dir}: its ${item.mediaType} ${item.digest} is not there`,
        hint: 'run the build again',
      })
    }
    queue.push(...(await successors(store, item, options)))
  }
}

/** Ends a stream that nobody reads, so that its source can close what it holds. */
async function discard(content: ByteStream): Promise<void> {
  await content[Symbol.asyncIterator]().return?.()
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o755 })
  } catch (error) {
    if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() === false)
      throw notLayout(dir, 'it is a file')
    throw diskError(error, dir)
  }
}

function checkFolder(dir: string): void {
  const stats = statSync(dir, { throwIfNoEntry: false })
  if (stats === undefined) {
    throw new OciBuildError('OCB-LAYOUT-NOT-FOUND', {
      message: `there is no image layout at ${dir}`,
      hint: 'check the path, or build the image first',
    })
  }
  if (!stats.isDirectory()) {
    throw notLayout(dir, 'it is a file; an image in a tar is read with oci-archive: or docker-archive:')
  }
}
