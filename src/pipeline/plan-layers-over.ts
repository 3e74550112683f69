/** Planned layers over a base: each is what the last build made of the same input, or will be looked into. */

import type { FileDigests } from '../cache/file-digests.ts'
import type { Compression } from '../config/resolved-spec.ts'
import { throwIfAborted } from '../errors.ts'
import type { BuiltLayer, LayerHints } from '../layer/build-layer.ts'
import { contentBytes } from '../layer/changeset-digests.ts'
import type { Changeset } from '../layer/changeset.ts'
import { encoderIdOf } from '../layer/encoder-id.ts'
import { baseFingerprint, fingerprintOf } from '../layer/fingerprint.ts'
import { hashAhead } from '../layer/hash-ahead.ts'
import { sketchOf } from '../layer/layer-sketch.ts'
import type { BaseFiles, OpenLower } from '../layer/lower.ts'
import {
  createPlannedMemory,
  type PlannedMemory,
  type LayerFacts,
  type LayerSize,
  type RememberedLayer,
} from '../layer/planned-memory.ts'
import { createLowerStack } from '../layer/lower-stack.ts'
import { normalizeLayer } from '../layer/normalize.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { treeFiles } from '../plan/placed-tree.ts'
import type { PlannedLayer } from '../plan/placement.ts'
import type { Session } from './session.ts'

/** See `isLarge`. */
const manyFiles = 2000

export interface LayerPlan extends LayerHints {
  readonly name: string
  readonly compression: Compression
  readonly size: LayerSize
  /** What the last build made of the same input; undefined where it is to be made, or nobody may say. */
  readonly remembered: RememberedLayer | undefined
  changeset(): Promise<Changeset>
  /** Keeps what was made of it for the next build. */
  remember(layer: BuiltLayer): void
  /** The same layer as zstd, where the spec wants both. */
  readonly twin?: LayerPlan | undefined
}

export interface LayersOver {
  /** Tells these layers apart from those of other images and platforms. */
  readonly place: string
  /** Opens the base's files; called only where they matter. */
  readonly open: () => Promise<BaseFiles>
  /** Of the base's layers. */
  readonly digests: readonly string[]
  /** What the last build made of them; undefined: not to be asked. */
  readonly memory: PlannedMemory | undefined
  /** Of the project. */
  readonly root: string
  /** Whether layers will be made of it. */
  readonly makesLayers: boolean
  /** Whether others will be asked for layers by what these hold. */
  readonly asksByContents: boolean
}

/**
 * The memory of layers, for builds that may use it: not for those that make every layer anew to compare, nor for those
 * that answer to `oci.lock`, which must tell the same with and without a memory.
 */
export function openPlannedMemory({ cache, layers, options }: Session): PlannedMemory | undefined {
  if (options.verifyCache === true || options.frozen === true) return undefined
  return createPlannedMemory(cache.plannedDir, layers)
}

/** Layers without entries are left out, with the warning `OCB-LAYER-EMPTY`. Throws what `normalizeLayer` throws. */
export async function planLayersOver(
  planned: readonly PlannedLayer[],
  { place, open, digests, memory, root, makesLayers, asksByContents }: LayersOver,
  session: Session,
): Promise<readonly LayerPlan[]> {
  const { cache, options } = session
  const lower = createLowerStack(open, cache.namesDir)
  const layers: LayerPlan[] = []
  let below = memory && baseFingerprint(digests)
  for (const [index, layer] of planned.entries()) {
    throwIfAborted(options.signal)
    const { name, compression } = layer
    const own = `${place}\n${index} ${layer.at}`
    const print = fingerprintAs(layer, compression, below, session)
    const { remembered, previous, keep } = await recall(own, print, memory)
    const openLower = lower.opener()
    const changeset = changesetOf(layer, openLower)
    // A layer that was here before may be so again, on a machine where no file's times are known.
    const files = asksByContents || previous !== undefined ? session.files(root) : undefined
    const isBegun = makesLayers && remembered === undefined && isLarge(layer)
    const ahead = isBegun ? begin(layer, root, files, session) : undefined
    if (isBegun && previous !== undefined) await session.segments.expect(previous)
    const made = remembered === undefined ? await changeset() : undefined
    if (made?.entries.length === 0) {
      session.reporter.warn('OCB-LAYER-EMPTY', `the layer "${name}" has no entries and is left out`)
      below = print
      continue
    }
    const { size, sketch } = remembered ?? describe(await changeset())
    lower.push({ changeset, sketch })
    const plan: LayerPlan = {
      name,
      compression,
      size,
      remembered,
      previous,
      ahead,
      changeset,
      remember: ({ shape, key }) => keep?.({ shape, key, size, sketch }),
    }
    const zstd = compression.type === 'gzip' ? compression.twin : undefined
    const zstdPrint = zstd && fingerprintAs(layer, zstd, below, session)
    const again = zstd && (await recall(`${own} ${zstd.type}`, zstdPrint, memory))
    below = print
    const twin: LayerPlan | undefined = zstd && {
      ...plan,
      compression: zstd,
      remembered: again?.remembered,
      previous: again?.previous,
      remember: ({ shape, key }) => again?.keep?.({ shape, key, size, sketch }),
    }
    layers.push({ ...plan, twin })
  }
  return layers
}

/** Of a layer in one compression; undefined where what lies below has none. */
function fingerprintAs(
  layer: PlannedLayer,
  compression: Compression,
  lower: string | undefined,
  { environment, startedWallMs: startedMs }: Session,
): string | undefined {
  if (lower === undefined) return undefined
  const encoderId = encoderIdOf(compression, environment.node)
  return fingerprintOf(layer, { compression, lower, encoderId, startedMs })
}

/** What is known of a layer before it is looked into. */
interface Recalled {
  readonly remembered?: RememberedLayer | undefined
  readonly previous?: Descriptor | undefined
  keep?(made: Parameters<PlannedMemory['keep']>[2]): void
}

// Not inside the loop: what is kept here must not keep the layer's placements.
async function recall(
  own: string,
  fingerprint: string | undefined,
  memory: PlannedMemory | undefined,
): Promise<Recalled> {
  if (memory === undefined) return {}
  const last = await memory.last(own)
  return {
    previous: last?.descriptor,
    remembered: fingerprint !== undefined && last?.fingerprint === fingerprint ? last : undefined,
    keep: (made) => memory.keep(own, fingerprint, made),
  }
}

/** Has threads start, which takes a while, and hash what is likely to be asked for, until the changeset is made. */
function begin(
  { compression, placements }: PlannedLayer,
  root: string,
  files: FileDigests | undefined,
  { deflater, longFiles }: Session,
): LayerHints['ahead'] {
  const ahead = files && hashAhead(treeFiles(placements), files, { deflater, longFiles: longFiles(root) })
  if (ahead === undefined && compression.type !== 'none') deflater.start()
  return ahead
}

/** Of files so many that to order them takes as long as threads take to start. */
function isLarge({ placements }: PlannedLayer): boolean {
  return placements.some((placed) => placed.type === 'tree' && placed.columns.names.length > manyFiles)
}

function describe(changeset: Changeset): Pick<LayerFacts, 'size' | 'sketch'> {
  const size = { entries: changeset.entries.length, contentBytes: contentBytes(changeset) }
  return { size, sketch: sketchOf(changeset) }
}

/** Made when it is first asked for. Then the placements are let go: of many thousand files they take megabytes. */
function changesetOf(layer: PlannedLayer, openLower: OpenLower): () => Promise<Changeset> {
  let make: (() => Promise<Changeset>) | undefined = () => normalizeLayer(layer, openLower)
  let made: Promise<Changeset> | undefined
  return () => {
    made ??= make?.()
    make = undefined
    if (made === undefined) throw new Error('a changeset that is neither made nor to be made')
    return made
  }
}
