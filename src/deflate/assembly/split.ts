/**
 * Block splitting: a chunk of tokens that differs from the open block starts
 * a block of its own when the entropy saved pays for another block header.
 */
import { CHUNK_FREQ, DIST_BASE, FREQ, LOG_TABLE, SYMBOLS } from './memory'

/** About the size of a dynamic block's header, in bits. */
const HEADER_COST: i64 = 800

/** 256 * log2(v), v > 0, rounded down to 8 significant bits of v. */
// @ts-ignore: decorator
@inline function log2(v: u32): u32 {
  const k: u32 = 31 - clz(v)
  const m = k >= 8 ? v >> (k - 8) : v << (8 - k)
  return (k << 8) + <u32>load<u16>((m & 255) << 1, LOG_TABLE)
}

/** v * log2(v), with 8 fractional bits. */
// @ts-ignore: decorator
@inline function weight(v: u32): i64 { return <i64>v * log2(v) }

/** Bits (with 8 fractional ones) that one alphabet's symbols lose when merged. */
function mergeLoss(first: usize, last: usize): i64 {
  let loss: i64 = 0
  let block: u32 = 0, chunk: u32 = 0
  for (let i = first << 2; i < last << 2; i += 4) {
    const a = load<u32>(i, FREQ)
    const b = load<u32>(i, CHUNK_FREQ)
    block += a
    chunk += b
    // A symbol seen on one side only weighs the same in both cases.
    if (a != 0 && b != 0) loss += weight(a) + weight(b) - weight(a + b)
  }
  if (block != 0 && chunk != 0) loss += weight(block + chunk) - weight(block) - weight(chunk)
  return loss
}

/** Whether the newest chunk should not join the open block. */
export function chunkDiffers(): bool {
  return mergeLoss(0, DIST_BASE) + mergeLoss(DIST_BASE, SYMBOLS) > HEADER_COST << 8
}
