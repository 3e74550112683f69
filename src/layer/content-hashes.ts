/** The sha256 of many planned files: in order, and where there is much to read, on the threads and here at once. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { sha256Bytes } from '../content/hash.ts'
import type { Deflater } from '../deflate/deflater.ts'
import type { FileRun } from '../deflate/file-run.ts'
import { throwIfAborted } from '../errors.ts'
import type { FileSource } from '../rootfs/file-source.ts'
import { changeOf, hashInPieces, readWhole, sourceSize, type HostSource } from './read-source.ts'

/** Less than either is hashed here before a thread would have started. */
const worthThreads = { bytes: 4 * 1024 * 1024, files: 500 }
/** So much is hashed here before others get a turn: some ten milliseconds. */
const turn = { bytes: 4 * 1024 * 1024, files: 256 }
/** A longer file is begun first, so that none is left to be waited for at the end. */
const longBytes = 4 * 1024 * 1024
const digestBytes = 32
/** What of a file is read at once. */
const pieceBytes = 1024 * 1024

/** The sha256 of each source, 32 bytes. Throws `OCB-FILE-CHANGED`, `OCB-FILE-UNREADABLE` of the first that cannot be had. */
export async function hashContents(
  sources: readonly FileSource[],
  deflater: Deflater,
  signal: AbortSignal | undefined,
): Promise<readonly Uint8Array[]> {
  const bytes = sources.reduce((total, source) => total + sourceSize(source), 0)
  const isMuch = bytes >= worthThreads.bytes || sources.length >= worthThreads.files
  const found = isMuch && deflater.threads > 1 ? await hashTogether(sources, deflater, signal) : undefined
  const scratch = Buffer.allocUnsafeSlow(pieceBytes)
  const pause = createPause()
  const digests: Uint8Array[] = []
  for (const source of sources) {
    const known = found?.get(source)
    digests.push(known ?? (await hashFile(source, scratch, signal)))
    if (known === undefined) await pause(sourceSize(source))
  }
  return digests
}

async function hashTogether(
  sources: readonly FileSource[],
  deflater: Deflater,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<FileSource, Uint8Array>> {
  const hosts = sources.filter((source) => source.kind === 'host')
  // None is left to be waited for at the end.
  const longFirst = hosts.toSorted(
    (one, other) => Number(other.size > longBytes) - Number(one.size > longBytes),
  )
  const hashing = createHashing(deflater, true)
  hashing.add(longFirst)
  const { digests, isFound } = await hashing.finish(signal)
  const found = new Map<FileSource, Uint8Array>()
  for (const [index, source] of longFirst.entries()) {
    if (isFound[index] === 1)
      found.set(source, digests.subarray(index * digestBytes, (index + 1) * digestBytes))
  }
  return found
}

/** Of many files in order. */
export interface HashedFiles {
  /** The sha256 of each, 32 bytes. */
  readonly digests: Uint8Array
  /**
   * 1 for each whose digest is there. It is not where a file is not as it was planned: whoever reads it again, in order,
   * finds out what is wrong with it.
   */
  readonly isFound: Uint8Array
}

export interface Hashing {
  /** Has the threads begin with files, while this one does something else. */
  add(sources: readonly HostSource[]): void
  /**
   * Hashes what is left, this thread beside the others, and gives all that was added, in that order. Throws what aborts
   * it, and where a thread ends.
   */
  finish(signal: AbortSignal | undefined): Promise<HashedFiles>
  /** Nobody hashes any more. */
  stop(): void
}

/** Files that were added together. */
interface Part {
  readonly sources: readonly HostSource[]
  readonly run: FileRun
}

/** `checks`: whether a file that is not the planned one any more is left out; if not, what is there now is hashed. */
export function createHashing(deflater: Deflater, checks: boolean): Hashing {
  const parts: Part[] = []
  const stop = (): void => {
    for (const { run } of parts) run.stop()
  }
  return {
    add: (sources) => void parts.push({ sources, run: deflater.hashFiles(sources, checks) }),
    async finish(signal) {
      signal?.addEventListener('abort', stop)
      try {
        for (const part of parts) await hashHere(part, checks, signal)
        await Promise.all(parts.map(({ run }) => run.done))
        throwIfAborted(signal)
        return {
          digests: Buffer.concat(parts.map(({ run }) => run.digests)),
          isFound: Buffer.concat(parts.map(({ run }) => run.isFound)),
        }
      } finally {
        stop()
        signal?.removeEventListener('abort', stop)
      }
    },
    stop,
  }
}

/** Takes what is left of a part, and looks at what threads saw of the others. */
async function hashHere(
  { sources, run }: Part,
  checks: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const scratch = Buffer.allocUnsafeSlow(pieceBytes)
  const pause = createPause()
  const own = new Set<number>()
  for (let index = run.take(); index !== undefined; index = run.take()) {
    throwIfAborted(signal)
    const source = sources[index]
    if (source === undefined) break
    const { size } = source
    const isShort = size <= scratch.length
    const digest = isShort ? hashShort(source, scratch, checks) : await tryLong(source, scratch, signal)
    if (digest !== undefined) run.put(index, digest)
    if (checks) own.add(index)
    const paused = pause(size)
    if (paused !== undefined) await paused
  }
  if (!checks) return
  await run.done
  for (const [index, source] of sources.entries()) {
    if (!own.has(index) && changeOf(source, run.seen(index)) !== undefined) run.isFound[index] = 0
  }
}

/** Lets signals and timers have a turn once enough was hashed. */
function createPause(): (hashedBytes: number) => Promise<void> | undefined {
  let [bytes, files] = [0, 0]
  return (hashedBytes) => {
    bytes += hashedBytes
    files += 1
    if (bytes < turn.bytes && files < turn.files) return undefined
    bytes = files = 0
    return setImmediate()
  }
}

/** In one piece, for tens of thousands of files: each function on the way would be compiled, and many into one another. */
function hashShort(source: HostSource, scratch: Buffer, checks: boolean): Uint8Array | undefined {
  const { path, offset = 0, size } = source
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    for (let filled = 0; filled < size;) {
      const count = readSync(file, scratch, filled, size - filled, offset + filled)
      if (count === 0) return undefined
      filled += count
    }
    if (checks && changeOf(source, fstatSync(file)) !== undefined) return undefined
    return sha256Bytes(scratch.subarray(0, size))
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

async function tryLong(
  source: FileSource,
  scratch: Buffer,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  try {
    return await hashLong(source, scratch, signal)
  } catch {
    throwIfAborted(signal)
    return undefined
  }
}

function hashFile(
  source: FileSource,
  scratch: Buffer,
  signal: AbortSignal | undefined,
): Uint8Array | Promise<Uint8Array> {
  const size = sourceSize(source)
  if (size > scratch.length) return hashLong(source, scratch, signal)
  readWhole(source, scratch, 0)
  return sha256Bytes(scratch.subarray(0, size))
}

async function hashLong(
  source: FileSource,
  scratch: Buffer,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const pieces = hashInPieces(source, scratch)
  try {
    for (;;) {
      throwIfAborted(signal)
      const next = pieces.next()
      if (next.done === true) return Buffer.from(next.value, 'hex')
      await setImmediate()
    }
  } finally {
    pieces.return('')
  }
}
