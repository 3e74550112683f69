/**
 * Looks positions up before the fast parser comes to them.
 *
 * A bucket is one u64 of four u16 positions modulo 2^16, newest lowest, so an
 * insertion is a load, a shift and a store. Every position is inserted, and
 * what its bucket held before, its candidates, is kept in a ring. So hashing
 * and the table wait for nothing that the parser decides: they fill the gaps
 * in which it waits for itself.
 */
import { AHEAD, AHEAD_LOG, BASE, BUCKET_LOG, BUCKETS, LINKS } from './memory'
import { hash } from './match'

/** As many positions as the parser may be looked ahead of, about. */
const MOST: usize = 512
/** Positions that are looked up at once, when the parser has come too near. */
const MANY: usize = 256

/** The first position that is not looked up yet; a multiple of 8. */
export let aheadEnd: usize = BASE
export function setAheadEnd(end: usize): void { aheadEnd = end }

/** Clears the tables and inserts the dictionary, `start` up to BASE. */
export function aheadStart(start: usize): void {
  // A position that is too far from the next 32 KiB, and inside the data
  // for all after them: an empty place needs no test of its own.
  const far = i16x8.splat(<i16>(start + 32767))
  for (let i: usize = BUCKETS; i < LINKS; i += 16) v128.store(i, far)
  // Every second position: it is set up anew for each input, and serves only the first 32 KiB.
  for (let p = start; p < BASE; p += 2) insert(load<u32>(p), <u32>p)
  aheadEnd = BASE
}

// @ts-ignore: decorator
@inline function bucket(v: u32): usize { return <usize>hash(v, BUCKET_LOG) << 3 }

function insert(v: u32, pos: u32): void {
  const b = bucket(v)
  store<u64>(b, (load<u64>(b, BUCKETS) << 16) | <u64>(pos & 0xffff), BUCKETS)
}

// @ts-ignore: decorator
@inline function place(p: usize): usize { return (p & ((1 << AHEAD_LOG) - 1)) << 3 }

/** `pos` and `at` are of the first of eight positions, whose last 16 bits do not wrap. */
// @ts-ignore: decorator
@inline function look(q: usize, pos: u64, at: usize, i: usize): void {
  const b = bucket(load<u32>(q + i))
  const four = load<u64>(b, BUCKETS)
  store<u64>(at + (i << 3), four, AHEAD)
  store<u64>(b, (four << 16) + pos + i, BUCKETS)
}

/** Looks the eight positions from `q` up. */
// @ts-ignore: decorator
@inline export function lookEight(q: usize): void {
  const pos = <u64>(q & 0xffff)
  const at = place(q)
  look(q, pos, at, 0)
  look(q, pos, at, 1)
  look(q, pos, at, 2)
  look(q, pos, at, 3)
  look(q, pos, at, 4)
  look(q, pos, at, 5)
  look(q, pos, at, 6)
  look(q, pos, at, 7)
}

/** Whether there is room for eight more than `end`, with the parser at `p`. */
// @ts-ignore: decorator
@inline export function hasRoom(p: usize, end: usize): bool { return end < p + MOST }

/** Looks positions up until there are enough beyond `p`. */
export function lookAhead(p: usize): void {
  let q = aheadEnd
  do {
    const to = q + MANY
    for (; q < to; q += 8) lookEight(q)
  } while (p + 64 >= q)
  aheadEnd = q
}

/**
 * Addresses of the candidates at `p`, nearest first. Of those that are too
 * far away the byte before takes the place: it is always a candidate.
 */
// @ts-ignore: decorator
@inline export function candidates(p: usize): v128 {
  const four = v128.load_zero<u64>(place(p), AHEAD)
  const near = i16x8.min_s(i16x8.sub(four, i16x8.splat(<i16>p)), i16x8.splat(-1))
  return i32x4.add(i32x4.extend_low_i16x8_s(near), i32x4.splat(<i32>p))
}
