/** The sha256 of many planned files: in order, and where there is much to read, on the threads and here at once. */

import { setImmediate } from 'node:timers/promises'
import { sha256Bytes } from '../content/hash.ts'
import type { Deflater } from '../deflate/deflater.ts'
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
  const found = isMuch && deflater.threads > 1 ? await hashTogether(sources, deflater, signal) : undefined
  const scratch = Buffer.allocUnsafeSlow(pieceBytes)
  const pause = createPause()
  const digests: Uint8Array[] = []
  for (const source of sources) {
    const known = source.kind === 'host' ? found?.get(source) : undefined
    digests.push(known ?? (await hashFile(source, scratch, signal)))
    if (known === undefined) await pause(source)
  }
  return digests
}

async function hashTogether(
  sources: readonly FileSource[],
  deflater: Deflater,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<HostSource, Uint8Array>> {
  const found = new Map<HostSource, Uint8Array>()
  const hosts = sources.filter((source) => source.kind === 'host')
  await beginHashing(hosts, deflater).finish((source, digest) => void found.set(source, digest), signal)
  return found
}

export interface Hashing {
  /**
   * Hashes what is left, this thread beside the others, and tells what was found. Whatever is not as it was planned is
   * left out: whoever reads it again, in order, finds out what is wrong with it. Throws what aborts it, and where a
   * thread ends.
   */
  finish(
    found: (source: HostSource, digest: Uint8Array) => void,
    signal: AbortSignal | undefined,
  ): Promise<void>
  /** Nobody hashes any more. */
  stop(): void
}

/** Has the threads begin with files, while this one does something else. */
export function beginHashing(sources: readonly HostSource[], deflater: Deflater): Hashing {
  const isLong = ({ size }: HostSource): boolean => size > longBytes
  const hosts = [...sources.filter(isLong), ...sources.filter((source) => !isLong(source))]
  const run = deflater.hashFiles(hosts)
  const hashHere = async (signal: AbortSignal | undefined): Promise<ReadonlyMap<number, Uint8Array>> => {
    const scratch = Buffer.allocUnsafeSlow(pieceBytes)
    const pause = createPause()
    const digests = new Map<number, Uint8Array>()
    for (let index = run.take(); index !== undefined; index = run.take()) {
      throwIfAborted(signal)
      const source = hosts[index]
      if (source === undefined) break
      const digest = await tryFile(source, scratch, signal)
      if (digest !== undefined) digests.set(index, digest)
      await pause(source)
    }
    return digests
  }
  return {
    async finish(found, signal) {
      signal?.addEventListener('abort', run.stop)
      try {
        const here = await hashHere(signal)
        await run.done
        throwIfAborted(signal)
        for (const [index, source] of hosts.entries()) {
          const seen = run.seen(index)
          const isPlanned = seen !== undefined && changeOf(source, seen) === undefined
          const digest = isPlanned ? seen.digest : here.get(index)
          if (digest !== undefined) found(source, digest)
        }
      } finally {
        run.stop()
        signal?.removeEventListener('abort', run.stop)
      }
    },
    stop: run.stop,
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
