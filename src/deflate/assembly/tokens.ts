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
  CHUNK_FREQ, CHUNK_FREQ_B, CODE, DIST_TOKEN, EMIT_BITS, EMIT_CODE, EMIT_SCALE, FREQ, LENGTH_TOKEN,
  SYMBOL_TABLE, TOKENS
} from './memory'
import { bitBuffer, bitCount, outPos, setBits } from './bits'

/** End of the token stream. */
export let tokenEnd: usize = TOKENS
export function setTokenEnd(end: usize): void { tokenEnd = end }

// @ts-ignore: decorator
@inline export function writeLiteral(at: usize, pos: usize): void {
  store<u32>(at, <u32>load<u8>(pos) << 2)
}

/** The literals of four bytes. */
// @ts-ignore: decorator
@inline export function writeLiterals(at: usize, pos: usize): void {
  const bytes = i16x8.extend_low_i8x16_u(v128.load_zero<u32>(pos))
  v128.store(at, i32x4.shl(i32x4.extend_low_i16x8_u(bytes), 2))
}

/** A match, of which the low half of `match` tells the distance: see match.ts. */
// @ts-ignore: decorator
@inline export function writeMatch(at: usize, length: u32, match: u32): void {
  const d = ~match & 0xffff // distance - 1
  const place = select<u32>(d, 256 + (d >> 7), d < 256)
  store<u32>(at, load<u32>(length << 2, LENGTH_TOKEN))
  store<u32>(at, load<u32>(place << 2, DIST_TOKEN) - (match << 16), 4)
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
 * CODE in three tables: a multiplication that puts the extra bits after the
 * code takes fewer steps than taking an entry apart and shifting.
 */
function spreadCodes(): void {
  for (let i: usize = 0; i < SYMBOL_TABLE; i += 4) {
    const c = load<u32>(i, CODE)
    store<u32>(i, c & 0xffff, EMIT_CODE)
    store<u32>(i, 1 << (c >> 16), EMIT_SCALE)
    store<u32>(i, c >> 24, EMIT_BITS)
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
  spreadCodes()
  const end = tokenEnd + 4
  let buffer = bitBuffer, count = bitCount, out = outPos
  for (let t: usize = TOKENS; t < end; t += 8) {
    const a = <usize>load<u16>(t), b = <usize>load<u16>(t, 4)
    const v0 = load<u32>(a, EMIT_CODE) + <u32>load<u16>(t, 2) * load<u32>(a, EMIT_SCALE)
    const v1 = load<u32>(b, EMIT_CODE) + <u32>load<u16>(t, 6) * load<u32>(b, EMIT_SCALE)
    const n0 = <u64>load<u32>(a, EMIT_BITS)
    buffer |= (<u64>v0 | (<u64>v1 << n0)) << count
    count += n0 + load<u32>(b, EMIT_BITS)
    store<u64>(out, buffer)
    out += <usize>(count >> 3)
    buffer >>= count & 56
    count &= 7
  }
  setBits(buffer, count, out)
}
