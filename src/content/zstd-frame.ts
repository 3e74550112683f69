/** One block as a zstd frame of its own, by node:zlib. */

import zlib from 'node:zlib'
import { OciBuildError } from '../errors.ts'

/** Options of zstdCompressSync: numbers by ZSTD_cParameter (zstd.h), and the room it makes for a result, in bytes. */
export interface ZstdOptions {
  readonly params: Readonly<Record<number, number>>
  readonly chunkSize: number
}

export type ZstdCompress = (bytes: Uint8Array, options: ZstdOptions) => Uint8Array

const compressionLevel = 100
const checksumFlag = 201

/**
 * Room for the result of one call, in bytes. Enough for any block spares libzstd a copy of the input, and decides bytes.
 * Far more than that is never touched, but counts for the garbage collector, which knows nothing of the megabytes of
 * context that each call leaves to it: with room for 4 MiB a process grows by 20 MB a thread.
 */
const roomBytes = 16 * 1024 * 1024

/** How a block is compressed. Never with nbWorkers, which cuts the output short. */
export function zstdOptions(level: number): ZstdOptions {
  return { params: { [compressionLevel]: level, [checksumFlag]: 1 }, chunkSize: roomBytes }
}

/** The longest that a block of so many bytes can become: ZSTD_COMPRESSBOUND (zstd.h). */
export function zstdFrameBytes(length: number): number {
  const small = 128 * 1024
  return length + (length >> 8) + (length < small ? (small - length) >> 11 : 0)
}

// Typed by hand: the types are those of the oldest Node.js we run on, which has no zstd.
function isZstdCompress(value: unknown): value is ZstdCompress {
  return typeof value === 'function'
}

/** Throws `OCB-ZSTD-UNAVAILABLE` where this Node.js cannot write zstd. */
export function zstdCompress(): ZstdCompress {
  const compress: unknown = Reflect.get(zlib, 'zstdCompressSync')
  if (isZstdCompress(compress)) return compress
  throw new OciBuildError('OCB-ZSTD-UNAVAILABLE', {
    message: 'compression "zstd" needs a Node.js that has zstd; this one has none',
    hint: 'run ocibuild with Node.js 22.15 or later (23.8 in the 23 line), or set compression to gzip',
  })
}
