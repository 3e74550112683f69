/** What `--metadata-file` holds: the result, with the keys that `docker buildx --metadata-file` writes. */

import type { BuildResult, ImageResult } from '../build-types.ts'

/**
 * The result with `containerimage.digest` and `image.name` in each image, and for
 * a spec of one image also at the top, where buildx has them.
 */
export function metadataOf(result: BuildResult): Readonly<Record<string, unknown>> {
  const images = result.images.map((image) => ({ ...image, ...buildxKeys(image) }))
  const [only] = result.images
  return {
    ...(only !== undefined && result.images.length === 1 ? buildxKeys(only) : {}),
    ...result,
    images,
  }
}

function buildxKeys(image: ImageResult): Readonly<Record<string, unknown>> {
  const { digest, name, tags } = image
  return {
    'containerimage.digest': digest,
    'image.name': tags.length === 0 ? name : tags.map((tag) => `${name}:${tag}`).join(','),
  }
}
