/** Length-limited Huffman codes. */
import { COUNTS, NODES, SORTED } from './memory'

// @ts-ignore: decorator
@inline function get(table: usize, i: u32): u32 { return load<u32>(table + (i << 2)) }
// @ts-ignore: decorator
@inline function set(table: usize, i: u32, v: u32): void { store<u32>(table + (i << 2), v) }

/**
 * Code lengths (u8 at `lens`) of at most `limit` bits for the `n` symbols with
 * the frequencies at `freq`. At least two symbols get a code, as RFC 1951
 * readers differ about incomplete ones.
 */
export function makeLengths(freq: usize, n: u32, limit: u32, lens: usize): void {
  memory.fill(lens, 0, n)
  let used: u32 = 0
  for (let i: u32 = 0; i < n; i++) {
    const f = get(freq, i)
    if (f) set(SORTED, used++, (f << 9) | i)
  }
  for (let i: u32 = 0; used < 2; i++) {
    if (get(freq, i) == 0) set(SORTED, used++, (1 << 9) | i)
  }
  sort(used)
  for (let i: u32 = 0; i < used; i++) set(NODES, i, get(SORTED, i) >> 9)
  makeTree(used)
  countDepths(used, limit)
  let s: u32 = 0
  for (let l = limit; l > 0; l--) {
    for (let c = get(COUNTS, l); c > 0; c--) store<u8>(lens + (get(SORTED, s++) & 511), <u8>l)
  }
}

/** Shell sort, ascending; keys are distinct, so the order is unique. */
function sort(n: u32): void {
  let gap: u32 = 1
  while (gap < n / 3) gap = gap * 3 + 1
  for (; gap > 0; gap /= 3) {
    for (let i = gap; i < n; i++) {
      const x = get(SORTED, i)
      let j = i
      while (j >= gap && get(SORTED, j - gap) > x) {
        set(SORTED, j, get(SORTED, j - gap))
        j -= gap
      }
      set(SORTED, j, x)
    }
  }
}

/**
 * Moffat and Katajainen's in-place construction: ascending weights become
 * parent indices, then depths of the inner nodes (0 .. n - 2).
 */
function makeTree(n: u32): void {
  let root: u32 = 0, leaf: u32 = 0
  for (let next: u32 = 0; next < n - 1; next++) {
    let weight: u32 = 0
    for (let child = 0; child < 2; child++) {
      if (leaf >= n || (root < next && get(NODES, root) < get(NODES, leaf))) {
        weight += get(NODES, root)
        set(NODES, root++, next)
      } else weight += get(NODES, leaf++)
    }
    set(NODES, next, weight)
  }
  set(NODES, n - 2, 0)
  for (let i: i32 = <i32>n - 3; i >= 0; i--) set(NODES, i, get(NODES, get(NODES, i)) + 1)
}

/** COUNTS[l] = number of codes of length l, none above the limit. */
function countDepths(n: u32, limit: u32): void {
  memory.fill(COUNTS, 0, 64)
  let inner: i32 = <i32>n - 2
  let nodes: u32 = 1
  for (let depth: u32 = 0; nodes > 0; depth++) {
    let parents: u32 = 0
    while (inner >= 0 && get(NODES, inner) == depth) {
      parents++
      inner--
    }
    const l = depth > limit ? limit : depth
    set(COUNTS, l, get(COUNTS, l) + nodes - parents)
    nodes = 2 * parents
  }
  // Codes cut to the limit overfill the tree: take one code of the full
  // length away and split a shorter one, until it fits.
  let total: u32 = 0
  for (let l: u32 = 1; l <= limit; l++) total += get(COUNTS, l) << (limit - l)
  for (; total > 1 << limit; total--) {
    let l = limit - 1
    while (get(COUNTS, l) == 0) l--
    set(COUNTS, l, get(COUNTS, l) - 1)
    set(COUNTS, l + 1, get(COUNTS, l + 1) + 2)
    set(COUNTS, limit, get(COUNTS, limit) - 1)
  }
}

function reverse(code: u32, n: u32): u32 {
  let r: u32 = 0
  for (; n > 0; n--) {
    r = (r << 1) | (code & 1)
    code >>= 1
  }
  return r
}

/**
 * Canonical codes for emission, u32 each: bit-reversed code, code length << 16,
 * code length plus extra bits << 24. `extra` has the symbols' extra bits.
 */
export function makeCodes(lens: usize, n: u32, extra: usize, codes: usize): void {
  memory.fill(COUNTS, 0, 64)
  for (let i: u32 = 0; i < n; i++) {
    const l = <u32>load<u8>(lens + i)
    set(COUNTS, l, get(COUNTS, l) + 1)
  }
  set(COUNTS, 0, 0)
  let next: u32 = 0
  for (let l: u32 = 0; l < 16; l++) {
    const count = get(COUNTS, l)
    set(COUNTS, l, next)
    next = (next + count) << 1
  }
  for (let i: u32 = 0; i < n; i++) {
    const l = <u32>load<u8>(lens + i)
    if (l == 0) {
      set(codes, i, 0)
      continue
    }
    const code = get(COUNTS, l)
    set(COUNTS, l, code + 1)
    const all = l + (extra ? <u32>load<u8>(extra + i) : 0)
    set(codes, i, reverse(code, l) | (l << 16) | (all << 24))
  }
}
