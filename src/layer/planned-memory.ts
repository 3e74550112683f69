/** What the last build made of a layer, by the fingerprint of its placements: where nothing changed, nothing is looked into. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeMemory } from '../content/atomic-file.ts'
import { sha256 } from '../content/hash.ts'
import { encodeJson } from '../spec/json.ts'
import type { CachedLayer, LayerCache } from './layer-cache.ts'
import { parseSketch, type LayerSketch } from './layer-sketch.ts'

export interface LayerSize {
  /** Of its changeset, parents counted. */
  readonly entries: number
  /** Of its files. */
  readonly contentBytes: number
}

/** Of `layer-key.ts`, with what `plan` and progress tell of a layer. */
export interface LayerFacts {
  readonly shape: string
  readonly key: string
  readonly size: LayerSize
  /** For layers above it. */
  readonly sketch: LayerSketch | undefined
}

/** The facts, and the layer that the cache holds. */
export interface RememberedLayer extends LayerFacts, CachedLayer {
  /** What it was made of; undefined where that could not be told without reading it. */
  readonly fingerprint: string | undefined
}

export interface PlannedMemory {
  /** What a place, a layer of a project, held last. */
  last(place: string): Promise<RememberedLayer | undefined>
  keep(place: string, fingerprint: string | undefined, facts: LayerFacts): void
}

export function createPlannedMemory(dir: string, cache: LayerCache): PlannedMemory {
  const pathOf = (place: string): string => join(dir, `${sha256(place).slice('sha256:'.length, 39)}.json`)
  return {
    async last(place) {
      const facts = readFacts(pathOf(place))
      const layer = facts && (await cache.find(facts.shape, facts.key))
      return facts && layer && { ...facts, ...layer }
    },
    keep(place, fingerprint, { shape, key, size, sketch }) {
      writeMemory(pathOf(place), encodeJson({ fingerprint, shape, key, ...size, sketch }))
    },
  }
}

function readFacts(path: string): Omit<RememberedLayer, keyof CachedLayer> | undefined {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (!('shape' in value && 'key' in value)) return undefined
  if (!('entries' in value && 'contentBytes' in value)) return undefined
  const { shape, key, entries, contentBytes } = value
  const fingerprint =
    'fingerprint' in value && typeof value.fingerprint === 'string' ? value.fingerprint : undefined
  if (typeof shape !== 'string' || typeof key !== 'string') return undefined
  if (typeof entries !== 'number' || typeof contentBytes !== 'number') return undefined
  const sketch = 'sketch' in value ? parseSketch(value.sketch) : undefined
  return { fingerprint, shape, key, size: { entries, contentBytes }, sketch }
}
