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

/** Pages of 4 KiB, the first half of each noise, the second words in an order that the noise gives. */
export function halfNoise(seed) {
  const next = noise(seed)
  return (length) => {
    const bytes = next(length)
    for (let start = half; start < length; start += page) {
      const end = Math.min(start + half, length)
      let at = start
      while (at < end) at += bytes.write(`${words[bytes[at] % words.length]} `, at, end - at, 'latin1')
    }
    return bytes
  }
}
