/** How blocks of a tar become a layer blob: gzip, zstd or as they are, behind one small interface. */

import { windowBytes } from '../deflate/deflate-module.ts'
import { outputBytes } from '../deflate/encode-block.ts'
import type { Deflater } from '../deflate/deflater.ts'
import { mediaTypes, type MediaType } from '../spec/media-type.ts'
import { gzipHeader, gzipTrailer } from './gzip-member.ts'
import { zstdCompress, zstdFrameBytes, zstdOptions } from './zstd-frame.ts'

export interface BlockEncoder {
  readonly mediaType: MediaType
  readonly head: Uint8Array | undefined
  /** Bytes that a block's buffer must have before the block. */
  readonly headroom: number
  /** Bytes that `output` must have. */
  readonly outputBytes: number
  /** Whether `tail` looks at the crc32. */
  readonly needsCrc32: boolean
  /** What the next block is compressed with, beside its own bytes; holds until that one is given. */
  dictionary(): Uint8Array
  /**
   * Begins to encode a block; blocks are given in order. Nobody may touch the block's buffer until the promise settles.
   * The result may lie in `output`.
   */
  encode(block: Buffer, output: SharedArrayBuffer): Promise<Uint8Array>
  /** Takes note of a block, in order too, whose encoded bytes are at hand. */
  pass(block: Buffer): void
  /** After the last block. `crc32` and `length`, in bytes, are of all blocks. */
  tail(all: { readonly crc32: number; readonly length: number }): Uint8Array | undefined
}

export type EncoderSettings =
  | { readonly type: 'gzip'; readonly level: number }
  | { readonly type: 'zstd'; readonly level: number }
  | { readonly type: 'none' }

const none = new Uint8Array(0)

/** Blocks of a blob that are compressed in this thread before others are started for it. */
const blocksHere = 2

/**
 * An encoder for one blob of blocks of at most `maxBytes`; of a `small` one no thread is worth starting for the first blocks. Throws
 * `OCB-ZSTD-UNAVAILABLE` where this Node.js cannot write zstd.
 */
export function createBlockEncoder(
  settings: EncoderSettings,
  maxBytes: number,
  deflater: Deflater,
  small: boolean,
): BlockEncoder {
  if (settings.type === 'gzip') return gzipEncoder(settings.level, maxBytes, deflater, small)
  if (settings.type === 'zstd') return zstdEncoder(settings.level, maxBytes, deflater, small)
  return {
    mediaType: mediaTypes.layer,
    head: undefined,
    headroom: 0,
    outputBytes: 0,
    needsCrc32: false,
    dictionary: () => none,
    // A copy: the block's buffer is used again while the blob's reader may still hold these bytes.
    encode: (block) => inTurn(Uint8Array.from(block)),
    pass() {},
    tail: () => undefined,
  }
}

/** Throws `OCB-ZSTD-UNAVAILABLE` where this Node.js cannot write what is asked for. */
export function checkEncoder({ type }: Pick<EncoderSettings, 'type'>): void {
  if (type === 'zstd') zstdCompress()
}

/** A turn of the event loop a block: with no work of others to wait for, signals and timers would starve. */
function inTurn(bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve) => setImmediate(resolve, bytes))
}

function gzipEncoder(level: number, maxBytes: number, deflater: Deflater, small: boolean): BlockEncoder {
  const lastBytes = new Uint8Array(windowBytes)
  let window: Uint8Array = lastBytes.subarray(windowBytes)
  let here = small ? blocksHere : 0
  const note = (block: Uint8Array): void => {
    window = slideWindow(lastBytes, window.length, block)
  }
  return {
    mediaType: mediaTypes.layerGzip,
    head: gzipHeader,
    headroom: windowBytes,
    outputBytes: outputBytes(maxBytes),
    needsCrc32: true,
    dictionary: () => window,
    encode(block, output) {
      const { buffer, byteOffset: start } = block
      const dictionaryLength = window.length
      new Uint8Array(buffer).set(window, start - dictionaryLength)
      note(block)
      const job = { buffer, start, length: block.length, dictionaryLength, level }
      if (here === 0) return deflater.deflate(job, output)
      here -= 1
      return inTurn(deflater.deflateHere(job))
    },
    pass: note,
    tail: ({ crc32, length }) => gzipTrailer(crc32, length),
  }
}

/** Moves a block into the end of `bytes`, whose last `filled` were seen before; gives those that were seen now. */
function slideWindow(bytes: Uint8Array, filled: number, block: Uint8Array): Uint8Array {
  const added = Math.min(block.length, bytes.length)
  bytes.copyWithin(0, added)
  bytes.set(block.subarray(block.length - added), bytes.length - added)
  return bytes.subarray(bytes.length - Math.min(filled + added, bytes.length))
}

function zstdEncoder(level: number, maxBytes: number, deflater: Deflater, small: boolean): BlockEncoder {
  const compress = zstdCompress()
  const options = zstdOptions(level)
  let here = small ? blocksHere : 0
  return {
    mediaType: mediaTypes.layerZstd,
    head: undefined,
    headroom: 0,
    outputBytes: zstdFrameBytes(maxBytes),
    needsCrc32: false,
    dictionary: () => none,
    encode(block, output) {
      const { buffer, byteOffset: start, length } = block
      if (here === 0) return deflater.zstd({ buffer, start, length, options }, output)
      here -= 1
      return inTurn(compress(block, options))
    },
    pass() {},
    tail: () => undefined,
  }
}
