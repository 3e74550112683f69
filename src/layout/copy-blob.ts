/** Copies of files on their way to become blobs of a layout. */

import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { copyFile, open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { verifyBytes, verifyStream } from '../content/hash.ts'
import type { BlobFile, StoreOptions } from '../content/store.ts'
import { throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { blobPath, throughTemporary } from './blob-files.ts'

const readBytes = 1024 * 1024
/** A blob of so many bytes is copied by this thread. */
const shortBytes = 256 * 1024

/**
 * Stores a copy of a file, made by the file system where it can (reflinks), and brings it to the disk. The copy's own
 * bytes are checked, unless the file's were as they were written.
 */
export async function copyBlobFile(
  dir: string,
  expected: Descriptor,
  from: BlobFile,
  options: StoreOptions | undefined,
): Promise<void> {
  const path = blobPath(dir, expected.digest)
  await throughTemporary(dir, path, async (temporary) => {
    if (expected.size <= shortBytes) {
      copyShort(expected, from, temporary)
      return path
    }
    const mode = createEmpty(temporary)
    await copyFile(from.path, temporary, constants.COPYFILE_FICLONE)
    // A copy takes its source's mode along; a blob has that of any file made here.
    chmodSync(temporary, mode)
    if (!from.checked || statSync(temporary).size !== expected.size) {
      for await (const chunk of verifyStream(expected, readReused(temporary))) {
        void chunk
        throwIfAborted(options?.signal)
      }
    }
    await syncFile(temporary)
    return path
  })
}

/** Right here: it takes less than to have others do it. */
function copyShort(expected: Descriptor, from: BlobFile, path: string): void {
  const bytes = readFileSync(from.path)
  verifyBytes(expected, bytes)
  writeFileSync(path, bytes, { flag: 'wx', mode: 0o644, flush: true })
}

/** Brings a file's bytes to the disk, on file systems that can. */
export async function syncFile(path: string): Promise<void> {
  try {
    const file = await open(path, 'r+')
    try {
      await file.datasync()
    } finally {
      await file.close()
    }
  } catch {
    // Gone, or it cannot: what is tagged is looked at once more, under the lock.
  }
}

function createEmpty(path: string): number {
  const fd = openSync(path, 'wx', 0o644)
  try {
    return fstatSync(fd).mode & 0o777
  } finally {
    closeSync(fd)
  }
}

/** The bytes of a file in one buffer, again and again: for hashing, where nobody keeps a chunk. */
async function* readReused(path: string): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(readBytes)
  const fd = openSync(path, 'r')
  try {
    for (;;) {
      const count = readSync(fd, buffer, 0, buffer.length, null)
      if (count === 0) return
      yield buffer.subarray(0, count)
      // Nothing here waits for the disk, and a signal has to be heard in between.
      await setImmediate()
    }
  } finally {
    closeSync(fd)
  }
}
