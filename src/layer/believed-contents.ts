/** Contents whose digests are believed: read into their blocks by threads, and hashed where nothing else tells that they are theirs. */

import { sha256Bytes } from '../content/hash.ts'
import type { Deflater } from '../deflate/deflater.ts'
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

export interface BelievedContentsOptions {
  readonly deflater: Deflater
  /** No thread is worth it: default false. */
  readonly here?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export interface BelievedContents {
  /**
   * Gives the blocks in order once their contents are in them; so many that are `ahead` are read meanwhile. Throws
   * `OCB-FILE-CHANGED`, `OCB-FILE-UNREADABLE`.
   */
  read(
    blocks: Iterable<TarBlock | Promise<void>>,
    ahead: number,
  ): AsyncGenerator<TarBlock | undefined, void, undefined>
  /** Hashes what was read. Throws `StaleSegments` where a digest is another than the one that was believed. */
  check(block: TarBlock): Promise<void>
}

export function createBelievedContents({
  deflater,
  here,
  signal,
}: BelievedContentsOptions): BelievedContents {
  /** The last file of several blocks that was found to be as believed. */
  let checked: HostSource | undefined
  return {
    async *read(blocks, ahead) {
      const queue: { readonly block: TarBlock; readonly whole: Promise<void> }[] = []
      for (const block of blocks) {
        if (block instanceof Promise) {
          yield block.then(() => undefined)
          continue
        }
        const whole = readBlock(block, here === true ? undefined : deflater)
        // Met where the block's turn comes; until then it only must not count as unhandled.
        whole.catch(() => {})
        queue.push({ block, whole })
        const first = queue.length > ahead ? queue.shift() : undefined
        if (first === undefined) continue
        await first.whole
        yield first.block
      }
      for (const { block, whole } of queue) {
        await whole
        yield block
      }
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

async function readBlock({ bytes, believed }: TarBlock, deflater: Deflater | undefined): Promise<void> {
  if (believed.length === 0) return
  const { buffer } = bytes
  const isShared = buffer instanceof SharedArrayBuffer
  const stats =
    deflater && isShared ? await deflater.readFiles(buffer, partsOf(believed, bytes.byteOffset)) : undefined
  readOthers(bytes, believed, stats)
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

/** Reads what a thread did not, or found to be other than planned: that says what is wrong with it. */
function readOthers(
  bytes: Buffer,
  believed: readonly BelievedContent[],
  stats: Float64Array | undefined,
): void {
  let index = 0
  for (const { source, start, length, at } of believed) {
    const size = stats?.[index] ?? Number.NaN
    const mtimeMs = stats?.[index + 1] ?? Number.NaN
    const ino = stats?.[index + 2] ?? Number.NaN
    if (changeOf(source, { size, mtimeMs, ino }) !== undefined) readPart(source, start, length, bytes, at)
    index += partNumbers
  }
}
