/** What a build answers: the shapes of `--json` (contract, section 4). */

import type { ImageResult, LayerResult, OutputResult, PlatformResult } from '../build-types.ts'
import { formatReference, parseReference } from '../spec/parse-reference.ts'
import { formatPlatform } from '../spec/platform.ts'
import type { Digest } from '../spec/digest.ts'
import type { StagedImage, StagedPlatform } from './build-image.ts'
import type { Session } from './session.ts'

export function imageResult(
  image: StagedImage,
  outputs: readonly OutputResult[],
  { timeSpent }: Pick<Session, 'timeSpent'>,
): ImageResult {
  const { spec } = image.plan
  const references = Array.from(new Set(outputs.map(byDigest)))
  return {
    image: spec.image ?? null,
    name: spec.name,
    reference: references[0] ?? image.root.digest,
    references,
    digest: image.root.digest,
    mediaType: image.root.mediaType,
    size: distinctBytes(image),
    tags: spec.tags,
    outputs,
    platforms: image.platforms.map(platformResult),
    durationMs: timeSpent.of(spec),
  }
}

/** The output as a reference that this tool accepts and that can mean nothing else. */
function byDigest({ ref, digest }: OutputResult): string {
  const reference = parseReference(ref, 'out')
  if ('path' in reference) return formatReference({ ...reference, ref: undefined, digest })
  return reference.transport === 'docker' ? `${reference.host}/${reference.repository}@${digest}` : ref
}

function platformResult({ plan, image, layers, twin }: StagedPlatform): PlatformResult {
  const { base } = plan
  const diffIds = base.config?.rootfs.diff_ids ?? []
  return {
    platform: formatPlatform(image.descriptor.platform ?? plan.platform),
    digest: image.descriptor.digest,
    config: image.config.digest,
    ...(twin && { twin: 'zstd' }),
    layers: [
      ...base.layers.flatMap(({ digest, size, mediaType }, index): LayerResult[] => {
        const diffId = diffIds[index]
        const name = `base ${index + 1}`
        return diffId ? [{ name, digest, diffId, size, mediaType, cached: true, from: 'base' }] : []
      }),
      ...layers.map(({ name, descriptor, diffId, cached, cachedFrom }): LayerResult => {
        const { digest, size, mediaType } = descriptor
        const found = cachedFrom === undefined ? {} : { cachedFrom }
        return { name, digest, diffId, size, mediaType, cached, ...found, from: 'build' }
      }),
    ],
  }
}

function distinctBytes(image: StagedImage): number {
  const sizes = new Map<Digest, number>([[image.root.digest, image.root.size]])
  for (const platform of image.platforms) {
    const blobs = [platform.image.descriptor, platform.image.config, ...platform.plan.base.layers]
    for (const { digest, size } of blobs) sizes.set(digest, size)
    for (const { descriptor } of platform.layers) sizes.set(descriptor.digest, descriptor.size)
  }
  return Array.from(sizes.values()).reduce((sum, size) => sum + size, 0)
}
