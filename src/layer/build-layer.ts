/** A changeset becomes a stored layer: taken from the cache, or built in one pass. */

import type { FileDigests } from '../cache/file-digests.ts'
import type { Compression } from '../config/resolved-spec.ts'
import type { ContentStore, Ingester } from '../content/store.ts'
import { OciBuildError } from '../errors.ts'
import type { Deflater } from '../deflate/deflater.ts'
import type { StepHandle } from '../events.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { MadeLayer } from './built-layers.ts'
import type { Changeset } from './changeset.ts'
import {
  changesetDigests,
  contentBytes,
  findDigests,
  worthRemembering,
  type ChangesetDigests,
} from './changeset-digests.ts'
import { encodeLayer } from './encode-layer.ts'
import { contentsAhead, type HashingAhead } from './hash-ahead.ts'
import type { CachedLayer, LayerCache } from './layer-cache.ts'
import type { LongFiles } from './long-files.ts'
import { layerAnnotations, layerKey, shapeKey } from './layer-key.ts'
import type { LayerSize } from './planned-memory.ts'
import { StaleSegments, type SegmentMemory } from './segments.ts'
import type { ContentDigests } from './tar-blocks.ts'

/** A layer of fewer bytes is compressed before threads would have started. */
const smallBytes = 2 * 1024 * 1024

export interface BuiltLayer {
  readonly name: string
  readonly descriptor: Descriptor
  /** Of the uncompressed tar. */
  readonly diffId: Digest
  /** True when it was neither read nor compressed. */
  readonly cached: boolean
  /** Where a cached layer was found, if not on this machine: a reference. */
  readonly cachedFrom?: string | undefined
  /** What it is known by in caches: see `layer-key.ts`. */
  readonly shape: string
  readonly key: string
  /** What its descriptor in a manifest says of how it was made. */
  readonly annotations: Readonly<Record<string, string>>
}

export interface LayerBuilder {
  readonly store: ContentStore & Ingester
  readonly cache: LayerCache
  readonly files: FileDigests
  /** Of those files that are hashed already. */
  readonly longFiles?: (() => LongFiles) | undefined
  /** What this process's encoder must be told apart by; `''` for one that gives everybody's bytes. */
  readonly encoderId: (compression: Compression) => string
  readonly deflater: Deflater
  readonly segments: SegmentMemory
  /** Default false; true makes each layer anew and compares: `OCB-CACHE-WRONG` where the cache had another. */
  readonly verify?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** Told of each layer, made or found, with the sha256 of its files in order. */
  readonly tell?: ((layer: MadeLayer) => void) | undefined
}

/** What is known of a layer before it is built. */
export interface LayerHints {
  /** The blob that the last build made in its place: what it has in common with this one is not compressed again. */
  readonly previous?: Descriptor | undefined
  /** Its contents are being hashed. */
  readonly ahead?: HashingAhead | undefined
  readonly size?: Pick<LayerSize, 'contentBytes'> | undefined
}

/** Builds a layer, unless the cache has it. */
export async function buildLayer(
  changeset: Changeset,
  compression: Compression,
  builder: LayerBuilder,
  step: StepHandle,
  hints: LayerHints = {},
): Promise<BuiltLayer> {
  const { name } = changeset
  const { cache, deflater, verify, signal } = builder
  const files = worthRemembering(changeset, builder.files)
  const work: LayerWork = { changeset, compression, builder, step, hints }
  let digests = changesetDigests(changeset, files, builder.longFiles?.())
  const { shape, found } = await lookUp(work, digests)
  const encoderId = builder.encoderId(compression)
  if (found && verify !== true) {
    const { descriptor, diffId, from, key, contents } = found
    builder.tell?.({ changeset, contents, key, compression })
    const annotations = layerAnnotations(shape, key, encoderId)
    return { name, descriptor, diffId, shape, key, cached: true, cachedFrom: from, annotations }
  }
  hints.ahead?.stop()
  let layer: CachedLayer
  try {
    layer = await encode(work, digests)
  } catch (error) {
    if (!(error instanceof StaleSegments)) throw error
    // Something that is remembered is not so any more: without a memory it is made as on the first day.
    digests = changesetDigests(changeset, { ...files, lookup: () => undefined })
    layer = await encode({ ...work, hints: { ...hints, previous: undefined } }, digests)
  }
  if (found) checkSame(name, found, layer)
  const contents = await findDigests(changeset, digests, deflater, signal)
  const key = layerKey(shape, contents)
  cache.keep(shape, key, layer)
  builder.tell?.({ changeset, contents, key, compression })
  const annotations = layerAnnotations(shape, key, encoderId)
  return { name, ...layer, shape, key, cached: false, annotations }
}

interface LayerWork {
  readonly changeset: Changeset
  readonly compression: Compression
  readonly builder: LayerBuilder
  readonly step: StepHandle
  readonly hints: LayerHints
}

interface LookedUp {
  readonly shape: string
  readonly found: (CachedLayer & Pick<MadeLayer, 'key' | 'contents'>) | undefined
}

/** Whether the cache has the layer. */
async function lookUp(work: LayerWork, digests: ChangesetDigests): Promise<LookedUp> {
  const { changeset, compression, builder, hints } = work
  const { cache, deflater, signal } = builder
  const encoderId = builder.encoderId(compression)
  const shape = shapeKey(changeset, compression, encoderId)
  if (!(await cache.mayHave(shape))) return { shape, found: undefined }
  const ahead = await hints.ahead?.finish(signal)
  const contents =
    (ahead && contentsAhead(changeset, ahead)) ?? (await findDigests(changeset, digests, deflater, signal))
  const key = layerKey(shape, contents)
  const layer = await cache.find(shape, key)
  return { shape, found: layer && { ...layer, key, contents } }
}

async function encode(work: LayerWork, digests: ContentDigests): Promise<CachedLayer> {
  const { changeset, compression, builder, step } = work
  const { previous, size } = work.hints
  const { store, segments, deflater, verify, signal } = builder
  const total = size?.contentBytes ?? contentBytes(changeset)
  const known =
    previous === undefined || verify === true ? undefined : await segments.open(previous, { signal })
  try {
    const encoded = encodeLayer(changeset, {
      compression,
      encoderId: builder.encoderId(compression),
      deflater,
      digests,
      small: known !== undefined || total < smallBytes,
      fewBytes: total < smallBytes,
      known,
      signal,
      onProgress: (done) => step.progress(Math.min(done, total), total),
    })
    const descriptor = await store.ingest(encoded.mediaType, encoded.blob, { signal })
    if (compression.type !== 'none') segments.keep(descriptor, encoded.segments())
    return { descriptor, diffId: encoded.diffId() }
  } finally {
    known?.close()
  }
}

function checkSame(name: string, cached: CachedLayer, made: CachedLayer): void {
  const { from } = cached
  const seen = `${cached.descriptor.digest} (diffID ${cached.diffId})`
  const wanted = `${made.descriptor.digest} (diffID ${made.diffId})`
  if (seen === wanted) return
  throw new OciBuildError('OCB-CACHE-WRONG', {
    message: `the layer "${name}" is ${wanted}; ${from ?? 'the cache of this machine'} says that it is ${seen}`,
    hint:
      from === undefined
        ? 'run "ocibuild cache prune --all", then build again'
        : `find out who wrote ${from}; build with --no-cache until it is right again`,
  })
}
