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
import { hashContents } from './content-hashes.ts'
import { encodeLayer } from './encode-layer.ts'
import type { HashingAhead } from './hash-ahead.ts'
import type { CachedLayer, LayerCache } from './layer-cache.ts'
import type { LongFiles } from './long-files.ts'
import { layerAnnotations, layerKey, shapeKey } from './layer-key.ts'
import type { LayerSize } from './planned-memory.ts'
import { checkDigest, sourceSize } from './read-source.ts'
import { StaleSegments, type SegmentMemory } from './segments.ts'
import type { ContentDigests, FileEntry } from './tar-blocks.ts'

const digestBytes = 32
/** A layer of fewer bytes is compressed before threads would have started. */
const smallBytes = 2 * 1024 * 1024
/** So few files are read and hashed before the memory of a project's digests is. */
const fewFiles = { count: 64, bytes: 1024 * 1024 }

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
  readonly longFiles?: LongFiles | undefined
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
  const { ahead } = hints
  const { cache, signal } = builder
  const { name } = changeset
  const encoderId = builder.encoderId(compression)
  const shape = shapeKey(changeset, compression, encoderId)
  const files = worthRemembering(changeset, builder.files)
  let digests = changesetDigests(changeset, files, builder.longFiles)
  let found: CachedLayer | undefined
  if (await cache.mayHave(shape)) {
    await ahead?.finish(signal)
    const contents = await findDigests(changeset, digests, builder.deflater, signal)
    const key = layerKey(shape, contents)
    found = await cache.find(shape, key)
    if (found && builder.verify !== true) {
      builder.tell?.({ changeset, contents, key, compression })
      const { descriptor, diffId, from } = found
      const annotations = layerAnnotations(shape, key, encoderId)
      return { name, descriptor, diffId, shape, key, cached: true, cachedFrom: from, annotations }
    }
  }
  ahead?.stop()
  let layer: CachedLayer
  try {
    layer = await encode(changeset, compression, builder, digests, step, hints)
  } catch (error) {
    if (!(error instanceof StaleSegments)) throw error
    // Something that is remembered is not so any more: without a memory it is made as on the first day.
    digests = changesetDigests(changeset, { ...files, lookup: () => undefined })
    layer = await encode(changeset, compression, builder, digests, step, { ...hints, previous: undefined })
  }
  if (found) checkSame(name, found, layer)
  const contents = await findDigests(changeset, digests, builder.deflater, signal)
  const key = layerKey(shape, contents)
  cache.keep(shape, key, layer)
  builder.tell?.({ changeset, contents, key, compression })
  const annotations = layerAnnotations(shape, key, encoderId)
  return { name, ...layer, shape, key, cached: false, annotations }
}

async function encode(
  changeset: Changeset,
  compression: Compression,
  builder: LayerBuilder,
  digests: ContentDigests,
  step: StepHandle,
  { previous, size }: LayerHints,
): Promise<CachedLayer> {
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

/** Nothing is remembered of few files that are the host's, nor asked. */
function worthRemembering({ entries }: Changeset, files: FileDigests): FileDigests {
  let [count, bytes] = [0, 0]
  for (const entry of entries) {
    if (entry.type !== 'file') continue
    count += 1
    bytes += sourceSize(entry.source)
    if (count > fewFiles.count || bytes > fewFiles.bytes) return files
  }
  return { ...files, lookup: () => undefined, remember() {} }
}

/** The sha256 of every file of a changeset, 32 bytes each, in order: remembered, or read and hashed. */
export function contentDigests(
  changeset: Changeset,
  files: FileDigests,
  deflater: Deflater,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  return findDigests(changeset, changesetDigests(changeset, files), deflater, signal)
}

/** The bytes of all files of a changeset. */
export function contentBytes(changeset: Changeset): number {
  let total = 0
  for (const entry of changeset.entries) if (entry.type === 'file') total += sourceSize(entry.source)
  return total
}

interface ChangesetDigests extends ContentDigests {
  /** All of them, once they are found: 32 bytes a file. */
  readonly contents: Uint8Array
  /** Files whose digest was neither asked for nor found so far. */
  left(): number
}

/** Digests of one changeset: this pass's, then what the source says, then what is remembered. */
function changesetDigests(
  { entries }: Changeset,
  files: FileDigests,
  longFiles?: LongFiles,
): ChangesetDigests {
  let count = 0
  for (const { type } of entries) if (type === 'file') count += 1
  const contents = new Uint8Array(count * digestBytes)
  const isFound = new Uint8Array(count)
  let left = count
  const set = (index: number, digest: Uint8Array): void => {
    contents.set(digest, index * digestBytes)
    if (isFound[index] === 0) left -= 1
    isFound[index] = 1
  }
  return {
    contents,
    left: () => left,
    known(entry, index) {
      if (isFound[index] === 1) return contents.subarray(index * digestBytes, (index + 1) * digestBytes)
      const { source } = entry
      if (source.kind === 'bytes') return undefined
      const digest =
        source.digest === undefined
          ? files.lookup(source)
          : Buffer.from(source.digest.slice('sha256:'.length), 'hex')
      if (digest !== undefined) set(index, digest)
      return digest
    },
    found(entry, index, digest) {
      checkDigest(entry.source, digest)
      set(index, digest)
      if (entry.source.kind === 'host') files.remember(entry.source, digest)
    },
    coming: ({ source }) => longFiles?.digestOf(source),
    // Bytes at hand are nobody's to write.
    isSettled: ({ source }) => source.kind === 'bytes' || files.isSettled(source),
  }
}

/** The digest of every file in order; what is not known is read and hashed. */
async function findDigests(
  changeset: Changeset,
  digests: ChangesetDigests,
  deflater: Deflater,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { contents } = digests
  if (digests.left() === 0) return contents
  const unknown: { readonly entry: FileEntry; readonly index: number }[] = []
  let index = 0
  for (const entry of changeset.entries) {
    if (entry.type !== 'file') continue
    const known = digests.known(entry, index)
    if (known === undefined) unknown.push({ entry, index })
    index += 1
  }
  if (unknown.length === 0) return contents
  const sources = unknown.map(({ entry }) => entry.source)
  for (const [place, digest] of (await hashContents(sources, deflater, signal)).entries()) {
    const file = unknown[place]
    if (file !== undefined) digests.found(file.entry, file.index, digest)
  }
  return contents
}
