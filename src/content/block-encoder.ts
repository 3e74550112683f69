/** How blocks of a tar become a layer blob: gzip, zstd or as they are, behind one small interface. */

import * as zlib from 'node:zlib'
import { maxBlockBytes, windowBytes } from '../deflate/deflate-module.ts'
import { outputBytes } from '../deflate/encode-block.ts'
import type { Deflater } from '../deflate/deflater.ts'
import { OciBuildError } from '../errors.ts'
import { mediaTypes, type MediaType } from '../spec/media-type.ts'
import { gzipHeader, gzipTrailer } from './gzip-member.ts'

export interface BlockEncoder {
  readonly mediaType: MediaType
  readonly head: Uint8Array | undefined
  /** Bytes that a block's buffer must have before the block. */
  readonly headroom: number
  /** Bytes that `output` must have. */
  readonly outputBytes: number
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

/** Blocks of a blob that are compressed in this thread before others are started for it. */
const blocksHere = 2

/**
 * An encoder for one blob; of a `small` one no thread is worth starting for the first blocks. Throws
 * `OCB-ZSTD-UNAVAILABLE` where this Node.js cannot write zstd.
 */
export function createBlockEncoder(
  settings: EncoderSettings,
  deflater: Deflater,
  small: boolean,
): BlockEncoder {
  if (settings.type === 'gzip') return gzipEncoder(settings.level, deflater, small)
  if (settings.type === 'zstd') return zstdEncoder(settings.level)
  return {
    mediaType: mediaTypes.layer,
    head: undefined,
    headroom: 0,
    outputBytes: 0,
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

function gzipEncoder(level: number, deflater: Deflater, small: boolean): BlockEncoder {
  let window: Uint8Array = new Uint8Array(0)
  let here = small ? blocksHere : 0
  const note = (block: Uint8Array): void => {
    window = slideWindow(window, block)
  }
  return {
    mediaType: mediaTypes.layerGzip,
    head: gzipHeader,
    headroom: windowBytes,
    outputBytes: outputBytes(maxBlockBytes),
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

/** The last 32 KiB of what was seen so far, as bytes of its own. */
function slideWindow(window: Uint8Array, block: Uint8Array): Uint8Array {
  if (block.length >= windowBytes) return Uint8Array.from(block.subarray(block.length - windowBytes))
  const kept = window.subarray(Math.max(0, window.length + block.length - windowBytes))
  return Uint8Array.from(Buffer.concat([kept, block]))
}

type ZstdCompress = (
  bytes: Uint8Array,
  options: { readonly params: Readonly<Record<number, number>>; readonly chunkSize: number },
  callback: (error: Error | null, bytes: Uint8Array) => void,
) => void

/** ZSTD_c_compressionLevel and ZSTD_c_checksumFlag (zstd.h). */
const zstdParameter = { level: 100, checksum: 201 } as const

// Typed by hand: the types are those of the oldest Node.js we run on, which has no zstd.
function isZstdCompress(value: unknown): value is ZstdCompress {
  return typeof value === 'function'
}

function zstdCompress(): ZstdCompress {
  const compress: unknown = Reflect.get(zlib, 'zstdCompress')
  if (!isZstdCompress(compress)) {
    throw new OciBuildError('OCB-ZSTD-UNAVAILABLE', {
      message: 'compression "zstd" needs a Node.js that has zstd; this one has none',
      hint: 'run ocibuild with Node.js 22.15 or later (23.8 in the 23 line), or set compression to gzip',
    })
  }
  return compress
}

function zstdEncoder(level: number): BlockEncoder {
  const compress = zstdCompress()
  const params = { [zstdParameter.level]: level, [zstdParameter.checksum]: 1 }
  return {
    mediaType: mediaTypes.layerZstd,
    head: undefined,
    headroom: 0,
    outputBytes: 0,
    // Each block is a frame of its own, one call in the pool; never nbWorkers, which cuts the output short.
    encode: (block) =>
      new Promise((resolve, reject) => {
        // One trip through the pool a block: the default of 16 KiB makes dozens.
        const chunkSize = Math.max(64 * 1024, block.length >> 1)
        compress(block, { params, chunkSize }, (error, bytes) => (error ? reject(error) : resolve(bytes)))
      }),
    pass() {},
    tail: () => undefined,
  }
}
