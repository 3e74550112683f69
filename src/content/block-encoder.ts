/** How blocks of a tar become a layer blob: gzip, zstd or as they are, behind one small interface. */

import * as zlib from 'node:zlib'
import { OciBuildError } from '../errors.ts'
import { mediaTypes, type MediaType } from '../spec/media-type.ts'
import { deflateBlock, gzipHeader, gzipTrailer, updateCrc32, windowBytes } from './deflate-block.ts'

export interface BlockEncoder {
  readonly mediaType: MediaType
  readonly head: Uint8Array | undefined
  /** Starts encoding a block; blocks are given in order. The block's bytes must stay until the promise settles. */
  encode(block: Buffer): Promise<Uint8Array>
  /** After the last block. */
  tail(): Uint8Array | undefined
}

export type EncoderSettings =
  | { readonly type: 'gzip'; readonly level: number }
  | { readonly type: 'zstd'; readonly level: number }
  | { readonly type: 'none' }

/** An encoder for one blob. Throws `OCB-ZSTD-UNAVAILABLE` where this Node.js cannot write zstd. */
export function createBlockEncoder(settings: EncoderSettings): BlockEncoder {
  if (settings.type === 'gzip') return gzipEncoder(settings.level)
  if (settings.type === 'zstd') return zstdEncoder(settings.level)
  return {
    mediaType: mediaTypes.layer,
    head: undefined,
    // A copy: the block's buffer is used again while the blob's reader may still hold these bytes. A turn of the
    // event loop a block: with no work in the pool to wait for, signals and timers would starve.
    encode: (block) => {
      const bytes = Uint8Array.from(block)
      return new Promise((resolve) => setImmediate(resolve, bytes))
    },
    tail: () => undefined,
  }
}

function gzipEncoder(level: number): BlockEncoder {
  let window: Uint8Array = new Uint8Array(0)
  let crc = 0
  let length = 0
  return {
    mediaType: mediaTypes.layerGzip,
    head: gzipHeader,
    encode(block) {
      const dictionary = window
      window = slideWindow(dictionary, block)
      crc = updateCrc32(block, crc)
      length += block.length
      return deflateBlock(block, level, dictionary)
    },
    tail: () => gzipTrailer(crc, length),
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
  options: { readonly params: Readonly<Record<number, number>> },
  callback: (error: Error | null, bytes: Uint8Array) => void,
) => void

/** ZSTD_c_compressionLevel and ZSTD_c_checksumFlag (zstd.h). */
const zstdParameter = { level: 100, checksum: 201 } as const

// Typed by hand: the types are those of the oldest Node.js we run on, which has no zstd.
function isZstdCompress(value: unknown): value is ZstdCompress {
  return typeof value === 'function'
}

function zstdEncoder(level: number): BlockEncoder {
  const compress: unknown = Reflect.get(zlib, 'zstdCompress')
  if (!isZstdCompress(compress)) {
    throw new OciBuildError('OCB-ZSTD-UNAVAILABLE', {
      message: 'compression "zstd" needs a Node.js that has zstd; this one has none',
      hint: 'run ocibuild with Node.js 22.15 or later (23.8 in the 23 line), or set compression to gzip',
    })
  }
  const params = { [zstdParameter.level]: level, [zstdParameter.checksum]: 1 }
  return {
    mediaType: mediaTypes.layerZstd,
    head: undefined,
    // Each block is a frame of its own, one call in the pool; never nbWorkers, which cuts the output short.
    encode: (block) =>
      new Promise((resolve, reject) => {
        compress(block, { params }, (error, bytes) => (error ? reject(error) : resolve(bytes)))
      }),
    tail: () => undefined,
  }
}
