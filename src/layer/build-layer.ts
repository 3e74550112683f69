/** A changeset becomes a stored layer: taken from the cache, or built in one pass. */

import { setImmediate } from 'node:timers/promises'
import type { FileDigests } from '../cache/file-digests.ts'
import type { Compression } from '../config/resolved-spec.ts'
import type { ContentStore, Ingester } from '../content/store.ts'
import { throwIfAborted } from '../errors.ts'
import type { StepHandle } from '../events.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { Changeset } from './changeset.ts'
import { encodeLayer } from './encode-layer.ts'
import type { LayerCache } from './layer-cache.ts'
import { layerKey, shapeKey } from './layer-key.ts'
import { hashInPieces, sourceSize } from './read-source.ts'
import type { ContentDigests, FileEntry } from './tar-blocks.ts'

export interface BuiltLayer {
  readonly name: string
  readonly descriptor: Descriptor
  /** Of the uncompressed tar. */
  readonly diffId: Digest
  /** True when it was neither read nor compressed. */
  readonly cached: boolean
}

export interface LayerBuilder {
  readonly store: ContentStore & Ingester
  readonly cache: LayerCache
  readonly files: FileDigests
  /** What this process's encoder must be told apart by; `''` for one that gives everybody's bytes. */
  readonly encoderId: (compression: Compression) => Promise<string>
  readonly signal?: AbortSignal | undefined
}

export async function buildLayer(
  changeset: Changeset,
  compression: Compression,
  builder: LayerBuilder,
  step: StepHandle,
): Promise<BuiltLayer> {
  const { cache, signal } = builder
  const { name } = changeset
  const shape = shapeKey(changeset, compression, await builder.encoderId(compression))
  const digests = changesetDigests(builder.files)
  if (cache.mayHave(shape)) {
    const key = layerKey(shape, await findDigests(changeset, digests, signal))
    const found = await cache.find(shape, key)
    if (found) return { name, ...found, cached: true }
  }
  const total = contentBytes(changeset)
  const encoded = encodeLayer(changeset, {
    compression,
    digests,
    signal,
    onProgress: (done) => step.progress(Math.min(done, total), total),
  })
  const descriptor = await builder.store.ingest(encoded.mediaType, encoded.blob, { signal })
  const layer = { descriptor, diffId: encoded.diffId() }
  cache.keep(shape, layerKey(shape, await findDigests(changeset, digests, signal)), layer)
  return { name, ...layer, cached: false }
}

/** The bytes of all files of a changeset. */
export function contentBytes(changeset: Changeset): number {
  let total = 0
  for (const entry of changeset.entries) if (entry.type === 'file') total += sourceSize(entry.source)
  return total
}

/** Digests of one changeset: this pass's, then what the source says, then what is remembered. */
function changesetDigests(files: FileDigests): ContentDigests {
  const found = new Map<FileEntry, string>()
  return {
    known(entry) {
      const hex = found.get(entry)
      if (hex !== undefined) return hex
      const { source } = entry
      if (source.kind === 'bytes') return undefined
      return source.digest?.slice('sha256:'.length) ?? files.lookup(source)
    },
    found(entry, hex) {
      found.set(entry, hex)
      if (entry.source.kind === 'host') files.remember(entry.source, hex)
    },
  }
}

/** The digest of every file in order; what is not known is read and hashed. */
async function findDigests(
  changeset: Changeset,
  digests: ContentDigests,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const scratch = Buffer.allocUnsafeSlow(1024 * 1024)
  const contents: string[] = []
  for (const entry of changeset.entries) {
    if (entry.type !== 'file') continue
    let hex = digests.known(entry)
    if (hex === undefined) {
      hex = await hashFile(entry, scratch, signal)
      digests.found(entry, hex)
      // Small files are read without waiting; signals and timers get a turn between some.
      if (contents.length % 256 === 0) await setImmediate()
    }
    contents.push(hex)
  }
  return contents
}

async function hashFile(
  { source }: FileEntry,
  scratch: Buffer,
  signal: AbortSignal | undefined,
): Promise<string> {
  const pieces = hashInPieces(source, scratch)
  try {
    for (;;) {
      throwIfAborted(signal)
      const next = pieces.next()
      if (next.done === true) return next.value
      await setImmediate()
    }
  } finally {
    pieces.return('')
  }
}
