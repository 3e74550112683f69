/** Contents whose digests are believed: read into their blocks by threads, and hashed where nothing else tells that they are theirs. */

import { sha256Bytes } from '../content/hash.ts'
import type { Deflater, StreamHasher } from '../deflate/deflater.ts'
import { partNumbers, type FileParts } from '../deflate/file-part.ts'
import { hashContents } from './content-hashes.ts'
import { changeOf, readPart, type HostSource } from './read-source.ts'
import { StaleSegments } from './segments.ts'
import type { TarBlock } from './tar-blocks.ts'

/** A part of a file, or all of it, that belongs into a block. Offsets and lengths in bytes. */
export interface BelievedContent {
  readonly source: HostSource
  /** Of the whole file, 32 bytes. */
  readonly digest: Uint8Array
  /** In the file. */
  readonly start: number
  readonly length: number
  /** In the block. */
  readonly at: number
}

/** A block on its way to the hasher. */
export interface BegunBlock {
  readonly block: TarBlock
  /** Its crc32, once its contents are in it and it is hashed. */
  readonly hashed: Promise<number>
}

export interface BelievedContentsOptions {
  readonly deflater: Deflater
  readonly hasher: StreamHasher
  readonly signal?: AbortSignal | undefined
}

export interface BelievedContents {
  /**
   * Gives the blocks in order to the hasher, and on; so many that are `ahead` are read and hashed meanwhile. `hashed` fails
   * with `OCB-FILE-CHANGED`, `OCB-FILE-UNREADABLE`, and `StaleSegments` where what was hashed is not what is there.
   */
  read(
    blocks: Iterable<TarBlock | Promise<void>>,
    ahead: number,
  ): Generator<BegunBlock | Promise<void>, void, undefined>
  /** Hashes what was read. Throws `StaleSegments` where a digest is another than the one that was believed. */
  check(block: TarBlock): Promise<void>
}

export function createBelievedContents({
  deflater,
  hasher,
  signal,
}: BelievedContentsOptions): BelievedContents {
  /** The last file of several blocks that was found to be as believed. */
  let checked: HostSource | undefined
  return {
    *read(blocks, ahead) {
      const queue: BegunBlock[] = []
      for (const block of blocks) {
        if (block instanceof Promise) {
          yield block
          continue
        }
        const hashed = fillAndHash(block, hasher)
        // Met where it is awaited; until then it only must not count as unhandled.
        hashed.catch(() => {})
        queue.push({ block, hashed })
        const first = queue.length > ahead ? queue.shift() : undefined
        if (first !== undefined) yield first
      }
      yield* queue
    },
    async check({ bytes, believed }) {
      for (const { source, digest, at, length } of believed) {
        if (length === source.size) {
          if (!sha256Bytes(bytes.subarray(at, at + length)).equals(digest)) throw new StaleSegments()
          continue
        }
        if (source === checked) continue
        const [found] = await hashContents([source], deflater, signal)
        if (found === undefined || Buffer.compare(found, digest) !== 0) throw new StaleSegments()
        checked = source
      }
    },
  }
}

async function fillAndHash({ bytes, believed }: TarBlock, hasher: StreamHasher): Promise<number> {
  const block = { buffer: bytes.buffer, start: bytes.byteOffset, length: bytes.length }
  if (believed.length === 0 || hasher.readAndAdd === undefined) {
    readOthers(bytes, believed, undefined)
    return hasher.add(block)
  }
  const { crc32, stats } = await hasher.readAndAdd(block, partsOf(believed, bytes.byteOffset))
  // What had to be read once more was hashed as it was before.
  if (readOthers(bytes, believed, stats)) throw new StaleSegments()
  return crc32
}

// Plain loops, each by itself: they run tens of thousands of times, and to compile them costs the more the longer they are.

function partsOf(believed: readonly BelievedContent[], base: number): FileParts {
  const paths: string[] = []
  const ranges = new Float64Array(believed.length * partNumbers)
  let index = 0
  for (const { source, start, length, at } of believed) {
    paths.push(source.path)
    ranges[index] = base + at
    ranges[index + 1] = (source.offset ?? 0) + start
    ranges[index + 2] = length
    index += partNumbers
  }
  return { paths, ranges }
}

/** Reads what a thread did not, or found to be other than planned, which says what is wrong with it: whether there was any. */
function readOthers(
  bytes: Buffer,
  believed: readonly BelievedContent[],
  stats: Float64Array | undefined,
): boolean {
  let [index, isAny] = [0, false]
  for (const { source, start, length, at } of believed) {
    const size = stats?.[index] ?? Number.NaN
    const mtimeMs = stats?.[index + 1] ?? Number.NaN
    const ino = stats?.[index + 2] ?? Number.NaN
    if (changeOf(source, { size, mtimeMs, ino }) !== undefined) {
      readPart(source, start, length, bytes, at)
      isAny = true
    }
    index += partNumbers
  }
  return isAny
}
