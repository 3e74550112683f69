/** Layers in memory as a store, which counts how often each was fetched. */

import { gzipSync } from 'node:zlib'
import { sha256, verifyStream } from '../../src/content/hash.ts'
import type { ByteStream, Fetcher } from '../../src/content/store.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'

export interface LayerStore {
  readonly store: Fetcher
  readonly layers: readonly Descriptor[]
  readonly fetched: string[]
}

/** Tars, lowest first; every other one is stored as gzip. */
export function layerStore(tars: readonly Buffer[]): LayerStore {
  const fetched: string[] = []
  const blobs = new Map<string, Buffer>()
  const layers = tars.map((tar, index): Descriptor => {
    const blob = index % 2 === 0 ? gzipSync(tar) : tar
    const digest = sha256(blob)
    blobs.set(digest, blob)
    return { mediaType: index % 2 === 0 ? mediaTypes.layerGzip : mediaTypes.layer, digest, size: blob.length }
  })
  const fetch = async (target: Descriptor): Promise<ByteStream> => {
    fetched.push(target.digest)
    return verifyStream(target, chunked(blobs.get(target.digest) ?? Buffer.alloc(0)))
  }
  return { store: { fetch }, layers, fetched }
}

/** Bytes in chunks of an odd size, so that headers and contents are cut everywhere. */
export async function* chunked(bytes: Buffer, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** All that a stream gives. */
export async function drain<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of stream) items.push(item)
  return items
}
