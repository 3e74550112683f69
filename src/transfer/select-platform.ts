/** One platform's manifest below a root, found with as few requests as the index allows. */

import { readDocument } from '../content/read-document.ts'
import type { Fetcher, StoreOptions } from '../content/store.ts'
import { findManifests, selectManifest } from '../inspect/find-manifests.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { isIndexType } from '../spec/media-type.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { choosePlatform, type Platform } from '../spec/platform.ts'

/**
 * The manifest for a platform. Where the index tells the platforms nothing else is read; otherwise the configs tell
 * them. Throws `OCB-USAGE-PLATFORM` with a list of the platforms that there are, and what reading throws.
 */
export async function selectPlatform(
  store: Fetcher,
  root: Descriptor,
  platform: Platform,
  options: StoreOptions = {},
): Promise<Descriptor> {
  if (isIndexType(root.mediaType)) {
    const { manifests } = parseImageIndex(await readDocument(store, root, options), `index ${root.digest}`)
    const chosen = choosePlatform(
      manifests.filter(({ mediaType }) => !isIndexType(mediaType)),
      platform,
    )
    if (chosen !== undefined) return chosen
  }
  return selectManifest(await findManifests(store, root, options), platform).descriptor
}
