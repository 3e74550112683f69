/** Plans become stored images: layers, configs, manifests and indexes in the staging store. */

import type { FileBacked, Fetcher } from '../content/store.ts'
import { assembleImage, type AssembledImage } from '../image/assemble-image.ts'
import { assembleIndex } from '../image/assemble-index.ts'
import { buildLayer, type BuiltLayer, type LayerBuilder } from '../layer/build-layer.ts'
import { openBuiltLayers, type MadeLayer } from '../layer/built-layers.ts'
import type { StepHandle } from '../events.ts'
import { encoderIdOf } from '../layer/encoder-id.ts'
import type { LongFiles } from '../layer/long-files.ts'
import type { Compression } from '../config/resolved-spec.ts'
import { layerAnnotations } from '../layer/layer-key.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { formatPlatform, type Platform } from '../spec/platform.ts'
import { layerNames } from './layer-names.ts'
import { stepTitle, type ImagePlan, type PlatformPlan } from './plan-image.ts'
import type { LayerPlan } from './plan-layers-over.ts'
import type { Outputs } from './outputs.ts'
import type { Session } from './session.ts'
import { createSharedLayers } from './shared-layers.ts'
import { markTwin, twinOf } from './twin-images.ts'

export interface StagedPlatform {
  readonly plan: PlatformPlan
  readonly image: AssembledImage
  readonly layers: readonly BuiltLayer[]
  /** The same image as one before it, with layers as zstd. */
  readonly twin: boolean
}

export interface StagedImage {
  readonly plan: ImagePlan
  /** The index, or the only manifest. */
  readonly root: Descriptor
  readonly platforms: readonly StagedPlatform[]
  /** The bytes of those layers that were found elsewhere and were not needed yet. */
  readonly taken: Fetcher & FileBacked
}

/** Builds every image into the staging store; nothing of it is visible to anybody yet. */
export async function buildImages(
  plans: readonly ImagePlan[],
  outputs: Outputs,
  session: Session,
): Promise<readonly StagedImage[]> {
  const { staging, cache: cacheFolder, environment, options, deflater, segments, layers: local } = session
  const { signal, verifyCache: verify } = options
  const shared = createSharedLayers(local, platformsOf(plans), outputs, session)
  const { taken } = shared
  const encoderId = (compression: Compression): string => encoderIdOf(compression, environment.node)
  const built = openBuiltLayers(cacheFolder.builtDir)
  const images: StagedImage[] = []
  const stage = async (plan: ImagePlan): Promise<StagedImage> => {
    const files = session.files(plan.spec.root)
    const longFiles = (): LongFiles => session.longFiles(plan.spec.root)
    const cache = shared.cacheFor(plan.spec)
    const common = { store: staging, cache, files, longFiles, encoderId, deflater, segments, verify, signal }
    const twins = plan.platforms.flatMap((platform) => twinOf(platform) ?? [])
    const stagePlatform = async (platform: PlatformPlan, twin: boolean): Promise<StagedPlatform> => {
      const layers: BuiltLayer[] = []
      const nameOf = layerNames(platform)
      for (const layer of platform.layers) {
        const builder = {
          ...common,
          tell(made: MadeLayer): void {
            if (!twin) session.meanwhile(() => built.remember(nameOf(layer), made))
          },
        }
        const title = stepTitle(layer.name + (twin ? ' as zstd' : ''), plan, platform.platform)
        const staged = await stageLayer(title, layer, builder, session)
        // What was built before was most likely pushed before: asking would cost more than it saves.
        if (!staged.cached) await outputs.sendAhead(plan.spec, staged.descriptor, 'docker')
        else if (staged.cachedFrom !== undefined) {
          taken.keepRecipe(staged.descriptor, () => makeHere(layer, { ...common, cache: local }))
        }
        layers.push(staged)
      }
      const image = await assembleImage(staging, platform.spec, platform.platform, platform.base, layers)
      return { plan: platform, image, layers, twin }
    }
    const platforms: StagedPlatform[] = []
    for (const platform of plan.platforms) platforms.push(await stagePlatform(platform, false))
    for (const platform of twins) platforms.push(await stagePlatform(platform, true))
    return { plan, platforms, root: await stageRoot(plan, platforms, session), taken: taken.store }
  }
  for (const plan of plans) images.push(await session.timeSpent.on(plan.spec, () => stage(plan)))
  return images
}

function stageLayer(
  title: string,
  plan: LayerPlan,
  builder: LayerBuilder,
  session: Session,
): Promise<BuiltLayer> {
  const start = { stage: 'layer', title, total: plan.size.contentBytes, unit: 'bytes' } as const
  return session.reporter.step(start, async (step) => {
    const layer = await takeOrBuild(plan, builder, step)
    const { cached, cachedFrom, descriptor } = layer
    const detail = cachedFrom === undefined ? {} : { detail: `from ${cachedFrom}` }
    step.finish({ cached, bytes: descriptor.size, ...detail })
    return layer
  })
}

async function takeOrBuild(plan: LayerPlan, builder: LayerBuilder, step: StepHandle): Promise<BuiltLayer> {
  const { name, compression, remembered } = plan
  if (remembered !== undefined) {
    const { shape, key, descriptor, diffId } = remembered
    const annotations = layerAnnotations(shape, key, builder.encoderId(compression))
    return { name, descriptor, diffId, shape, key, cached: true, annotations }
  }
  const changeset = await plan.changeset()
  const layer = await buildLayer(changeset, compression, builder, step, plan)
  // What others made is believed as long as they say so.
  if (layer.cachedFrom === undefined) plan.remember(layer)
  return layer
}

/** Without a word: it stands in for bytes that an output is waiting for. */
async function makeHere(plan: LayerPlan, builder: LayerBuilder): Promise<BuiltLayer> {
  const changeset = await plan.changeset()
  return buildLayer(changeset, plan.compression, builder, { id: '', progress() {}, finish() {} })
}

function platformsOf(plans: readonly ImagePlan[]): readonly Platform[] {
  const platforms = plans.flatMap((plan) => plan.platforms.map(({ platform }) => platform))
  return Array.from(new Map(platforms.map((platform) => [formatPlatform(platform), platform])).values())
}

/**
 * One platform is its manifest; several, or `index: true`, are an index in the order of `platforms`, twins after all
 * others: old readers take the first that fits.
 */
async function stageRoot(
  { spec }: ImagePlan,
  platforms: readonly StagedPlatform[],
  session: Session,
): Promise<Descriptor> {
  const [first] = platforms
  if (first === undefined) throw new Error('an image without platforms')
  if (platforms.length === 1 && !spec.index) return first.image.descriptor
  const manifests = platforms.map(({ image, twin }) => (twin ? markTwin(image.descriptor) : image.descriptor))
  return assembleIndex(session.staging, spec, first.plan.base, manifests)
}
