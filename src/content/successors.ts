/** The graph below a descriptor: what a manifest or an index needs to be whole. */

import type { Descriptor } from '../spec/descriptor.ts'
import { isIndexType, isManifestType, isNondistributable } from '../spec/media-type.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { parseImageManifest } from '../spec/parse-image-manifest.ts'
import { readDocument } from './read-document.ts'
import type { Fetcher, StoreOptions } from './store.ts'

/** Whether a descriptor's content points to other content. */
export function isParent(descriptor: Descriptor): boolean {
  return isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType)
}

/**
 * The children of a document, in its order: config and layers of a manifest, manifests of an index, none of anything
 * else. Non-distributable layers are not among them, and a `subject` is no child.
 */
export function childrenOf(descriptor: Descriptor, bytes: Uint8Array): readonly Descriptor[] {
  if (isIndexType(descriptor.mediaType)) return parseImageIndex(bytes, descriptor.digest).manifests
  if (!isManifestType(descriptor.mediaType)) return []
  const { config, layers } = parseImageManifest(bytes, descriptor.digest)
  return [config, ...layers.filter((layer) => !isNondistributable(layer.mediaType))]
}

/** `childrenOf`, of content in a store. Throws what reading and parsing throw. */
export async function successors(
  store: Fetcher,
  descriptor: Descriptor,
  options?: StoreOptions,
): Promise<readonly Descriptor[]> {
  if (!isParent(descriptor)) return []
  return childrenOf(descriptor, await readDocument(store, descriptor, options))
}
