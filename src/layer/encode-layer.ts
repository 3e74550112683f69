/** A changeset becomes a layer blob in one pass: read, hash, cut, compress several blocks at once, in order. */

import { setImmediate } from 'node:timers/promises'
import { createBlockEncoder } from '../content/block-encoder.ts'
import { createDigester } from '../content/hash.ts'
import type { ByteStream } from '../content/store.ts'
import type { Compression } from '../config/resolved-spec.ts'
import { throwIfAborted } from '../errors.ts'
import type { Digest } from '../spec/digest.ts'
import type { MediaType } from '../spec/media-type.ts'
import { endOfArchiveBytes } from '../tar/tar-header.ts'
import { standardLimits, zstdLimits } from './block-cutter.ts'
import type { Changeset } from './changeset.ts'
import { tarBlocks, type ContentDigests } from './tar-blocks.ts'

/** Blocks that are being compressed at once; libuv's pool has four threads. */
const blocksInFlight = 4

export interface EncodeOptions {
  readonly compression: Compression
  readonly digests: ContentDigests
  readonly signal?: AbortSignal | undefined
  /** Bytes of tar so far. */
  readonly onProgress?: ((tarBytes: number) => void) | undefined
}

export interface EncodedLayer {
  readonly mediaType: MediaType
  /** The blob's bytes; may be read once. */
  readonly blob: ByteStream
  /** Of the uncompressed tar; known when `blob` was read to its end. */
  diffId(): Digest
  /** Length of the uncompressed tar so far, in bytes. */
  tarBytes(): number
}

export function encodeLayer(changeset: Changeset, options: EncodeOptions): EncodedLayer {
  const encoder = createBlockEncoder(options.compression)
  const tarDigester = createDigester()
  let tarBytes = 0
  let diffId: Digest | undefined

  async function* encode(): AsyncGenerator<Uint8Array> {
    const limits = options.compression.type === 'zstd' ? zstdLimits : standardLimits
    const buffers: Buffer[] = []
    const takeBuffer = (): Buffer =>
      buffers.pop() ?? Buffer.allocUnsafeSlow(limits.maxBytes + endOfArchiveBytes)
    const queue: Promise<Uint8Array>[] = []
    if (encoder.head) yield encoder.head
    for (const block of tarBlocks(changeset, { limits, digests: options.digests, takeBuffer })) {
      throwIfAborted(options.signal)
      if (block.length === 0) {
        await setImmediate()
        continue
      }
      tarDigester.update(block)
      tarBytes += block.length
      const encoded = encoder.encode(block).then((bytes) => {
        buffers.push(Buffer.from(block.buffer, block.byteOffset))
        return bytes
      })
      // The failure is met where the block is awaited; here it only must not count as unhandled.
      encoded.catch(() => {})
      queue.push(encoded)
      const first = queue.length >= blocksInFlight ? queue.shift() : undefined
      if (first) yield await first
      options.onProgress?.(tarBytes)
    }
    for (const encoded of queue) yield await encoded
    const tail = encoder.tail()
    if (tail) yield tail
    diffId = tarDigester.digest()
  }

  return {
    mediaType: encoder.mediaType,
    blob: encode(),
    diffId() {
      if (diffId === undefined) throw new Error('the layer was not read to its end')
      return diffId
    },
    tarBytes: () => tarBytes,
  }
}
