/** JSON as bytes: one value has one encoding, whatever order its keys were set in. */

const encoder = new TextEncoder()

/**
 * Encodes a document as UTF-8 JSON without white space, the keys of every object in byte order, `undefined`
 * left out. The same value gives the same bytes, so documents can be hashed
 * (image-spec v1.1.1 considerations.md, Canonical JSON).
 */
export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(stringify(value))
}

// Written by hand: an object rebuilt with sorted keys would put integer-like keys first again.
function stringify(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item: unknown) => stringify(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .toSorted(([a], [b]) => compareBytes(a, b))
    .map(([key, item]) => `${JSON.stringify(key)}:${stringify(item)}`)
  return `{${members.join(',')}}`
}

// UTF-16 order and UTF-8 byte order differ only where surrogates meet U+E000 to U+FFFF.
const surrogateOrHigh = /[\ud800-\uffff]/

/** Compares two strings by their UTF-8 bytes. */
export function compareBytes(a: string, b: string): number {
  if (surrogateOrHigh.test(a) || surrogateOrHigh.test(b)) {
    return Buffer.compare(Buffer.from(a), Buffer.from(b))
  }
  return a < b ? -1 : a > b ? 1 : 0
}
