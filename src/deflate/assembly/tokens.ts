/**
 * The token stream between match finder and Huffman coder.
 *
 * A token is a u32: four times the symbol in the low half (an index into
 * tables of u32), the value of the extra bits in the high half. A literal is
 * one token, a match two: length and distance. All three kinds go through the
 * same steps when they are counted and when they are emitted, so neither loop
 * has a branch that depends on the data.
 */
import {
  CHUNK_FREQ, CHUNK_FREQ_B, CODE, DIST_BASE, DIST_FIRST, DIST_SLOT, FREQ, LENGTH_TOKEN,
  SYMBOL_TABLE, TOKENS
} from './memory'
import { bitBuffer, bitCount, outPos, setBits } from './bits'

/** End of the token stream. */
export let tokenEnd: usize = TOKENS
export function setTokenEnd(end: usize): void { tokenEnd = end }

/** Symbol of a distance, as in zlib: fine below 257, in steps of 128 above. */
// @ts-ignore: decorator
@inline function distSlot(distance: u32): u32 {
  const d = distance - 1
  return load<u8>(<usize>(select<u32>(d, 256 + (d >> 7), d < 256)), DIST_SLOT)
}

// @ts-ignore: decorator
@inline export function writeLiteral(at: usize, pos: usize): void {
  store<u32>(at, <u32>load<u8>(pos) << 2)
}

// @ts-ignore: decorator
@inline export function writeMatch(at: usize, length: u32, distance: u32): void {
  const slot = distSlot(distance)
  const extra = distance - <u32>load<u16>(slot << 1, DIST_FIRST)
  store<u32>(at, load<u32>(length << 2, LENGTH_TOKEN))
  store<u32>(at, ((<u32>DIST_BASE + slot) << 2) | (extra << 16), 4)
}

// @ts-ignore: decorator
@inline function count(token: usize): void {
  store<u32>(token, load<u32>(token, CHUNK_FREQ) + 1, CHUNK_FREQ)
}
// @ts-ignore: decorator
@inline function countB(token: usize): void {
  store<u32>(token, load<u32>(token, CHUNK_FREQ_B) + 1, CHUNK_FREQ_B)
}

/**
 * Counts the tokens from `from` to the end into CHUNK_FREQ. Two tables take
 * turns, so that equal neighbours do not wait for each other's store.
 */
export function countChunk(from: usize): void {
  memory.fill(CHUNK_FREQ, 0, SYMBOL_TABLE)
  memory.fill(CHUNK_FREQ_B, 0, SYMBOL_TABLE)
  const end = tokenEnd
  let t = from
  for (; t + 16 <= end; t += 16) {
    const a = <usize>load<u16>(t), b = <usize>load<u16>(t, 4)
    const c = <usize>load<u16>(t, 8), d = <usize>load<u16>(t, 12)
    count(a)
    countB(b)
    count(c)
    countB(d)
  }
  for (; t < end; t += 4) count(<usize>load<u16>(t))
  addTable(CHUNK_FREQ, CHUNK_FREQ_B)
}

/** Adds the newest chunk's histogram to the block's. */
export function mergeChunk(): void { addTable(FREQ, CHUNK_FREQ) }

function addTable(to: usize, from: usize): void {
  for (let i: usize = 0; i < SYMBOL_TABLE; i += 16) {
    v128.store(to + i, i32x4.add(v128.load(to + i), v128.load(from + i)))
  }
}

/**
 * Emits all tokens and the end-of-block symbol with the codes in CODE
 * (low half code, then code length, then code length plus extra bits).
 * Two tokens a step: at most 2 * (15 + 13) bits join the 7 left over.
 * Overwrites the two tokens after the end.
 */
export function emitTokens(): void {
  // End of block, then symbol 287, which the stream never uses: no bits.
  store<u32>(tokenEnd, 256 << 2)
  store<u32>(tokenEnd, 287 << 2, 4)
  store<u32>(CODE + (287 << 2), 0)
  const end = tokenEnd + 4
  let buffer = bitBuffer, count = bitCount, out = outPos
  for (let t: usize = TOKENS; t < end; t += 8) {
    const c0 = load<u32>(load<u16>(t), CODE)
    const c1 = load<u32>(load<u16>(t, 4), CODE)
    // Shift counts are taken modulo 32, so the byte above the length is ignored.
    const v0 = (c0 & 0xffff) | (<u32>load<u16>(t, 2) << (c0 >> 16))
    const v1 = (c1 & 0xffff) | (<u32>load<u16>(t, 6) << (c1 >> 16))
    buffer |= (<u64>v0 | (<u64>v1 << (c0 >> 24))) << count
    count += (c0 >> 24) + (c1 >> 24)
    store<u64>(out, buffer)
    out += <usize>(count >> 3)
    buffer >>= count & 56
    count &= 7
  }
  setBits(buffer, count, out)
}
