/** Blobs as files of a layout: `blobs/<algorithm>/<hex>`, there whole or not at all. */

import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
  type Stats,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { removeFile, temporaryPath } from '../content/atomic-file.ts'
import { diskError } from '../content/disk-error.ts'
import { createDigester, verifyStream } from '../content/hash.ts'
import type { ByteStream, StoreOptions } from '../content/store.ts'
import { throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { splitDigest, type Digest } from '../spec/digest.ts'
import type { MediaType } from '../spec/media-type.ts'

const readBytes = 256 * 1024

export function blobPath(dir: string, digest: Digest): string {
  const { algorithm, encoded } = splitDigest(digest)
  return join(dir, 'blobs', algorithm, encoded)
}

/** Whether the blob is there with its descriptor's size; its bytes are checked when it is read. */
export function hasBlob(dir: string, target: Descriptor): boolean {
  return statBlob(dir, target) !== undefined
}

/** The stat of the blob; undefined where `hasBlob` says no. */
export function statBlob(dir: string, target: Descriptor): Stats | undefined {
  const stats = statSync(blobPath(dir, target.digest), { throwIfNoEntry: false })
  return stats?.isFile() === true && stats.size === target.size ? stats : undefined
}

/** The blob of a digest whose size is not known, as a descriptor of bytes of no known kind. */
export function findBlob(dir: string, digest: Digest): Descriptor | undefined {
  const stats = statSync(blobPath(dir, digest), { throwIfNoEntry: false })
  if (stats?.isFile() !== true) return undefined
  return { mediaType: 'application/octet-stream', digest, size: stats.size }
}

/** The bytes of a file, opened when the first are asked for. */
export async function* readFileChunks(path: string): AsyncGenerator<Uint8Array> {
  // A document is read before the thread pool would have begun.
  if (statSync(path).size <= readBytes) return yield readFileSync(path)
  const file = await open(path, 'r')
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(readBytes), 0, readBytes)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

/** Stores a stream whose descriptor is known. */
export async function writeBlob(
  dir: string,
  expected: Descriptor,
  content: ByteStream,
  options: StoreOptions | undefined,
): Promise<void> {
  const path = blobPath(dir, expected.digest)
  await throughTemporary(dir, path, async (temporary) => {
    await writeStream(temporary, verifyStream(expected, content), options)
    return path
  })
}

/** Stores a stream and says what it was. `written`: false where a blob of that digest was there and is kept. */
export async function ingestBlob(
  dir: string,
  mediaType: MediaType,
  content: ByteStream,
  options: StoreOptions | undefined,
): Promise<{ readonly descriptor: Descriptor; readonly written: boolean }> {
  const digester = createDigester()
  let [descriptor, written]: [Descriptor | undefined, boolean] = [undefined, false]
  await throughTemporary(dir, join(dir, 'blobs'), async (temporary) => {
    const size = await writeStream(temporary, content, options, (chunk) => digester.update(chunk))
    descriptor = { mediaType, digest: digester.digest(), size }
    written = !hasBlob(dir, descriptor)
    return written ? blobPath(dir, descriptor.digest) : undefined
  })
  if (descriptor === undefined) throw new Error('unreachable: a blob was stored without a descriptor')
  return { descriptor, written }
}

/**
 * Lets `fill` make a file under a temporary name in the layout's root (not among the blobs, where other tools take
 * every name for a digest) and renames it to the path that `fill` gives; undefined: it is not needed.
 */
export async function throughTemporary(
  dir: string,
  path: string,
  fill: (temporary: string) => Promise<string | undefined>,
): Promise<void> {
  const temporary = temporaryPath(dir)
  try {
    const final = await fill(temporary)
    if (final === undefined) return
    mkdirSync(dirname(final), { recursive: true, mode: 0o755 })
    renameSync(temporary, final)
  } catch (error) {
    throw diskError(error, path)
  } finally {
    removeFile(temporary)
  }
}

async function writeStream(
  path: string,
  content: ByteStream,
  options: StoreOptions | undefined,
  onChunk?: (chunk: Uint8Array) => void,
): Promise<number> {
  const fd = openSync(path, 'wx', 0o644)
  let size = 0
  try {
    for await (const chunk of content) {
      throwIfAborted(options?.signal)
      onChunk?.(chunk)
      writeWhole(fd, chunk)
      size += chunk.length
    }
  } finally {
    closeSync(fd)
  }
  return size
}

// Synchronous: the chunks are large, and the thread pool is busy compressing the next ones.
function writeWhole(fd: number, chunk: Uint8Array): void {
  let written = 0
  while (written < chunk.length) written += writeSync(fd, chunk, written)
}
