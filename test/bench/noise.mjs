/** Bytes for the cases that need many: noise that does not shrink, and a mixture that shrinks to about half. */

import { createCipheriv, createHash } from 'node:crypto'

const page = 4096
const half = page / 2
const words = 'layer image config digest manifest platform history rootfs annotation descriptor'.split(' ')

/** The same noise for the same seed, as fast as AES makes it. Never all at once the same bytes for two seeds. */
export function noise(seed) {
  const key = createHash('sha256').update(String(seed)).digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  return (length) => cipher.update(Buffer.alloc(length))
}

/** Pages of 4 KiB, the first half of each noise, the second a piece of a text of words at a place the noise gives. */
export function halfNoise(seed) {
  const next = noise(seed)
  const text = wordsOf(next(128 * 1024))
  return (length) => {
    const bytes = next(length)
    for (let start = half; start < length; start += page) {
      const from = bytes.readUInt32LE(start - 4) % (text.length - half)
      text.copy(bytes, start, from, from + Math.min(half, length - start))
    }
    return bytes
  }
}

function wordsOf(bytes) {
  return Buffer.from(Array.from(bytes, (byte) => words[byte % words.length]).join(' '), 'latin1')
}
