/** The same image a second time, its layers as zstd: for readers that know it, behind the one that all can read. */

import { checkEncoder } from '../content/block-encoder.ts'
import { zstdAnnotation, type Descriptor } from '../spec/descriptor.ts'
import type { PlatformPlan } from './plan-image.ts'

/**
 * The plan of a platform with those layers as zstd that the spec wants twice; undefined where there are none. Throws
 * `OCB-ZSTD-UNAVAILABLE`.
 */
export function twinOf(plan: PlatformPlan): PlatformPlan | undefined {
  if (plan.layers.every(({ twin }) => twin === undefined)) return undefined
  const layers = plan.layers.map((layer) => layer.twin ?? layer)
  // Before anything is compressed: a Node.js without zstd has none for the second image either.
  for (const { compression } of layers) checkEncoder(compression)
  return { ...plan, layers }
}

/** The entry of a twin's manifest in the index. */
export function markTwin(manifest: Descriptor): Descriptor {
  return { ...manifest, annotations: { ...manifest.annotations, [zstdAnnotation]: 'true' } }
}
