/**
 * The fast parser (levels 1 to 6): greedy, or lazy while the match is short,
 * over hash buckets of the four newest positions, of which levels 1 and 2 look
 * at two.
 *
 * A bucket is one u64 of four u16 positions, newest lowest, so an insertion is
 * a load, a shift and a store, and there are no chains to follow. All four
 * candidates are compared, 16 bytes each, and the best is the largest packed
 * match: no branch there depends on the data, which is what makes it fast.
 * Positions are kept modulo 2^16; a candidate is checked by its own bytes, so
 * a wrong one can only be too far away. Those are told in all four at once,
 * and the byte before takes their place: it is always a candidate.
 */
import { BASE, BUCKET_LOG, BUCKETS, HASH3, HASH3_LOG, LINKS } from './memory'
import { atLeast, better, distanceOf, extendTo, hash, lengthOf, worthWaiting } from './match'
import { writeLiteral, writeMatch } from './tokens'

/** A match of 3 bytes farther away costs more than three literals. */
const MAX_DISTANCE_3: u32 = 4096
/** In literal runs the parser takes at most this many bytes unseen. */
const MAX_SKIP: u32 = 32

/** Matches shorter than this wait for a better one at the next position. */
let lazyLength: u32 = 0
/** A match this long ends the choice between candidates. */
let niceLength: u32 = 0
/** A run of literals skips (length >> skipShift) bytes at a time. */
let skipShift: u32 = 0
/** In matches this long only every second position is inserted. */
let sparseLength: u32 = 0

/** Where the parser stands: in the input and in the token stream. */
export let fastPos: usize = BASE
export let fastToken: usize = 0

export function fastSetup(lazy: u32, nice: u32, skip: u32, sparse: u32): void {
  lazyLength = lazy
  niceLength = nice
  skipShift = skip
  sparseLength = sparse
}

/** Clears the tables and inserts the dictionary, `start` up to BASE. */
export function fastStart(start: usize): void {
  // A position that is too far from the next 32 KiB, and inside the data
  // for all after them: an empty place needs no test of its own.
  const far = i16x8.splat(<i16>(start + 32767))
  for (let i: usize = BUCKETS; i < LINKS; i += 16) v128.store(i, far)
  // No byte before the first one, which would seem to repeat it.
  if (start == BASE) store<u8>(BASE - 1, ~load<u8>(BASE))
  fastPos = BASE
  // Every second position: it is set up anew for each input, and serves only the first 32 KiB.
  insertSparse(start, BASE)
}

// @ts-ignore: decorator
@inline function bucket(v: u32): usize { return <usize>hash(v, BUCKET_LOG) << 3 }

// @ts-ignore: decorator
@inline function insertOne(v: u32, pos: u32): void {
  const b = bucket(v)
  store<u64>(b, (load<u64>(b, BUCKETS) << 16) | <u64>(pos & 0xffff), BUCKETS)
}

// One position a step: most matches are short, and where a loop of several
// steps ends is guessed wrong more often.
function insert(from: usize, to: usize): void {
  for (let p = from; p < to; p++) insertOne(load<u32>(p), <u32>p)
}

function insertSparse(from: usize, to: usize): void {
  for (let p = from; p < to; p += 2) insertOne(load<u32>(p), <u32>p)
}

/** The match with the candidate `near` places after p - 65536, of up to 16 bytes. */
// @ts-ignore: decorator
@inline function compare(p: usize, near: u32, here: v128): u32 {
  const same = i8x16.bitmask(i8x16.eq(v128.load(p - 0x10000 + near), here))
  return (<u32>ctz(same + 1) << 16) | near
}

/** The best match at p, which is inserted: of two candidates if `quick`, with one of 3 bytes if `three`. */
// @ts-ignore: decorator
@inline function find(p: usize, quick: bool, three: bool): u32 {
  const v = load<u32>(p)
  const here = v128.load(p)
  const b = bucket(v)
  const four = load<u64>(b, BUCKETS)
  const pos = i16x8.splat(<i16>p)
  // 65536 - distance of each; those beyond 32768 become 65535.
  const near = i16x8.min_s(i16x8.sub(v128.load_zero<u64>(b, BUCKETS), pos), i16x8.splat(-1))
  store<u64>(b, (four << 16) | <u64>(<u32>p & 0xffff), BUCKETS)
  const m0 = compare(p, i16x8.extract_lane_u(near, 0), here)
  const m1 = compare(p, i16x8.extract_lane_u(near, 1), here)
  const m2: u32 = quick ? 0 : compare(p, i16x8.extract_lane_u(near, 2), here)
  const m3: u32 = quick ? 0 : compare(p, i16x8.extract_lane_u(near, 3), here)
  let best = quick ? better(m0, m1) : better(better(m0, m1), better(m2, m3))
  if (!quick) {
    // The newest position with the same 3 bytes.
    const h = <usize>hash(v << 8, HASH3_LOG) << 1
    if (three) {
      const near3 = (<u32>load<u16>(h, HASH3) - <u32>p) & 0xffff
      const differs: u32 = (load<u32>(p - 0x10000 + near3) ^ v) << 8
      const ok = <u32>(differs == 0) & <u32>(near3 >= 0x10000 - MAX_DISTANCE_3)
      best = better(best, select<u32>(atLeast(3) | near3, 0, ok))
    }
    store<u16>(h, <u16>p, HASH3)
  }
  if (best >= atLeast(16)) best = extend(p, m0, m1, m2, m3)
  return best
}

/** The best of the candidates that agree in all 16 bytes compared. */
function extend(p: usize, m0: u32, m1: u32, m2: u32, m3: u32): u32 {
  let best: u32 = 0
  for (let i = 0; i < 4; i++) {
    const m = m0
    m0 = m1
    m1 = m2
    m2 = m3
    if (m < atLeast(16)) continue
    const n = extendTo(p, p - distanceOf(m), 16)
    best = better(best, atLeast(n) | (m & 0xffff))
    if (n >= niceLength) break
  }
  return best
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
  const hashEnd = end - 8 // as in compress()
  const lazy = atLeast(lazyLength), patience: usize = 1 << skipShift
  let p = fastPos, t = token
  // From here on a run of literals skips.
  let skipFrom = p + patience
  while (p < stop && t < tokenStop) {
    // A token stands for a byte or more, so one bound in the input is enough for a while.
    const bound = min(stop, p + ((tokenStop - t) >> 2) + 16)
    while (p < bound) {
      let match = find(p, quick, true)
      if (match < atLeast(3)) {
        writeLiteral(t, p)
        t += 4
        p++
        if (p >= skipFrom) {
          const more = <u32>(p - skipFrom + patience) >> skipShift
          const to = min(stop, p + min(more, MAX_SKIP))
          for (; p < to; p++, t += 4) writeLiteral(t, p)
        }
        continue
      }
      let inserted = p + 1
      while (match < lazy) {
        const next = find(p + 1, quick, false)
        inserted = p + 2
        // Past hashEnd a literal could be followed by a match of nothing.
        if (next <= match || !worthWaiting(match, next) || p + 1 >= hashEnd) break
        writeLiteral(t, p)
        t += 4
        p++
        match = next
      }
      const length = min(lengthOf(match), <u32>(end - p))
      writeMatch(t, length, match)
      t += 8
      p += length
      skipFrom = p + patience
      if (length < sparseLength) insert(inserted, p)
      else insertSparse(inserted, p)
    }
  }
  fastPos = p
  fastToken = t
}
