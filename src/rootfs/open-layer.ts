/** A layer's entries by its descriptor. */

import { detectCompression } from '../content/decompress.ts'
import type { ByteStream, Fetcher } from '../content/store.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { layerCompression } from '../spec/media-type.ts'
import { readLayer, type LayerContent } from './read-layer.ts'

export interface LayerReadOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * Fetches and reads a layer. Its media type says how it is compressed; where it is unknown, the first bytes do.
 * Throws what `fetch` and `readLayer` throw. Only after the last entry was taken are the bytes known to be the
 * descriptor's.
 */
export async function* openLayer(
  store: Fetcher,
  descriptor: Descriptor,
  options: LayerReadOptions = {},
): AsyncGenerator<LayerContent> {
  const { signal } = options
  const named = { archive: `layer ${descriptor.digest}`, signal }
  const content = await store.fetch(descriptor, { signal })
  const compression = layerCompression(descriptor.mediaType)
  if (compression !== undefined) {
    yield* readLayer(content, compression, named)
    return
  }
  const { head, all } = await peek(content)
  yield* readLayer(all, detectCompression(head), named)
}

/** The first bytes of a stream, and all of it. */
export async function peek(
  content: ByteStream,
  length = 512,
): Promise<{ readonly head: Uint8Array; readonly all: ByteStream }> {
  const iterator = content[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let size = 0
  while (size < length) {
    const { value, done } = await iterator.next()
    if (done === true) break
    chunks.push(value)
    size += value.length
  }
  const head = Buffer.concat(chunks)
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      if (head.length > 0) yield head
      for (;;) {
        const { value, done } = await iterator.next()
        if (done === true) return
        yield value
      }
    } finally {
      await iterator.return?.()
    }
  }
  return { head: head.subarray(0, length), all: all() }
}
