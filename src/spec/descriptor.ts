/** Content descriptors (image-spec v1.1.1 descriptor.md). */

import type { Digest } from './digest.ts'
import type { MediaType } from './media-type.ts'
import type { Platform } from './platform.ts'

/**
 * `true` on a manifest in an index whose layers are zstd: what readers choose by among manifests of one platform (the
 * containers/image library: podman, skopeo, buildah).
 */
export const zstdAnnotation = 'io.github.containers.compression.zstd'

export interface Descriptor {
  readonly mediaType: MediaType
  /** Of the raw bytes. */
  readonly digest: Digest
  /** In bytes. */
  readonly size: number
  readonly urls?: readonly string[] | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /** Base64 of the raw bytes. */
  readonly data?: string | undefined
  readonly artifactType?: string | undefined
  readonly platform?: Platform | undefined
}
