/** The sha256 of many planned files: in order, and where there is much to read, on the threads and here at once. */

import { setImmediate } from 'node:timers/promises'
import { sha256Bytes } from '../content/hash.ts'
import type { Deflater } from '../deflate/deflater.ts'
import type { FileRange } from '../deflate/file-run.ts'
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
  const found = isMuch && deflater.threads > 1 ? await beginHashing(sources, deflater).finish(signal) : []
  const scratch = Buffer.allocUnsafeSlow(pieceBytes)
  const pause = createPause()
  const digests: Uint8Array[] = []
  for (const [index, source] of sources.entries()) {
    const known = found[index]
    digests.push(known ?? (await hashFile(source, scratch, signal)))
    if (known === undefined) await pause(source)
  }
  return digests
}

export interface Hashing {
  /**
   * Hashes what is left, this thread beside the others. Whatever is not as it was planned is left out: whoever reads it
   * again, in order, finds out what is wrong with it. Throws what aborts it, and where a thread ends.
   */
  finish(signal: AbortSignal | undefined): Promise<readonly (Uint8Array | undefined)[]>
  /** Nobody hashes any more. */
  stop(): void
}

/** Has the threads begin with files, while this one does something else. */
export function beginHashing(sources: readonly FileSource[], deflater: Deflater): Hashing {
  const planned = inOrder(sources)
  const run = deflater.hashFiles(planned.map(({ source }) => rangeOf(source)))
  const hashHere = async (signal: AbortSignal | undefined): Promise<ReadonlyMap<number, Uint8Array>> => {
    const scratch = Buffer.allocUnsafeSlow(pieceBytes)
    const pause = createPause()
    const digests = new Map<number, Uint8Array>()
    for (let place = run.take(); place !== undefined; place = run.take()) {
      throwIfAborted(signal)
      const file = planned[place]
      if (file === undefined) break
      const digest = await tryFile(file.source, scratch, signal)
      if (digest !== undefined) digests.set(file.index, digest)
      await pause(file.source)
    }
    return digests
  }
  return {
    async finish(signal) {
      signal?.addEventListener('abort', run.stop)
      try {
        const here = await hashHere(signal)
        await run.done
        throwIfAborted(signal)
        const digests = Array<Uint8Array | undefined>(sources.length).fill(undefined)
        for (const [place, { index, source }] of planned.entries()) {
          const seen = run.seen(place)
          const isPlanned = seen !== undefined && changeOf(source, seen) === undefined
          digests[index] = isPlanned ? seen.digest : here.get(index)
        }
        return digests
      } finally {
        run.stop()
        signal?.removeEventListener('abort', run.stop)
      }
    },
    stop: run.stop,
  }
}

/** An index of the sources that were asked for, and its source. */
interface Planned {
  readonly index: number
  readonly source: HostSource
}

function inOrder(sources: readonly FileSource[]): readonly Planned[] {
  const long: Planned[] = []
  const others: Planned[] = []
  for (const [index, source] of sources.entries()) {
    if (source.kind === 'host') (source.size > longBytes ? long : others).push({ index, source })
  }
  return [...long, ...others]
}

function rangeOf({ path, offset, size }: HostSource): FileRange {
  return { path, start: offset ?? 0, length: size }
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
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  try {
    return await hashFile(source, scratch, signal)
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
