/**
 * Memory layout. Everything lives at fixed addresses of one linear memory of
 * 43 pages (2.75 MiB), so there is no allocator and every address folds into
 * the instruction that uses it.
 *
 *   0x00400  static tables, histograms, scratch of the Huffman builder
 *   0x08000  candidates of 2^10 positions           (levels 1-6)
 *   0x10000  hash table: 2^14 buckets of four u16   (levels 1-6)
 *            or 2^15 u16 chain heads                (levels 7-9)
 *   0x30000  table of 3-byte matches, 2^12 u16
 *   0x34000  chain links, 2^15 u16                  (levels 7-9)
 *   0x44000  token stream of the open block
 *   0x90000  dictionary (32 KiB), then the input block and zeroed slack
 *   0x1a0000 output
 */

/** Farthest distance a match may have. */
export const WINDOW: u32 = 32768
/** Longest input block the caller may give: 1 MiB + 1 KiB. */
export const MAX_INPUT: u32 = 0x100400

// Symbols are numbered in one space, so that one histogram and one code table
// serve both alphabets: 0..287 literals and lengths, 288..319 distances.
export const SYMBOLS: usize = 320
export const DIST_BASE: usize = 288
/** Bytes of a table with one u32 for every symbol. */
export const SYMBOL_TABLE: usize = SYMBOLS * 4

// --- static tables, filled once by tables.ts ---
/** u32 per length 0..258: the finished length token. */
export const LENGTH_TOKEN: usize = 0x400
/** u8 per symbol: number of extra bits. */
export const EXTRA_BITS: usize = 0x900
/**
 * u32 * 512: the distance token less the distance as its extra bits; one for
 * each distance up to 256, then one for each 128, as zlib has it.
 */
export const DIST_TOKEN: usize = 0x7000
/** u16 * 256: round(256 * log2(1 + i / 256)). */
export const LOG_TABLE: usize = 0xd00

// --- per block ---
/** u32 per symbol: histogram of the open block. */
export const FREQ: usize = 0x1000
/** u32 per symbol: histogram of the newest chunk of tokens. */
export const CHUNK_FREQ: usize = 0x1800
/** Second half of the chunk histogram while it is being counted. */
export const CHUNK_FREQ_B: usize = 0x2000
/** u8 per symbol: code lengths. */
export const CODE_LEN: usize = 0x2800
/** u32 per symbol: see makeCodes() in huffman.ts. */
export const CODE: usize = 0x3000
/** The code-length alphabet: histogram, lengths, codes (19 symbols). */
export const PRE_FREQ: usize = 0x3800
export const PRE_LEN: usize = 0x3880
export const PRE_CODE: usize = 0x3900
/** u16 each: run-length coded code lengths. */
export const RUNS: usize = 0x3a00
/** Both alphabets' code lengths back to back, the input of that coding. */
export const ALL_LENS: usize = 0x3d00
/** Scratch of the Huffman builder. */
export const SORTED: usize = 0x4000
export const NODES: usize = 0x4800
export const COUNTS: usize = 0x5000
/** u32 per symbol each: code, 2^length of it, bits with the extra ones. */
export const EMIT_CODE: usize = 0x5800
export const EMIT_SCALE: usize = 0x6000
export const EMIT_BITS: usize = 0x6800

// --- match finders ---
export const AHEAD: usize = 0x8000
export const AHEAD_LOG: usize = 10
export const BUCKETS: usize = 0x10000
export const BUCKET_LOG: u32 = 14
export const HEADS: usize = 0x10000
export const HEAD_LOG: u32 = 15
export const HASH3: usize = 0x30000
export const HASH3_LOG: u32 = 12
export const LINKS: usize = 0x34000

// --- streams ---
/** u32 tokens. The last 4096 are room for the tail of a chunk. */
export const TOKENS: usize = 0x44000
export const MAX_TOKENS: usize = 0x12000
export const INPUT: usize = 0x90000
export const BASE: usize = INPUT + WINDOW
/**
 * Bytes zeroed after the input: finders compare 16 or 32 bytes at positions
 * before the end and go on in steps of 16 up to 258 bytes.
 */
export const SLACK: usize = 320
/** 0x101000 bytes and slack remain up to 0x2b0000: see index.ts for the bound. */
export const OUTPUT: usize = 0x1a0000
