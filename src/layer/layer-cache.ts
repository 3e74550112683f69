/** Finished layers, remembered by key: a hit gives the descriptor and diffID of a blob that the staging store holds. */

import { existsSync, readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { writeMemory } from '../content/atomic-file.ts'
import type { ContentStore } from '../content/store.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { isDigest, type Digest } from '../spec/digest.ts'
import { encodeJson } from '../spec/json.ts'

export interface CachedLayer {
  readonly descriptor: Descriptor
  readonly diffId: Digest
  /** The reference that it was found under; undefined: on this machine. */
  readonly from?: string | undefined
}

export interface LayerCache {
  /** Whether any layer of this shape was ever kept: only then are digests worth finding before building. */
  mayHave(shape: string): boolean | Promise<boolean>
  /** The layer, when its record is sound and its blob is there. */
  find(shape: string, key: string): Promise<CachedLayer | undefined>
  keep(shape: string, key: string, layer: CachedLayer): void
}

/** Records lie in `layersDir/SHAPE/KEY.json`. */
export function createLayerCache(
  layersDir: string,
  blobs: ContentStore,
  wallClockMs: () => number,
): LayerCache {
  const recordPath = (shape: string, key: string): string => join(layersDir, shape, `${key}.json`)
  return {
    mayHave: (shape) => existsSync(join(layersDir, shape)),
    async find(shape, key) {
      const path = recordPath(shape, key)
      const layer = readRecord(path)
      if (!layer || !(await blobs.has(layer.descriptor))) return undefined
      markUsed(path, wallClockMs() / 1000)
      return layer
    },
    // Temporaries lie in the one folder that is tidied, not in one of a thousand shapes.
    keep: (shape, key, layer) => writeMemory(recordPath(shape, key), encodeJson(layer), layersDir),
  }
}

/** Least recently used goes first when the cache is pruned. */
function markUsed(path: string, now: number): void {
  try {
    utimesSync(path, now, now)
  } catch {
    // Pruned meanwhile, or a cache of somebody else's: the blob is what matters, and it is there.
  }
}

function readRecord(path: string): CachedLayer | undefined {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
  if (!isRecord(value) || !isRecord(value['descriptor'])) return undefined
  const { diffId, descriptor } = value
  const { mediaType, digest, size } = descriptor
  if (typeof diffId !== 'string' || !isDigest(diffId)) return undefined
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isDigest(digest)) return undefined
  if (typeof size !== 'number' || !Number.isSafeInteger(size)) return undefined
  return { descriptor: { mediaType, digest, size }, diffId }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
