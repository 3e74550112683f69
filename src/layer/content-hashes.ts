/** The sha256 of many planned files: in order, and where there is much to read, on the threads and here at once. */

import { setImmediate } from 'node:timers/promises'
import type { Deflater } from '../deflate/deflater.ts'
import type { FileRange } from '../deflate/file-hash.ts'
import { throwIfAborted } from '../errors.ts'
import type { FileSource } from '../rootfs/file-source.ts'
import { changeOf, hashInPieces, sourceSize, type HostSource } from './read-source.ts'

/** Less than either is hashed here before a thread would have started. */
const worthThreads = { bytes: 4 * 1024 * 1024, files: 500 }
/** What a thread is given at once: some ten milliseconds. */
const batchLimits = { bytes: 4 * 1024 * 1024, files: 128 }
/** Batches that wait at each thread, so that it need not wait for this one to have a turn. */
const batchesAhead = 2

/** An index of the sources that were asked for, and its source. */
interface Planned {
  readonly index: number
  readonly source: HostSource
}

/** The sha256 of each source in hex. Throws `OCB-FILE-CHANGED`, `OCB-FILE-UNREADABLE` of the first that cannot be had. */
export async function hashContents(
  sources: readonly FileSource[],
  deflater: Deflater,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const scratch = Buffer.allocUnsafeSlow(1024 * 1024)
  const bytes = sources.reduce((total, source) => total + sourceSize(source), 0)
  const isMuch = bytes >= worthThreads.bytes || sources.length >= worthThreads.files
  const ahead =
    isMuch && deflater.threads > 1 ? await hashTogether(sources, scratch, deflater, signal) : undefined
  const hexes: string[] = []
  for (const [index, source] of sources.entries()) {
    const hex = ahead?.[index]
    hexes.push(hex ?? (await hashFile(source, scratch, signal)))
    // Small files are read without waiting; signals and timers get a turn between some.
    if (hex === undefined && index % 256 === 255) await setImmediate()
  }
  return hexes
}

/**
 * Hashes what it can, this thread taking turns with the others. Whatever is not as it was planned is left out: whoever
 * reads it again, in order, finds out what is wrong with it.
 */
async function hashTogether(
  sources: readonly FileSource[],
  scratch: Buffer,
  deflater: Deflater,
  signal: AbortSignal | undefined,
): Promise<readonly (string | undefined)[]> {
  const hexes = Array<string | undefined>(sources.length).fill(undefined)
  const { batches, large } = planBatches(sources)
  // One iterator for all: a batch is taken by whoever has time for it.
  const left = batches.values()
  const there = async (): Promise<void> => {
    for (const batch of left) {
      throwIfAborted(signal)
      const seen = await deflater.hashFiles(batch.map(({ source }) => rangeOf(source)))
      for (const [place, { index, source }] of batch.entries()) {
        const file = seen[place]
        if (file !== undefined && changeOf(source, file) === undefined) hexes[index] = file.sha256
      }
    }
  }
  const hashHere = async (batch: readonly Planned[]): Promise<void> => {
    for (const { index, source } of batch) hexes[index] = await tryFile(source, scratch, signal)
    await setImmediate()
  }
  const here = async (): Promise<void> => {
    await hashHere(large)
    for (const batch of left) await hashHere(batch)
  }
  const threads = Array.from({ length: (deflater.threads - 1) * batchesAhead }, there)
  try {
    await Promise.all([here(), ...threads])
  } finally {
    // After a failure nobody goes on.
    batches.length = 0
  }
  return hexes
}

function rangeOf({ path, offset, size }: HostSource): FileRange {
  return { path, start: offset ?? 0, length: size }
}

/** Batches for whoever has time, and what would keep a thread from being ended for long. */
function planBatches(sources: readonly FileSource[]): { batches: Planned[][]; large: readonly Planned[] } {
  const batches: Planned[][] = []
  const large: Planned[] = []
  let batch: Planned[] = []
  let bytes = 0
  for (const [index, source] of sources.entries()) {
    if (source.kind === 'bytes') continue
    if (source.size > batchLimits.bytes) {
      large.push({ index, source })
      continue
    }
    if (batch.length === 0 || batch.length >= batchLimits.files || bytes + source.size > batchLimits.bytes) {
      batch = []
      bytes = 0
      batches.push(batch)
    }
    batch.push({ index, source })
    bytes += source.size
  }
  return { batches, large }
}

async function tryFile(
  source: FileSource,
  scratch: Buffer,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    return await hashFile(source, scratch, signal)
  } catch {
    throwIfAborted(signal)
    return undefined
  }
}

async function hashFile(
  source: FileSource,
  scratch: Buffer,
  signal: AbortSignal | undefined,
): Promise<string> {
  const pieces = hashInPieces(source, scratch)
  try {
    for (;;) {
      throwIfAborted(signal)
      const next = pieces.next()
      if (next.done === true) return next.value
      await setImmediate()
    }
  } finally {
    pieces.return('')
  }
}
