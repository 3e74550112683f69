/** Reads small content whole: manifests, indexes, configs. */

import { throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { documentTooLarge, maxDocumentBytes } from '../spec/read-value.ts'
import { verifyBytes } from './hash.ts'
import type { Fetcher, StoreOptions } from './store.ts'

/**
 * The bytes of a document of at most 4 MiB, checked against its descriptor.
 * Throws `OCB-DOCUMENT-TOO-LARGE` before anything is fetched, and what `fetch` throws.
 */
export async function readDocument(
  store: Fetcher,
  descriptor: Descriptor,
  options?: StoreOptions,
): Promise<Uint8Array> {
  if (descriptor.size > maxDocumentBytes) {
    throw documentTooLarge(`${descriptor.mediaType} ${descriptor.digest}`, descriptor.size)
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of await store.fetch(descriptor, options)) {
    throwIfAborted(options?.signal)
    chunks.push(chunk)
    size += chunk.length
    // The stream of a store that keeps the seam's promise ends here by itself.
    if (size > descriptor.size) break
  }
  const bytes = Buffer.concat(chunks)
  verifyBytes(descriptor, bytes)
  return bytes
}
