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

/** Compares two strings by their UTF-8 bytes. */
export function compareBytes(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let index = 0; index < shorter; index += 1) {
    const x = a.charCodeAt(index)
    const y = b.charCodeAt(index)
    if (x === y) continue
    // UTF-16's order is that of UTF-8's bytes, but surrogates stand for what comes after U+FFFF.
    const surrogates = Number(isSurrogate(x)) - Number(isSurrogate(y))
    return surrogates === 0 || Math.min(x, y) < 0xd800 ? x - y : surrogates
  }
  return a.length - b.length
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}
