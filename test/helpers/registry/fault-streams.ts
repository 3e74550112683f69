/** The pieces of a body, cut, altered, slowed or without an end. */

import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Readable, Writable } from 'node:stream'

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

/** Until there is room, or nobody to read. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((done) => {
    const end = (): void => {
      stream.off('drain', end)
      stream.off('close', end)
      done()
    }
    stream.on('drain', end)
    stream.on('close', end)
    if (stream.destroyed) end()
  })
}

/** The first bytes of a stream. The stream stays open, and what is left in it unread. */
export async function* stopAfter(source: Readable, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes
  if (left === 0) return
  const chunks: AsyncIterable<Uint8Array> = source.iterator({ destroyOnReturn: false })
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left)
    left -= chunk.length
    if (left <= 0) return
  }
}

/** One byte becomes its complement. */
export async function* flipByte(source: AsyncIterable<Uint8Array>, at: number): AsyncGenerator<Uint8Array> {
  let offset = 0
  for await (const chunk of source) {
    const copy = Buffer.from(chunk)
    const here = at - offset
    const byte = copy[here]
    if (byte !== undefined) copy[here] = byte ^ 0xff
    offset += copy.length
    yield copy
  }
}

export async function* pace(
  source: AsyncIterable<Uint8Array>,
  bytes: number,
  pauseMs: number,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += bytes) {
      await pause(pauseMs)
      yield chunk.subarray(at, at + bytes)
    }
  }
}

/** Writes the first bytes of a body and waits until they are on their way; ends the request if the body was shorter. */
export async function cutAfter(body: IncomingMessage, upstream: ClientRequest, bytes: number): Promise<void> {
  upstream.flushHeaders()
  let sent = 0
  for await (const chunk of stopAfter(body, bytes)) {
    sent += chunk.length
    await new Promise((done) => upstream.write(chunk, done))
  }
  const stated = body.headers['content-length']
  if (stated === undefined ? sent < bytes : Number(stated) <= bytes) {
    upstream.end()
    return
  }
  // The registry must have read them before the end of the connection is seen.
  await pause(30)
}

/** Writes for as long as somebody reads. */
export async function endless(response: ServerResponse, prefix: string): Promise<void> {
  const filling = Buffer.alloc(64 * 1024, 'a')
  response.write(prefix)
  while (!response.destroyed) if (!response.write(filling)) await drained(response)
}
