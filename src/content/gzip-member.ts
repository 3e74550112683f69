/** What stands around the blocks of a gzip member (RFC 1952), and its checksum. */

import { crc32 } from 'node:zlib'

/** A gzip member's header without time, name or system (RFC 1952, section 2.3): flags 0, MTIME 0, XFL 0, OS unknown. */
export const gzipHeader: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff)

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
  // Of no bytes zlib gives 0, not what there was.
  return bytes.length === 0 ? previous : crc32(bytes, previous)
}
