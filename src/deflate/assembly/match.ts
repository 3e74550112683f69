/**
 * What both match finders share. A match is one u32 that compares as matches
 * do, longer first, then nearer:
 *
 *     length << 16 | (65536 - distance)
 *
 * so 0 is no match, and `distance` is 1..32768.
 */

/** The least match of the given length: smaller ones are shorter. */
// @ts-ignore: decorator
@inline export function atLeast(length: u32): u32 { return length << 16 }
// @ts-ignore: decorator
@inline export function lengthOf(match: u32): u32 { return match >> 16 }
// @ts-ignore: decorator
@inline export function distanceOf(match: u32): u32 { return 0x10000 - (match & 0xffff) }
// @ts-ignore: decorator
@inline export function better(a: u32, b: u32): u32 { return select<u32>(a, b, a > b) }
// @ts-ignore: decorator
@inline export function hash(v: u32, log: u32): u32 { return (v * 0x9e3779b1) >>> (32 - log) }

/** Length of the common run at p and q, of which `n` bytes are known; at most 258. */
// @ts-ignore: decorator
@inline export function extendTo(p: usize, q: usize, n: u32): u32 {
  while (n < 258) {
    const same = i8x16.bitmask(i8x16.eq(v128.load(p + n), v128.load(q + n)))
    if (same != 0xffff) {
      n += <u32>ctz(~same)
      break
    }
    n += 16
  }
  return n > 258 ? 258 : n
}

/**
 * Whether `b`, one position later than `a`, is worth a literal: a length
 * gained counts like two doublings of the distance.
 */
// @ts-ignore: decorator
@inline export function worthWaiting(a: u32, b: u32): bool {
  const lengths = <i32>lengthOf(b) - <i32>lengthOf(a)
  const distances = <i32>clz(distanceOf(b)) - <i32>clz(distanceOf(a))
  return 4 * lengths + distances > 2
}
