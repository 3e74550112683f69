/** Bodies of responses, read up to a bound. */

import type { Readable } from 'node:stream'

/** The bytes of a body, or undefined when there are more than `maxBytes`; the rest is then dropped. */
export async function readBody(body: Readable, maxBytes: number): Promise<Uint8Array | undefined> {
  const bytes = await readStart(body, maxBytes + 1)
  return bytes.length > maxBytes ? undefined : bytes
}

/** The first bytes of a body; what follows is dropped. */
export async function readStart(body: Readable, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop early destroys the stream, and with it the connection: nothing more is read of an endless body.
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) continue
    chunks.push(chunk)
    size += chunk.length
    if (size >= maxBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}

/** Drops a body; up to 64 KiB are read so that the connection can be used again. */
export async function dropBody(body: Readable): Promise<void> {
  body.on('error', () => {})
  await readStart(body, 64 * 1024).catch(() => undefined)
  body.destroy()
}
