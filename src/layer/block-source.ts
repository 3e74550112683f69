/** Where the encoded bytes of a layer's blocks come from: an earlier blob that has them, or the encoder. */

import type { BlockEncoder } from '../content/block-encoder.ts'
import { sha256Bytes } from '../content/hash.ts'
import type { BegunBlock, BelievedContents } from './believed-contents.ts'
import type { EncodeOptions } from './encode-layer.ts'
import { segmentKey } from './segments.ts'

/** A block's encoded bytes, on their way. */
export interface EncodedBlock {
  readonly key: string
  /** The sha256 of what the block is compressed with, in hex. */
  readonly dictionary: string
  readonly encoded: Promise<Uint8Array>
  /** The crc32 of the block that the bytes were made of, where they are an earlier blob's. */
  readonly wanted: number | undefined
}

export interface BlockSource {
  /**
   * Of the next block: taken, which needs none of its contents, or begun to be encoded, in `output` if it fits. Throws what
   * the block's `hashed` fails with, and `StaleSegments`.
   */
  begin(begun: BegunBlock, output: SharedArrayBuffer): Promise<EncodedBlock>
  /** To be told of each block in order once it is hashed, before its buffer is anybody else's. */
  finish(begun: BegunBlock): void
}

export function createBlockSource(
  encoder: BlockEncoder,
  contents: BelievedContents,
  { compression, encoderId, known }: EncodeOptions,
): BlockSource {
  const level = compression.type === 'none' ? 0 : compression.level
  const settings = `${compression.type}:${level} ${encoderId}`
  /** Blocks that were taken and that the encoder has not seen, in order. */
  const unseen: BegunBlock[] = []
  /** Of the next block; undefined where only the encoder knows what precedes it. */
  let dictionary: string | undefined
  const catchUp = async (): Promise<void> => {
    for (const { block, hashed } of unseen.splice(0)) {
      await hashed
      encoder.pass(block.bytes)
    }
  }
  return {
    async begin(begun, output) {
      const { bytes, identity, believed } = begun.block
      if (dictionary === undefined) await catchUp()
      const own = dictionary ?? sha256Bytes(encoder.dictionary()).toString('hex')
      const key = segmentKey(settings, own, identity)
      const found = known?.find(key, output)
      dictionary = found?.nextDictionary
      if (found !== undefined) {
        unseen.push(begun)
        const wanted = encoder.needsCrc32 ? found.crc32 : undefined
        return { key, dictionary: own, encoded: Promise.resolve(found.bytes), wanted }
      }
      await catchUp()
      if (believed.length > 0) await begun.hashed
      await contents.check(begun.block)
      const encoded = encoder.encode(bytes, output)
      // The failure is met where the block is awaited; here it only must not count as unhandled.
      encoded.catch(() => {})
      return { key, dictionary: own, encoded, wanted: undefined }
    },
    finish(begun) {
      if (unseen[0] !== begun) return
      unseen.shift()
      encoder.pass(begun.block.bytes)
    },
  }
}
