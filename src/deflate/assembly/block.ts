/** Writes one deflate block in the cheapest of the three forms. */
import {
  ALL_LENS, CODE, CODE_LEN, DIST_BASE, EXTRA_BITS, FREQ, PRE_CODE, PRE_FREQ, PRE_LEN, RUNS
} from './memory'
import { makeCodes, makeLengths } from './huffman'
import { putBits, putStored, storedCost } from './bits'
import { emitTokens } from './tokens'

const LITERALS: u32 = 286
const DISTANCES: u32 = 30
const PRE_SYMBOLS: u32 = 19
/** Code-length symbols: copy the last length, short and long runs of zeros. */
const COPY: u32 = 16
const ZEROS: u32 = 17
const MANY_ZEROS: u32 = 18

/** Bit counts of the entries written by runLengths(). */
// @ts-ignore: decorator
@inline function preExtra(symbol: u32): u32 {
  return symbol == COPY ? 2 : symbol == ZEROS ? 3 : symbol == MANY_ZEROS ? 7 : 0
}

/** The i-th symbol in the order of the header: 16 17 18 0 8 7 9 6 10 5 ... */
function preOrder(i: u32): u32 {
  if (i < 3) return 16 + i
  if (i == 3) return 0
  return i & 1 ? 7 - ((i - 5) >> 1) : 8 + ((i - 4) >> 1)
}

let runCount: u32 = 0

function putRun(symbol: u32, extra: u32): void {
  store<u16>(RUNS + (runCount++ << 1), <u16>(symbol | (extra << 5)))
  const f = PRE_FREQ + (symbol << 2)
  store<u32>(f, load<u32>(f) + 1)
}

/** Run-length codes the `total` code lengths at ALL_LENS into RUNS. */
function runLengths(total: u32): void {
  memory.fill(PRE_FREQ, 0, PRE_SYMBOLS << 2)
  runCount = 0
  for (let i: u32 = 0; i < total;) {
    const l = <u32>load<u8>(ALL_LENS + i)
    let n: u32 = 1
    while (i + n < total && <u32>load<u8>(ALL_LENS + i + n) == l) n++
    i += n
    if (l == 0) {
      while (n >= 11) {
        const k: u32 = n > 138 ? 138 : n
        putRun(MANY_ZEROS, k - 11)
        n -= k
      }
      if (n >= 3) {
        putRun(ZEROS, n - 3)
        n = 0
      }
    } else {
      putRun(l, 0)
      n--
      while (n >= 3) {
        const k: u32 = n > 6 ? 6 : n
        putRun(COPY, k - 3)
        n -= k
      }
    }
    for (; n > 0; n--) putRun(l, 0)
  }
}

/** Code lengths of the fixed block type. */
// @ts-ignore: decorator
@inline function fixedLength(symbol: u32): u32 {
  return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8
}

/** Number of codes to send: the last one used, at least `least`. */
function usedCodes(lens: usize, n: u32, least: u32): u32 {
  while (n > least && load<u8>(lens + n - 1) == 0) n--
  return n
}

/**
 * Writes the tokens as one block, none the last. They stand for the `length`
 * bytes at `from`, and FREQ counts them.
 */
export function writeBlock(from: usize, length: u32): void {
  if (length == 0) return
  store<u32>(FREQ + (256 << 2), 1)
  makeLengths(FREQ, LITERALS, 15, CODE_LEN)
  makeLengths(FREQ + (DIST_BASE << 2), DISTANCES, 15, CODE_LEN + DIST_BASE)
  const literals = usedCodes(CODE_LEN, LITERALS, 257)
  const distances = usedCodes(CODE_LEN + DIST_BASE, DISTANCES, 1)
  memory.copy(ALL_LENS, CODE_LEN, literals)
  memory.copy(ALL_LENS + literals, CODE_LEN + DIST_BASE, distances)
  runLengths(literals + distances)
  makeLengths(PRE_FREQ, PRE_SYMBOLS, 7, PRE_LEN)
  let preCodes = PRE_SYMBOLS
  while (preCodes > 4 && load<u8>(PRE_LEN + preOrder(preCodes - 1)) == 0) preCodes--

  let dynamic: u64 = 17 + 3 * preCodes
  let fixed: u64 = 3
  for (let s: u32 = 0; s < PRE_SYMBOLS; s++) {
    dynamic += <u64>load<u32>(PRE_FREQ + (s << 2)) * (<u32>load<u8>(PRE_LEN + s) + preExtra(s))
  }
  for (let s: u32 = 0; s < <u32>DIST_BASE + DISTANCES; s++) {
    const f = <u64>load<u32>(FREQ + (s << 2))
    if (f == 0) continue
    const extra = <u32>load<u8>(EXTRA_BITS + s)
    dynamic += f * (<u32>load<u8>(CODE_LEN + s) + extra)
    fixed += f * ((s < <u32>DIST_BASE ? fixedLength(s) : 5) + extra)
  }
  const stored = storedCost(length)
  if (stored <= dynamic && stored <= fixed) {
    putStored(from, length)
    return
  }
  if (fixed <= dynamic) {
    for (let s: u32 = 0; s < 288; s++) store<u8>(CODE_LEN + s, <u8>fixedLength(s))
    memory.fill(CODE_LEN + DIST_BASE, 5, 32)
    putBits(2, 3)
    makeCodes(CODE_LEN, 288, EXTRA_BITS, CODE)
    makeCodes(CODE_LEN + DIST_BASE, 32, EXTRA_BITS + DIST_BASE, CODE + (DIST_BASE << 2))
  } else {
    putBits(4, 3)
    putBits((literals - 257) | ((distances - 1) << 5) | ((preCodes - 4) << 10), 14)
    writeLengths(preCodes)
    makeCodes(CODE_LEN, LITERALS, EXTRA_BITS, CODE)
    makeCodes(CODE_LEN + DIST_BASE, DISTANCES, EXTRA_BITS + DIST_BASE, CODE + (DIST_BASE << 2))
  }
  emitTokens()
}

/** The code lengths of a dynamic block, themselves Huffman coded. */
function writeLengths(preCodes: u32): void {
  for (let i: u32 = 0; i < preCodes; i++) putBits(load<u8>(PRE_LEN + preOrder(i)), 3)
  makeCodes(PRE_LEN, PRE_SYMBOLS, 0, PRE_CODE)
  for (let i: u32 = 0; i < runCount; i++) {
    const run = <u32>load<u16>(RUNS + (i << 1))
    const symbol = run & 31
    const code = load<u32>(PRE_CODE + (symbol << 2))
    const n = code >> 24
    putBits((code & 0xffff) | ((run >> 5) << n), n + preExtra(symbol))
  }
}
