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

/** The crc32 of bytes (RFC 1952, section 8). */
export function crc32Of(bytes: Uint8Array): number {
  return crc32(bytes)
}

/** The crc32 of two runs of bytes, one after the other: those of both, and the length of the second in bytes. */
export function joinCrc32(first: number, second: number, secondBytes: number): number {
  return (multiply(powerOfX(secondBytes * 8), first) ^ second) >>> 0
}

// A crc32 is a polynomial modulo this one, x^0 in the highest bit; n bytes after it multiply it by x^8n.
const modulus = 0xedb88320
const one = 0x80000000

/** x^(2^n) at n. */
const squares: readonly number[] = makeSquares()

function makeSquares(): readonly number[] {
  const made = [one >>> 1]
  while (made.length < 64) {
    const last = made.at(-1) ?? 0
    made.push(multiply(last, last))
  }
  return made
}

function powerOfX(exponent: number): number {
  let product = one
  for (let [left, bit] = [exponent, 0]; left > 0; [left, bit] = [Math.floor(left / 2), bit + 1]) {
    if (left % 2 === 1) product = multiply(squares[bit] ?? 0, product)
  }
  return product
}

function multiply(a: number, b: number): number {
  let product = 0
  let shifted = b
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ modulus
  }
  return product >>> 0
}
