/** Stores a JSON document and describes it. */

import { sha256 } from '../content/hash.ts'
import type { ContentStore } from '../content/store.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { encodeJson } from '../spec/json.ts'
import type { MediaType } from '../spec/media-type.ts'

export async function pushDocument(
  store: ContentStore,
  mediaType: MediaType,
  document: object,
): Promise<Descriptor> {
  const bytes = encodeJson(document)
  const descriptor: Descriptor = { mediaType, digest: sha256(bytes), size: bytes.length }
  if (!(await store.has(descriptor))) {
    await store.push(
      descriptor,
      (async function* () {
        yield bytes
      })(),
    )
  }
  return descriptor
}
