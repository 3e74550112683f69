/**
 * Where a layer's tar is cut into blocks (design, Blocks; part of format version 1, since the cuts decide the bytes).
 * The bytes and names alone decide, never cores or timing.
 */

import { sha256Bytes } from '../content/hash.ts'

export interface BlockLimits {
  /** From this many bytes on a cut may fall before a unit whose path says so. */
  readonly minBytes: number
  /** No block is longer. */
  readonly maxBytes: number
}

/** gzip and plain tar: 256 KiB and 1 MiB. */
export const standardLimits: BlockLimits = { minBytes: 256 * 1024, maxBytes: 1024 * 1024 }

/** zstd: each block is a frame of its own, so they are four times as long. */
export const zstdLimits: BlockLimits = { minBytes: 1024 * 1024, maxBytes: 4 * 1024 * 1024 }

/** One path in so many may begin a block once the block has its least length. */
const cutModulus = 16

/**
 * Whether a cut falls before a unit (an entry's headers, content and padding).
 * `filled` is the bytes since the last cut, `unitBytes` the unit's length, `imagePath` absolute; undefined for
 * the end-of-archive records, which only the length can move.
 */
export function cutsBefore(
  limits: BlockLimits,
  filled: number,
  unitBytes: number,
  imagePath: string | undefined,
): boolean {
  if (filled === 0) return false
  if (filled + unitBytes > limits.maxBytes) return true
  return (
    filled >= limits.minBytes &&
    imagePath !== undefined &&
    (sha256Bytes(imagePath)[0] ?? 0) % cutModulus === 0
  )
}
