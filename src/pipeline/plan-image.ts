/** Config words become data: for each platform the base, the changesets and what was hidden from them. */

import type { ImageSpec, ResolvedSpec } from '../config/resolved-spec.ts'
import { OciBuildError } from '../errors.ts'
import { imagePlatform } from '../image/assemble-image.ts'
import { openBaseImage, type BaseImage } from '../image/base-image.ts'
import type { PlannedMemory } from '../layer/planned-memory.ts'
import type { BaseFiles } from '../layer/lower.ts'
import type { Pins, PlanOverBase } from '../lock/pins.ts'
import { createCopyMemory, type CopyMemory } from '../plan/copy-memory.ts'
import type { HiddenBy } from '../plan/placement.ts'
import type { PlanContext } from '../plan/plan-context.ts'
import { planLayers } from '../plan/plan-layers.ts'
import { openRootfs, readNames } from '../rootfs/open-rootfs.ts'
import { noMemory } from '../rootfs/text-memory.ts'
import { createTree } from '../rootfs/tree.ts'
import type { LayerEntry } from '../rootfs/tree-types.ts'
import { formatPlatform, type Platform } from '../spec/platform.ts'
import { formatReference } from '../spec/parse-reference.ts'
import { planNodeProject, type NodePlan } from './node-project.ts'
import { openBase } from './open-base.ts'
import { openSpecSource } from './open-source.ts'
import { planLayersOver, type LayerPlan } from './plan-layers-over.ts'
import { askOnce, type Session } from './session.ts'

export interface PlatformPlan {
  /** The image's, with what a Node.js project adds to it on this platform. */
  readonly spec: ImageSpec
  readonly platform: Platform
  readonly base: BaseImage
  /** Lowest first; empty ones are left out. */
  readonly layers: readonly LayerPlan[]
  readonly hidden: readonly HiddenBy[]
  /** What was decided for a Node.js project, a line each. */
  readonly decisions: readonly string[]
}

export interface ImagePlan {
  readonly spec: ImageSpec
  readonly platforms: readonly PlatformPlan[]
}

export interface Planning {
  readonly session: Session
  /** What references are taken for. */
  readonly pins: Pins
  /** What the last build made of layers; undefined where they are to be looked into whatever it made. */
  readonly memory?: PlannedMemory | undefined
  /** Whether layers will be made of it: then threads begin early with what takes long. Default false. */
  readonly makesLayers?: boolean | undefined
  /** Whether layers of an image will be asked for by what they hold: then that is found out early. */
  readonly asksByContents?: ((spec: ImageSpec) => boolean) | undefined
}

/** Plans every image for every platform of its own, in order. */
export async function planImages(spec: ResolvedSpec, planning: Planning): Promise<readonly ImagePlan[]> {
  const plans: ImagePlan[] = []
  const several = spec.images.length > 1 || spec.images.some(({ platforms }) => platforms.length > 1)
  const shared = { ...planning, resolved: spec, copies: several ? createCopyMemory() : undefined }
  for (const image of spec.images)
    plans.push(await planning.session.timeSpent.on(image, () => planImage(image, shared)))
  return plans
}

/** What the images of one plan have in common. */
interface Shared extends Planning {
  readonly resolved: ResolvedSpec
  readonly copies: CopyMemory | undefined
}

async function planImage(image: ImageSpec, shared: Shared): Promise<ImagePlan> {
  const platforms: PlatformPlan[] = []
  for (const platform of image.platforms) {
    const title = stepTitle('files', { spec: image }, platform)
    platforms.push(
      await shared.session.reporter.step({ stage: 'plan', title }, async (step) => {
        const plan = await planPlatform(image, platform, shared)
        const entries = plan.layers.reduce((sum, layer) => sum + layer.size.entries, 0)
        step.finish({
          detail: `${count(entries, 'entry', 'entries')} in ${count(plan.layers.length, 'layer', 'layers')}`,
        })
        return plan
      }),
    )
  }
  refuseTwins(image, platforms)
  return { spec: image, platforms }
}

/** The variant is the base's, so a base that serves two platforms makes one image of them twice. */
function refuseTwins(spec: ImageSpec, plans: readonly PlatformPlan[]): void {
  const seen = new Map<string, Platform>()
  for (const { platform, base } of plans) {
    const name = formatPlatform(imagePlatform(platform, base))
    const other = seen.get(name)
    seen.set(name, platform)
    if (other === undefined) continue
    throw new OciBuildError('OCB-BASE-PLATFORM', {
      message: `the base "${spec.baseText}" makes ${name} of both ${formatPlatform(other)} and ${formatPlatform(platform)}; wanted one image for each platform`,
      hint: `leave ${formatPlatform(platform)} out of platforms, or take a base that has it`,
    })
  }
}

/** What a step works on, with its image and platform where there are several. */
export function stepTitle(what: string, { spec }: Pick<ImagePlan, 'spec'>, platform: Platform): string {
  const image = spec.image === undefined ? '' : `${spec.image}: `
  const suffix = spec.platforms.length > 1 ? ` (${formatPlatform(platform)})` : ''
  return image + what + suffix
}

function count(value: number, one: string, many: string): string {
  return `${value} ${value === 1 ? one : many}`
}

async function planPlatform(spec: ImageSpec, platform: Platform, shared: Shared): Promise<PlatformPlan> {
  const { resolved, session, pins, memory, makesLayers, asksByContents } = shared
  const base = await openBase(spec, platform, session, pins)
  const planned = await planLayers(
    await spec.layersFor(platform),
    planContext(spec, platform, shared, session),
  )
  const { store = emptyStore, layers: baseLayers } = base.image
  const files = { store, layers: baseLayers }
  const namesOfBase = readNamesOf(files, shared, session)
  const overOpened: PlanOverBase<LayersOverBase> = async (open, programs) => {
    const { outputPaths } = resolved
    const node = await planNodeProject(
      spec,
      { platform, base, open, readNames: namesOfBase, programs, layers: planned.layers, outputPaths },
      session,
    )
    const all = [...base.layers, ...(node?.layers ?? []), ...planned.layers]
    const place = `${spec.root}\n${spec.image ?? ''}\n${formatPlatform(platform)}`
    const over = {
      place,
      open,
      digests: baseLayers.map(({ digest }) => digest),
      memory,
      root: spec.root,
      makesLayers: makesLayers === true,
      asksByContents: asksByContents?.(spec) === true,
    }
    return { node, layers: await planLayersOver(all, over, session) }
  }
  const { node, layers } =
    spec.base.transport === 'docker'
      ? await pins.overBase({ reference: spec.base, platform, files, readNames: namesOfBase }, overOpened)
      : await overOpened(async () => ({ ...files, tree: createTree(await namesOfBase()) }), noMemory)
  if (layers.length + baseLayers.length === 0) {
    throw new OciBuildError('OCB-IMAGE-EMPTY', {
      message: `the image "${spec.image ?? spec.name}" has no layers for ${formatPlatform(platform)}`,
      hint: 'add an entry to layers, or name a base',
    })
  }
  return {
    spec: node === undefined ? spec : { ...spec, config: node.config },
    platform,
    base: base.image,
    layers,
    hidden: [...(node?.hidden ?? []), ...planned.hidden],
    decisions: node?.decisions ?? [],
  }
}

interface LayersOverBase {
  readonly node: NodePlan | undefined
  readonly layers: readonly LayerPlan[]
}

function readNamesOf(
  { store, layers }: Pick<BaseFiles, 'store' | 'layers'>,
  { copies }: Shared,
  { cache, options, asked }: Session,
): () => Promise<readonly (readonly LayerEntry[])[]> {
  const reading = { cacheDir: cache.namesDir, signal: options.signal }
  const key = layers.map(({ digest }) => digest).join(' ')
  const read = (): ReturnType<typeof readNames> => readNames(store, layers, reading)
  // Kept in memory only where somebody else will ask.
  return copies === undefined ? read : () => askOnce(asked.names, key, read)
}

const emptyStore = {
  fetch: async (): Promise<never> => {
    throw new OciBuildError('OCB-CONTENT-NOT-FOUND', { message: `a base of nothing holds no content` })
  },
}

function planContext(
  spec: ImageSpec,
  platform: Platform,
  { resolved, pins, copies, makesLayers }: Shared,
  session: Session,
): PlanContext {
  const { options, cache, environment, reporter, staging } = session
  return {
    platform,
    specRoot: spec.root,
    spoolDir: cache.runDir,
    excludedPaths: [session.cacheDir, ...resolved.outputPaths],
    reporter,
    blobs: staging,
    offline: options.offline === true,
    environment,
    listingsOf: options.verifyCache === true ? undefined : session.listings,
    walks: options.verifyCache === true ? undefined : session.walks,
    // Where something is remembered, most is: then it is not worth the reading of all digests.
    meetsLongOf: (root) =>
      makesLayers === true && session.files(root).isNew() ? session.longFiles(root).meet : undefined,
    copies,
    async openImage(reference, wanted) {
      const source = await openSpecSource(reference, spec, session, pins)
      const image = await openBaseImage(source, wanted, formatReference(reference), 'image')
      if (reference.transport === 'docker') pins.opened(reference, wanted, image)
      return openRootfs(source.store, image.layers, { cacheDir: cache.namesDir, signal: options.signal })
    },
  }
}
