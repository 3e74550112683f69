/** Why layers would be built anew: each beside what the last build made of it, or beside the pushed image. */

import type { ComparedEntryView, LayerWhyView } from '../build-types.ts'
import { encoderIdOf } from '../layer/encoder-id.ts'
import { contentDigests } from '../layer/changeset-digests.ts'
import { formatCompression, openBuiltLayers, type BuiltLayers } from '../layer/built-layers.ts'
import { compareLayers, type EntryDifference } from '../layer/compare-layers.ts'
import { changesetFacts } from '../layer/encode-facts.ts'
import type { EntryFacts } from '../layer/entry-facts.ts'
import { keyAnnotation, layerKey, shapeKey } from '../layer/layer-key.ts'
import { layerNames } from './layer-names.ts'
import type { ImagePlan, PlatformPlan } from './plan-image.ts'
import type { LayerPlan } from './plan-layers-over.ts'
import { pushedLayers } from './pushed-layers.ts'
import type { Session } from './session.ts'

/** Reads and hashes what is not known of the files; of pushed layers only those that differ are fetched. */
export async function explainLayers(
  plans: readonly ImagePlan[],
  session: Session,
): Promise<ReadonlyMap<LayerPlan, LayerWhyView>> {
  const built = openBuiltLayers(session.cache.builtDir)
  const views = new Map<LayerPlan, LayerWhyView>()
  for (const { spec, platforms } of plans) {
    const { deflater, environment, options } = session
    const files = session.files(spec.root)
    for (const platform of platforms) {
      const earlier = earlierOf(platform, built, session)
      for (const layer of platform.layers) {
        const changeset = await layer.changeset()
        const contents = await contentDigests(changeset, files, deflater, options.signal)
        const shape = shapeKey(changeset, layer.compression, encoderIdOf(layer.compression, environment.node))
        const key = layerKey(shape, contents)
        const facts = (): readonly EntryFacts[] => changesetFacts(changeset, contents)
        const now = { key, annotation: keyAnnotation(shape, key), facts }
        views.set(layer, await explain(now, layer, await earlier(layer)))
      }
    }
  }
  return views
}

/** A layer as it is planned. */
interface Now {
  readonly key: string
  readonly annotation: string
  readonly facts: () => readonly EntryFacts[]
}

/** A layer as it was. */
interface Earlier {
  readonly against: string
  /** Whether a key, or its annotation, is this one's. */
  isSame(now: Now): boolean
  readonly compression: string | undefined
  entries(): Promise<readonly EntryFacts[]>
}

function earlierOf(
  platform: PlatformPlan,
  built: BuiltLayers,
  session: Session,
): (layer: LayerPlan) => Promise<Earlier | undefined> {
  const nameOf = layerNames(platform)
  const pushed = pushedLayers(platform.spec, platform.platform, session)
  return async (layer) => {
    const last = built.recall(nameOf(layer))
    if (last !== undefined) {
      const { key, compression, entries } = last
      const isSame = (now: Now): boolean => now.key === key
      return { against: 'the last build', isSame, compression, entries: async () => entries }
    }
    // The layers of a base that we built may have the same names: ours are the upper ones.
    const twins = platform.layers.filter(({ name }) => name === layer.name)
    const found = (await pushed(layer.name)).slice(-twins.length)[twins.indexOf(layer)]
    if (found === undefined) return undefined
    const { reference, key, entries } = found
    const isSame = ({ annotation }: Now): boolean => annotation === key
    return { against: reference, isSame, compression: undefined, entries }
  }
}

const none = { added: 0, removed: 0, changed: 0, first: null }

async function explain(now: Now, layer: LayerPlan, earlier: Earlier | undefined): Promise<LayerWhyView> {
  if (earlier === undefined) return { status: 'new', against: null, ...none }
  const { against, compression } = earlier
  if (earlier.isSame(now)) return { status: 'unchanged', against, ...none }
  const { first, ...counts } = compareLayers(await earlier.entries(), now.facts())
  if (first !== undefined) return { status: 'changed', against, ...counts, first: firstView(first) }
  const wanted = formatCompression(layer.compression)
  if (compression === undefined || compression === wanted) return { status: 'rewritten', against, ...none }
  return { status: 'rewritten', against, ...none, compression: { before: compression, after: wanted } }
}

function firstView({ before, after, aspects }: EntryDifference): LayerWhyView['first'] {
  const entry = after ?? before
  if (entry === undefined) return null
  return {
    path: `/${entry.path}`,
    change: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
    aspects,
    before: before === undefined ? null : entryView(before),
    after: after === undefined ? null : entryView(after),
  }
}

function entryView(entry: EntryFacts): ComparedEntryView {
  const { type, mode, uid, gid, mtime, target, xattrs, digest, origin } = entry
  return {
    type,
    mode: mode.toString(8).padStart(4, '0'),
    uid,
    gid,
    mtime,
    target: type === 'hardlink' && target !== undefined ? `/${target}` : target,
    xattrs,
    digest: digest === undefined ? undefined : `sha256:${digest}`,
    origin,
  }
}
