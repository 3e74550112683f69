/** The index over the manifests of several platforms (image-spec v1.1.1 image-index.md). */

import type { ImageSpec } from '../config/resolved-spec.ts'
import type { ContentStore } from '../content/store.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { ImageIndex } from '../spec/image-index.ts'
import { mediaTypes } from '../spec/media-type.ts'
import { baseAnnotations, nonEmpty } from './assemble-image.ts'
import { pushDocument } from './push-document.ts'

/** Stores an index of `manifests` (with their platforms, in the order of the spec's). */
export function assembleIndex(
  store: ContentStore,
  spec: ImageSpec,
  base: { readonly name?: string | undefined; readonly rootDigest?: Digest | undefined },
  manifests: readonly Descriptor[],
): Promise<Descriptor> {
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests,
    annotations: nonEmpty({ ...baseAnnotations(base.name, base.rootDigest), ...spec.annotations }),
  }
  return pushDocument(store, mediaTypes.index, index)
}
