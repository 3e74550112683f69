/** The sha256 of many planned files: in order, and where there is much to read, on the threads and here at once. */

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
  const hosts = sources.filter((source) => source.kind === 'host')
  const hashing = isMuch && deflater.threads > 1 ? createHashing(deflater, true) : undefined
  hashing?.add(hosts)
  const found = (await hashing?.finish(signal)) ?? []
  const scratch = Buffer.allocUnsafeSlow(pieceBytes)
  const pause = createPause()
  const digests: Uint8Array[] = []
  let host = 0
  for (const source of sources) {
    const known = source.kind === 'host' ? found[host++] : undefined
    digests.push(known ?? (await hashFile(source, scratch, true, signal)))
    if (known === undefined) await pause(source)
  }
  return digests
}

export interface Hashing {
  /** Has the threads begin with files, while this one does something else. */
  add(sources: readonly HostSource[]): void
  /**
   * Hashes what is left, this thread beside the others, and gives the digest of each source in the order in which they
   * were added. That of one which is not as it was planned is left out: whoever reads it again, in order, finds out what
   * is wrong with it. Throws what aborts it, and where a thread ends.
   */
  finish(signal: AbortSignal | undefined): Promise<readonly (Uint8Array | undefined)[]>
  /** Nobody hashes any more. */
  stop(): void
}

/** Files that were added together. */
interface Part {
  /** Long ones first. */
  readonly sources: readonly HostSource[]
  /** Of each, where its digest goes. */
  readonly places: readonly number[]
  readonly run: FileRun
}

/** `checks`: whether a file that is not the planned one any more is left out; if not, what is there now is hashed. */
export function createHashing(deflater: Deflater, checks: boolean): Hashing {
  const parts: Part[] = []
  const digests: (Uint8Array | undefined)[] = []
  let count = 0
  const stop = (): void => {
    for (const { run } of parts) run.stop()
  }
  const hashHere = async (signal: AbortSignal | undefined): Promise<void> => {
    const scratch = Buffer.allocUnsafeSlow(pieceBytes)
    const pause = createPause()
    for (const { sources, places, run } of parts) {
      for (let index = run.take(); index !== undefined; index = run.take()) {
        throwIfAborted(signal)
        const [source, place] = [sources[index], places[index]]
        if (source === undefined || place === undefined) break
        digests[place] = await tryFile(source, scratch, checks, signal)
        await pause(source)
      }
    }
  }
  const takeOver = ({ sources, places, run }: Part): void => {
    for (const [index, source] of sources.entries()) {
      const [seen, place] = [run.seen(index), places[index]]
      const isTaken = seen !== undefined && (!checks || changeOf(source, seen) === undefined)
      if (isTaken && place !== undefined) digests[place] = seen.digest
    }
  }
  return {
    add(added) {
      const [sources, places]: [HostSource[], number[]] = [[], []]
      for (const long of [true, false]) {
        for (const [index, source] of added.entries()) {
          if (source.size > longBytes !== long) continue
          sources.push(source)
          places.push(count + index)
        }
      }
      count += added.length
      parts.push({ sources, places, run: deflater.hashFiles(sources, checks) })
    },
    async finish(signal) {
      signal?.addEventListener('abort', stop)
      try {
        await hashHere(signal)
        await Promise.all(parts.map(({ run }) => run.done))
        throwIfAborted(signal)
        parts.forEach(takeOver)
        return Array.from({ length: count }, (_, place) => digests[place])
      } finally {
        stop()
        signal?.removeEventListener('abort', stop)
      }
    },
    stop,
  }
}

/** Lets signals and timers have a turn once enough was hashed. */
function createPause(): (hashed: FileSource) => Promise<void> | undefined {
  let [bytes, files] = [0, 0]
  return (hashed) => {
    bytes += sourceSize(hashed)
    files += 1
    if (bytes < turn.bytes && files < turn.files) return undefined
    bytes = files = 0
    return setImmediate()
  }
}

async function tryFile(
  source: FileSource,
  scratch: Buffer,
  checks: boolean,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  try {
    return await hashFile(source, scratch, checks, signal)
  } catch {
    throwIfAborted(signal)
    return undefined
  }
}

function hashFile(
  source: FileSource,
  scratch: Buffer,
  checks: boolean,
  signal: AbortSignal | undefined,
): Uint8Array | Promise<Uint8Array> {
  const size = sourceSize(source)
  if (size > scratch.length) return hashLong(source, scratch, signal)
  readWhole(source, scratch, 0, checks)
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
