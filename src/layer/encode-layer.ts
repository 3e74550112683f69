/** A changeset becomes a layer blob in one pass: read, hash, cut, compress several blocks at once, in order. */

import { createBlockEncoder } from '../content/block-encoder.ts'
import { createStreamHasher } from '../content/stream-hasher.ts'
import type { ByteStream } from '../content/store.ts'
import type { Compression } from '../config/resolved-spec.ts'
import type { Deflater } from '../deflate/deflater.ts'
import { throwIfAborted } from '../errors.ts'
import type { Digest } from '../spec/digest.ts'
import type { MediaType } from '../spec/media-type.ts'
import { endOfArchiveBytes } from '../tar/tar-header.ts'
import { standardLimits, zstdLimits } from './block-cutter.ts'
import { createBelievedContents, type BegunBlock } from './believed-contents.ts'
import type { Changeset } from './changeset.ts'
import { joinCrc32 } from '../content/gzip-member.ts'
import { createBlockSource, type EncodedBlock } from './block-source.ts'
import { StaleSegments, type KnownSegments, type Segment } from './segments.ts'
import { tarBlocks, type ContentDigests } from './tar-blocks.ts'

export interface EncodeOptions {
  readonly compression: Compression
  /** What the encoder's bytes must be told apart by, as in keys of layers. */
  readonly encoderId: string
  readonly deflater: Deflater
  readonly digests: ContentDigests
  /** Little is left to compress: see `createBlockEncoder`. */
  readonly small?: boolean | undefined
  /** The whole is small: no thread is started to hash it. */
  readonly fewBytes?: boolean | undefined
  /** Blocks of an earlier blob that need not be compressed again. */
  readonly known?: KnownSegments | undefined
  readonly signal?: AbortSignal | undefined
  /** Bytes of tar so far. */
  readonly onProgress?: ((tarBytes: number) => void) | undefined
}

export interface EncodedLayer {
  readonly mediaType: MediaType
  /** The blob's bytes; may be read once. A chunk holds until the next is asked for. */
  readonly blob: ByteStream
  /** Of the uncompressed tar; known when `blob` was read to its end. */
  diffId(): Digest
  /** Length of the uncompressed tar so far, in bytes. */
  tarBytes(): number
  /** The blocks so far, as they lie in the blob. */
  segments(): readonly Segment[]
}

interface Pending extends EncodedBlock {
  readonly begun: BegunBlock
  readonly output: SharedArrayBuffer
}

export function encodeLayer(changeset: Changeset, options: EncodeOptions): EncodedLayer {
  const { compression, deflater, digests, known, signal, onProgress } = options
  const limits = compression.type === 'zstd' ? zstdLimits : standardLimits
  const longest = limits.maxBytes + endOfArchiveBytes
  const encoder = createBlockEncoder(compression, longest, deflater, options.small === true)
  const bufferBytes = encoder.headroom + longest
  const hasher = createStreamHasher(deflater, {
    // This one reads, hashes contents and writes: with as much to do as the threads.
    here: options.fewBytes === true || deflater.threads < 2,
    crc32: encoder.needsCrc32,
  })
  const contents = createBelievedContents({ deflater, hasher, signal })
  const blocks = createBlockSource(encoder, contents, options)
  // Each thread has a block to go on with. Those of zstd are long, and one that is done first waits little.
  const mostPending = compression.type === 'zstd' ? deflater.threads + 1 : deflater.threads * 2
  // Of a block that is taken its crc32 tells whether its bytes are those of the digests; others are checked.
  const believes = known !== undefined && encoder.needsCrc32
  // Files are read a few at a time: their blocks wait for threads that hash others.
  const mostUnread = believes && options.fewBytes !== true ? deflater.threads * 2 : 0
  const segments: Segment[] = []
  let tarBytes = 0
  let offset = encoder.head?.length ?? 0
  let diffId: Digest | undefined
  let crc32 = 0

  async function* encode(): AsyncGenerator<Uint8Array> {
    // Shared with the threads that compress: a block goes there without being copied.
    const free: ArrayBufferLike[] = []
    const outputs: SharedArrayBuffer[] = []
    const takeBuffer = (): Buffer =>
      Buffer.from(free.pop() ?? new SharedArrayBuffer(bufferBytes), encoder.headroom)
    const queue: Pending[] = []
    const finish = async ({ begun, key, dictionary, encoded, wanted }: Pending): Promise<Uint8Array> => {
      const [bytes, own] = await Promise.all([encoded, begun.hashed])
      if (wanted !== undefined && wanted !== own) throw new StaleSegments()
      blocks.finish(begun)
      const block = begun.block.bytes
      crc32 = joinCrc32(crc32, own, block.length)
      free.push(block.buffer)
      segments.push({ key, dictionary, offset, length: bytes.length, crc32: own })
      offset += bytes.length
      return bytes
    }
    if (encoder.head) yield encoder.head
    const planned = tarBlocks(changeset, { limits, digests, takeBuffer, believes })
    for (const begun of contents.read(planned, mostUnread)) {
      throwIfAborted(signal)
      if (begun instanceof Promise) {
        await begun
        continue
      }
      tarBytes += begun.block.bytes.length
      const output = outputs.pop() ?? new SharedArrayBuffer(encoder.outputBytes)
      queue.push({ ...(await blocks.begin(begun, output)), begun, output })
      const first = queue.length > mostPending ? queue.shift() : undefined
      if (first) {
        yield await finish(first)
        outputs.push(first.output)
      }
      onProgress?.(tarBytes)
    }
    for (const pending of queue) yield await finish(pending)
    const sha256 = await hasher.end()
    if (known !== undefined && !(await known.isWhole())) throw new StaleSegments()
    const tail = encoder.tail({ crc32, length: tarBytes })
    if (tail) yield tail
    diffId = `sha256:${sha256}`
  }

  return {
    mediaType: encoder.mediaType,
    blob: encode(),
    diffId() {
      if (diffId === undefined) throw new Error('the layer was not read to its end')
      return diffId
    },
    tarBytes: () => tarBytes,
    segments: () => segments,
  }
}
