/**
 * The fast parser (levels 1 to 6): three positions a step, each compared with
 * the newest positions that have its hash (see ahead.ts), and one token pair
 * at the most: the best match of the three, after literals.
 *
 * All candidates are compared, 16 bytes each, and the best is the largest
 * number: no branch there depends on the data. What the next step works on
 * is known only when this one ends, and the steps that the three searches
 * have in common are done side by side: that is what makes it fast.
 * A candidate is checked by its own bytes, so a wrong one can only be too far
 * away.
 */
import { BASE, HASH3, HASH3_LOG } from './memory'
import { atLeast, better, extendTo, hash, lengthOf } from './match'
import { aheadEnd, aheadStart, candidates, hasRoom, lookAhead, lookEight, setAheadEnd } from './ahead'
import { writeLiteral, writeLiterals, writeMatch } from './tokens'

/** A match of 3 bytes farther away costs more than three literals. */
const MAX_DISTANCE_3: u32 = 2048
/** In literal runs the parser takes at most this many bytes unseen. */
const MAX_SKIP: u32 = 32

/** A match this long ends the choice between those of 16 bytes or more; if 0, the nearest of them is taken. */
let niceLength: u32 = 0
/** A run of literals skips (length >> skipShift) bytes at a time. */
let skipShift: u32 = 0
/** Whether a match at the third position of a step waits for the next step, which looks beyond it. */
let careful: bool = false

/** Where the parser stands: in the input and in the token stream. */
export let fastPos: usize = BASE
export let fastToken: usize = 0

export function fastSetup(nice: u32, skip: u32, wait: bool): void {
  niceLength = nice
  skipShift = skip
  careful = wait
}

/** Clears the tables and inserts the dictionary, `start` up to BASE. */
export function fastStart(start: usize): void {
  aheadStart(start)
  // No byte before the first one, which would seem to repeat it.
  if (start == BASE) store<u8>(BASE - 1, ~load<u8>(BASE))
  fastPos = BASE
}

/*
 * A find is one i32 that compares as matches do, longer first, then nearer:
 *
 *     length << 24 | address << 2 | offset
 *
 * where the offset is that of the position among the step's three. Memory
 * ends below 2^22, and lengths are at most 32 here: see extend().
 */

// @ts-ignore: decorator
@inline function findOf(length: i32, address: u32): i32 { return (length << 24) + <i32>(address << 2) }
// @ts-ignore: decorator
@inline function addressOf(find: i32): u32 { return <u32>(find & 0xffffff) >> 2 }
// @ts-ignore: decorator
@inline function larger(a: i32, b: i32): i32 { return select<i32>(a, b, a > b) }

// @ts-ignore: decorator
@inline function equals(p: usize, other: v128): i32 { return i8x16.bitmask(i8x16.eq(v128.load(p), other)) }

// @ts-ignore: decorator
@inline function compare(q: u32, here: v128): i32 { return findOf(ctz(equals(q, here) + 1), q) }

/** The best match at p, of up to 16 bytes; of two candidates if `quick`, else one may be of 3 bytes. */
// @ts-ignore: decorator
@inline function find(p: usize, quick: bool): i32 {
  const here = v128.load(p)
  const q = candidates(p)
  const two = larger(compare(i32x4.extract_lane(q, 0), here), compare(i32x4.extract_lane(q, 1), here))
  if (quick) return two
  const four = larger(two, larger(compare(i32x4.extract_lane(q, 2), here), compare(i32x4.extract_lane(q, 3), here)))
  // The newest position searched with the same 3 bytes.
  const v = load<u32>(p)
  const h = <usize>hash(v << 8, HASH3_LOG) << 1
  const near = (<u32>load<u16>(h, HASH3) - <u32>p) & 0xffff
  store<u16>(h, <u16>p, HASH3)
  const q3 = p - 0x10000 + select<u32>(near, 0xffff, near >= 0x10000 - MAX_DISTANCE_3)
  return larger(four, select<i32>(0, findOf(3, q3), <i32>((load<u32>(q3) ^ v) << 8)))
}

/** As compare(), of 32 bytes. */
// @ts-ignore: decorator
@inline function compare32(q: u32, here: v128, next: v128): i32 {
  return findOf(ctz(~(equals(q, here) | (equals(q + 16, next) << 16))), q)
}

/** The best match at p, where `nearest` has 16 bytes or more; as match.ts has them. */
function extend(p: usize, nearest: usize): u32 {
  if (niceLength == 0) return matchOf(extendTo(p, nearest, 16), p, <u32>nearest)
  const here = v128.load(p), next = v128.load(p, 16)
  const q = candidates(p)
  const q0 = i32x4.extract_lane(q, 0), m0 = compare32(q0, here, next)
  const q1 = i32x4.extract_lane(q, 1), m1 = compare32(q1, here, next)
  const q2 = i32x4.extract_lane(q, 2), m2 = compare32(q2, here, next)
  const q3 = i32x4.extract_lane(q, 3), m3 = compare32(q3, here, next)
  const best = larger(larger(m0, m1), larger(m2, m3))
  if (best < findOf(32, 0)) return matchOf(best >> 24, p, addressOf(best))
  return longer(p, q3, m3, longer(p, q2, m2, longer(p, q1, m1, longer(p, q0, m0, 0))))
}

// @ts-ignore: decorator
@inline function matchOf(length: u32, p: usize, q: u32): u32 { return atLeast(length) | (0x10000 - (<u32>p - q)) }

// @ts-ignore: decorator
@inline function longer(p: usize, q: u32, m: i32, best: u32): u32 {
  if (m < findOf(32, 0) || lengthOf(best) >= niceLength) return best
  return better(best, matchOf(extendTo(p, q, 32), p, q))
}

/**
 * Parses from where it stands up to `stop` (at most hashEnd) or until the
 * token stream has reached `tokenStop`; `end` is the end of the input. Goes
 * past `tokenStop` by 16 tokens, and one match with its literals or one skip.
 */
export function fastParse(stop: usize, end: usize, tokenStop: usize, token: usize): void {
  parse(stop, end, tokenStop, token, false)
}

/** The same with two candidates, and without matches of 3 bytes. */
export function quickParse(stop: usize, end: usize, tokenStop: usize, token: usize): void {
  parse(stop, end, tokenStop, token, true)
}

// @ts-ignore: decorator
@inline function parse(stop: usize, end: usize, tokenStop: usize, token: usize, quick: bool): void {
  const patience = 1 << skipShift
  // Literals until a run of them skips.
  let left: i32 = patience
  let p = fastPos, t = token, ahead = aheadEnd
  let length: u32 = 0, match: u32 = 0
  while (p < stop && t < tokenStop) {
    // A token stands for a byte or more, so one bound in the input is enough for a while.
    const bound = min(stop, p + ((tokenStop - t) >> 2) + 16)
    while (p < bound) {
      if (p + 2 >= ahead) {
        setAheadEnd(ahead)
        lookAhead(p)
        ahead = aheadEnd
      }
      // A later one must be longer by what it has literals before it, and
      // nearer or longer still: so none beats a first one of all 16 bytes.
      const a = find(p, quick)
      const b = find(p + 1, quick) - (1 << 24) + 1
      const c = find(p + 2, quick) - (2 << 24) + 2
      const best = larger(larger(a, b), c)
      const before: usize = best & 3
      length = (best >> 24) + <u32>before
      const q = addressOf(best)
      if (hasRoom(p, ahead)) {
        lookEight(ahead)
        ahead += 8
      }
      writeLiterals(t, p)
      if (length < 3) {
        p += 3
        t += 12
        left -= 3
        if (left > 0) continue
        const to = min(stop, p + min(<u32>(patience - left) >> skipShift, MAX_SKIP))
        left -= <i32>(to - p)
        for (; p < to; p++, t += 4) writeLiteral(t, p)
        continue
      }
      p += before
      t += before << 2
      match = matchOf(0, p, q)
      if (length >= 16) {
        match = extend(p, q)
        length = lengthOf(match)
      } else if (careful && before == 2) continue
      writeMatch(t, length, match)
      p += length
      t += 8
      left = patience
    }
  }
  if (p > end) {
    // The last match began 6 bytes before the end, or more, and found zeros there.
    length -= <u32>(p - end)
    writeMatch(t - 8, length, match)
    p = end
  }
  setAheadEnd(ahead)
  fastPos = p
  fastToken = t
}
