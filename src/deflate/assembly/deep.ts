/**
 * The deep parser (levels 7 to 9): lazy, over hash chains. Slower, smaller.
 * Positions are modulo 2^16, as in fast.ts.
 */
import { BASE, HASH3, HASH3_LOG, HEAD_LOG, HEADS, LINKS } from './memory'
import { atLeast, distanceOf, extendTo, hash, lengthOf, worthWaiting } from './match'
import { writeLiteral, writeMatch } from './tokens'

const MAX_DISTANCE_3: u32 = 8192

/** Most candidates tried at one position. */
let maxDepth: u32 = 0
/** Matches shorter than this wait for a better one at the next position. */
let lazyLength: u32 = 0
/** A match this long ends the search. */
let niceLength: u32 = 0

let hashEnd: usize = 0
export let deepPos: usize = BASE
export let deepToken: usize = 0

export function deepSetup(depth: u32, lazy: u32, nice: u32): void {
  maxDepth = depth
  lazyLength = lazy
  niceLength = nice
}

/** Clears the tables and inserts the dictionary, `start` up to BASE. */
export function deepStart(start: usize, lastHash: usize): void {
  // See fastStart(). The links need no clearing: a chain enters them only
  // at positions inserted in this call.
  const far = i16x8.splat(<i16>(start + 32767))
  for (let i: usize = HEADS; i < LINKS; i += 16) v128.store(i, far)
  hashEnd = lastHash
  deepPos = BASE
  insert(start, BASE)
}

/** Inserts the position and returns the one before it in its chain. */
// @ts-ignore: decorator
@inline function insertOne(v: u32, pos: u32): u32 {
  const h = <usize>hash(v, HEAD_LOG) << 1
  const older = load<u16>(h, HEADS)
  store<u16>(h, <u16>pos, HEADS)
  store<u16>(<usize>(pos & 32767) << 1, older, LINKS)
  return older
}

function insert(from: usize, to: usize): void {
  for (let p = from; p < to; p++) insertOne(load<u32>(p), <u32>p)
}

/** The best match at p above `least`, else 0; p is inserted. */
function find(p: usize, least: u32, depth: u32): u32 {
  const pos = <u32>p
  const w = load<u64>(p)
  const v = <u32>w
  let best = least
  const h = <usize>hash(v << 8, HASH3_LOG) << 1
  const near = (pos - 1 - <u32>load<u16>(h, HASH3)) & 0xffff
  store<u16>(h, <u16>pos, HASH3)
  if (best < atLeast(3) && near < MAX_DISTANCE_3 && (load<u32>(p - 1 - near) ^ v) << 8 == 0) {
    best = (atLeast(3) | 0xffff) - near
  }
  let back = (pos - 1 - insertOne(v, pos)) & 0xffff // distance - 1
  let older: u32 = 0
  for (; back < 32768; depth--) {
    const q = p - 1 - back
    const x = load<u64>(q) ^ w
    if (x != 0) {
      const match = ((<u32>(ctz(x) >> 3) << 16) | 0xffff) - back
      best = select<u32>(match, best, (match > best) & (<u32>x == 0))
    } else {
      const match = (atLeast(extendTo(p, q, 8)) | 0xffff) - back
      if (match > best) {
        best = match
        if (lengthOf(match) >= niceLength) break
      }
    }
    if (depth <= 1) break
    older = (pos - 1 - <u32>load<u16>(<usize>(<u32>q & 32767) << 1, LINKS)) & 0xffff
    // A link that does not lead further back has been overwritten.
    if (older <= back) break
    back = older
  }
  return best > least ? best : 0
}

/** As fastParse(). */
export function deepParse(stop: usize, end: usize, tokenStop: usize, token: usize): void {
  const lazy = atLeast(lazyLength)
  let p = deepPos, t = token
  while (p < stop && t < tokenStop) {
    let match = find(p, 0, maxDepth)
    if (match == 0) {
      writeLiteral(t, p)
      t += 4
      p++
      continue
    }
    let inserted = p + 1
    while (match < lazy && p + 1 < hashEnd) {
      // A match one shorter may do if it is much nearer.
      const next = find(p + 1, match - atLeast(1), maxDepth >> 1)
      inserted = p + 2
      if (next == 0 || !worthWaiting(match, next)) break
      writeLiteral(t, p)
      t += 4
      p++
      match = next
    }
    const length = min(lengthOf(match), <u32>(end - p))
    writeMatch(t, length, match)
    t += 8
    p += length
    insert(inserted, min(p, hashEnd))
  }
  deepPos = p
  deepToken = t
}
