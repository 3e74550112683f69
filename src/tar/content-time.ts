/** The time of a file made of its content (contract, Times). */

/** 1980-01-01T00:00:00Z and thirty years, in seconds: what every tool and file system can hold. */
const firstSecond = 315_532_800
const rangeSeconds = 946_771_200

/**
 * Seconds since the epoch for the sha256 of a file's bytes: as reproducible as a constant, and another one
 * when the content is another, which servers that make an ETag of size and time need.
 */
export function contentTime(digest: Uint8Array): number {
  let first48 = 0
  for (let index = 0; index < 6; index += 1) first48 = first48 * 256 + (digest[index] ?? 0)
  return firstSecond + (first48 % rangeSeconds)
}

/** The same of a digest in hex: faster than by way of its bytes. */
export function contentTimeOfHex(digest: string): number {
  return firstSecond + (Number.parseInt(digest.slice(0, 12), 16) % rangeSeconds)
}
