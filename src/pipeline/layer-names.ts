/** What the layers of an image are called in the memory of what was built. */

import type { LayerName } from '../layer/built-layers.ts'
import { formatPlatform } from '../spec/platform.ts'
import type { PlatformPlan } from './plan-image.ts'
import type { LayerPlan } from './plan-layers-over.ts'

/** By the image's name, its platform and their own; of several with one name the later ones have a number. */
export function layerNames({ spec, platform, layers }: PlatformPlan): (layer: LayerPlan) => LayerName {
  // Images of one config may share a name and differ in their tags.
  const image = spec.image === undefined ? spec.name : `${spec.name}\n${spec.image}`
  return (layer) => {
    const twins = layers.filter(({ name }) => name === layer.name)
    const number = twins.indexOf(layer)
    const numbered = number <= 0 ? layer.name : `${layer.name}\n${number + 1}`
    return { image, platform: formatPlatform(platform), layer: numbered }
  }
}
