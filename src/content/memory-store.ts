/** A store in memory: documents of a build, and tests. */

import { OciBuildError, throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { MediaType } from '../spec/media-type.ts'
import { sha256, verifyStream } from './hash.ts'
import { contentNotFound, referenceNotFound } from './not-found.ts'
import type { ByteStream, Ingester, StoreOptions, Target } from './store.ts'

export interface MemoryStore extends Target, Ingester {
  /** The references that were tagged, in order. */
  references(): readonly string[]
}

export function createMemoryStore(): MemoryStore {
  const blobs = new Map<Digest, { readonly descriptor: Descriptor; readonly bytes: Uint8Array }>()
  const tags = new Map<string, Descriptor>()
  const has = (target: Descriptor): boolean => blobs.get(target.digest)?.bytes.length === target.size
  return {
    has: async (target) => has(target),

    async fetch(target, options) {
      throwIfAborted(options?.signal)
      const blob = blobs.get(target.digest)
      if (blob === undefined) throw contentNotFound(target, 'memory')
      return verifyStream(target, oneChunk(blob.bytes))
    },

    async push(expected, content, options) {
      if (has(expected)) return
      const bytes = await collect(verifyStream(expected, content), options)
      blobs.set(expected.digest, { descriptor: expected, bytes })
    },

    async ingest(mediaType: MediaType, content: ByteStream, options?: StoreOptions): Promise<Descriptor> {
      const bytes = await collect(copies(content), options)
      const descriptor: Descriptor = { mediaType, digest: sha256(bytes), size: bytes.length }
      blobs.set(descriptor.digest, { descriptor, bytes })
      return descriptor
    },

    async resolve(reference) {
      const tagged = tags.get(reference)
      if (tagged !== undefined) return tagged
      for (const { descriptor } of blobs.values()) if (descriptor.digest === reference) return descriptor
      throw referenceNotFound(reference, 'memory', [...tags.keys()])
    },

    async tag(target, reference) {
      if (!has(target)) throw contentNotFound(target, 'memory')
      if (reference === '') {
        throw new OciBuildError('OCB-REFERENCE-INVALID', { message: `cannot tag ${target.digest}: no name` })
      }
      tags.set(reference, target)
    },

    references: () => [...tags.keys()],
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}

async function collect(content: ByteStream, options: StoreOptions | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) {
    throwIfAborted(options?.signal)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

/** Chunks whose producer uses them again, as bytes of their own. */
async function* copies(content: ByteStream): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) yield Uint8Array.from(chunk)
}
