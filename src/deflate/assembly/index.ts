/**
 * A raw deflate encoder (RFC 1951) for one block of input at a time.
 *
 * The caller puts up to 32 KiB of preceding data right before
 * inputPtr() + 32768 and the input right after it, and calls deflate(). The
 * blocks written end in an empty stored block (zlib's Z_SYNC_FLUSH), so the
 * results of consecutive inputs concatenate. The same input, dictionary and
 * level give the same bytes always: all arithmetic is in integers, and no call
 * reads what an earlier one has left.
 *
 * Bound: the result is at most inLen + 5 * ceil(inLen / 65535) + 5 bytes, as
 * anything longer is replaced by stored blocks. Until then every block takes
 * at most its bytes, 5 more per 65535 of them and one for the padding; a block
 * other than the last has at least 4096 tokens of one byte or more, or 64 KiB.
 * So for 0x100400 bytes less than 0x100400 + 6 * 514 + 5 * 17 + 8 < 0x101400
 * bytes are ever written, of 0x110000 that lie between OUTPUT and the end.
 */
import { BASE, FREQ, INPUT, MAX_INPUT, MAX_TOKENS, OUTPUT, SLACK, SYMBOL_TABLE, TOKENS, WINDOW } from './memory'
import { fillTables } from './tables'
import { outPos, putStored, setBits } from './bits'
import { countChunk, mergeChunk, setTokenEnd, writeLiteral } from './tokens'
import { chunkDiffers } from './split'
import { writeBlock } from './block'
import { fastParse, quickParse, fastPos, fastSetup, fastStart, fastToken } from './fast'
import { deepParse, deepPos, deepSetup, deepStart, deepToken } from './deep'

fillTables()

export const DEFAULT_LEVEL: u32 = 5

/** A chunk ends at this many bytes of tokens or bytes of input. */
const CHUNK_TOKENS: usize = 4096 * 4
const CHUNK_BYTES: usize = 0x10000
/** A block ends at this many bytes of input. */
const BLOCK_BYTES: usize = 0x60000
/**
 * The open block may grow to this: one more chunk then fits, with the 16
 * tokens and the tail of at most 32 skipped bytes, 8 last ones, or one match
 * with its literals. Of those there are at most three in the fast parser, and
 * less than 355 in the deep one, where each raises
 * 4 * length + clz(distance), which is at most 1063, by 3 or more: see
 * worthWaiting(). Four tokens beyond the last may be overwritten.
 */
const BLOCK_TOKENS: usize = MAX_TOKENS * 4 - 0x8000

export function inputPtr(): usize { return INPUT }
export function outputPtr(): usize { return OUTPUT }
/** The same under the prototype's names. */
export function inPtr(): usize { return INPUT }
export function outPtr(): usize { return OUTPUT }

/** The parsers: see fast.ts for the first two, and deep.ts. */
const QUICK: u32 = 0
const FAST: u32 = 1
const DEEP: u32 = 2

/** Sets the level's parameters; returns its parser. */
function setLevel(level: u32): u32 {
  switch (level) {
    //                nice skip careful
    case 1: fastSetup(  0,   5, false); return QUICK
    case 2: fastSetup( 32,   6, false); return QUICK
    case 3: fastSetup(  0,   7, false); return FAST
    case 4: fastSetup( 32,   7, false); return FAST
    case 6: fastSetup(258,  12, true); return FAST
    //               depth lazy nice
    case 7: deepSetup(  8,  32,  64); return DEEP
    case 8: deepSetup( 24,  64, 128); return DEEP
    case 9: deepSetup(128, 258, 258); return DEEP
    default: fastSetup(128, 8, false); return FAST
  }
}

/** Compresses; returns the length of the result at outputPtr(). Level 0 is the default one. */
export function deflate(inLen: u32, dictLen: u32, level: u32): u32 {
  if (inLen > MAX_INPUT || dictLen > WINDOW) return 0
  const end = BASE + inLen
  const start = BASE - dictLen
  memory.fill(end, 0, SLACK)
  setBits(0, 0, OUTPUT)
  if (inLen > 0) compress(start, end, setLevel(level))
  const most = inLen + 5 * ((inLen + 65534) / 65535)
  if (outPos > OUTPUT + most) {
    setBits(0, 0, OUTPUT)
    putStored(BASE, inLen)
  }
  putStored(BASE, 0)
  return <u32>(outPos - OUTPUT)
}

function compress(start: usize, end: usize, parser: u32): void {
  const hashEnd = end - BASE > 8 ? end - 8 : BASE
  if (parser == DEEP) deepStart(start, hashEnd)
  else fastStart(start)
  memory.fill(FREQ, 0, SYMBOL_TABLE)
  let blockStart: usize = BASE
  let pos: usize = BASE
  let token: usize = TOKENS
  do {
    // One more chunk of tokens.
    const chunkStart = pos
    const chunkToken = token
    const stop = min(hashEnd, pos + CHUNK_BYTES)
    if (parser == DEEP) {
      deepParse(stop, end, token + CHUNK_TOKENS, token)
      pos = deepPos
      token = deepToken
    } else {
      if (parser == QUICK) quickParse(stop, end, token + CHUNK_TOKENS, token)
      else fastParse(stop, end, token + CHUNK_TOKENS, token)
      pos = fastPos
      token = fastToken
    }
    if (pos >= hashEnd) {
      for (; pos < end; pos++, token += 4) writeLiteral(token, pos)
    }
    setTokenEnd(token)
    countChunk(chunkToken)

    const full = token - TOKENS > BLOCK_TOKENS || pos - blockStart > BLOCK_BYTES
    if (chunkStart != blockStart && (full || chunkDiffers())) {
      // The block ends before the chunk, which moves to the front.
      const kept = load<u64>(chunkToken)
      setTokenEnd(chunkToken)
      writeBlock(blockStart, <u32>(chunkStart - blockStart))
      store<u64>(chunkToken, kept)
      memory.copy(TOKENS, chunkToken, token - chunkToken)
      token = TOKENS + (token - chunkToken)
      setTokenEnd(token)
      memory.fill(FREQ, 0, SYMBOL_TABLE)
      blockStart = chunkStart
    }
    mergeChunk()
  } while (pos < end)
  writeBlock(blockStart, <u32>(end - blockStart))
}
