/** Compressing in blocks: each block by itself in libuv's pool, their order and bytes independent of cores and timing. */

import { crc32, constants, deflateRaw } from 'node:zlib'

/** How far back deflate looks, in bytes (RFC 1951, section 2): a block's dictionary is this much of what precedes it. */
export const windowBytes: number = 32 * 1024

/** A gzip member's header without time, name or system (RFC 1952, section 2.3): flags 0, MTIME 0, XFL 0, OS unknown. */
export const gzipHeader: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff)

/**
 * Compresses one block as raw deflate that ends on a byte boundary with a sync flush, so that blocks can be
 * joined; `dictionary` is up to 32 KiB of the bytes before it. Neither may change until the promise settles.
 */
export function deflateBlock(
  block: Uint8Array,
  level: number,
  dictionary: Uint8Array | undefined,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    deflateRaw(
      block,
      {
        level,
        memLevel: 9,
        windowBits: 15,
        finishFlush: constants.Z_SYNC_FLUSH,
        // One trip through the pool a block: the default of 16 KiB makes dozens.
        chunkSize: Math.max(64 * 1024, block.length >> 1),
        ...(dictionary && dictionary.length > 0 ? { dictionary } : {}),
      },
      (error, bytes) => (error ? reject(error) : resolve(bytes)),
    )
  })
}

/** The end of a gzip member whose blocks all ended with a sync flush: an empty fixed block, crc32 and length mod 2^32. */
export function gzipTrailer(crc: number, lengthBytes: number): Uint8Array {
  const trailer = Buffer.alloc(10)
  trailer.set([0x03, 0x00])
  trailer.writeUInt32LE(crc >>> 0, 2)
  trailer.writeUInt32LE(lengthBytes % 2 ** 32, 6)
  return trailer
}

/** The crc32 of bytes, going on from `previous`. */
export function updateCrc32(bytes: Uint8Array, previous: number): number {
  return crc32(bytes, previous)
}
