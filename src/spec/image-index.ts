/** Image indexes (image-spec v1.1.1 image-index.md). */

import type { Descriptor } from './descriptor.ts'
import type { MediaType } from './media-type.ts'

export interface ImageIndex {
  readonly schemaVersion: 2
  /** Always written by us; older writers leave it out. */
  readonly mediaType?: MediaType | undefined
  readonly artifactType?: string | undefined
  readonly manifests: readonly Descriptor[]
  readonly subject?: Descriptor | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
}
