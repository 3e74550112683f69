/** The top of what a layer holds, small enough to be kept: often all that a layer above it needs to know. */

import type { LayerEntry, LayerEntryType } from '../rootfs/tree-types.ts'
import type { Changeset, ChangesetEntry } from './changeset.ts'
import { layerEntry } from './layer-entry.ts'

export interface LayerSketch {
  /** All entries down to some depth, in the layer's order. */
  readonly entries: readonly LayerEntry[]
  /** Those directories among them of which nothing more is told. */
  readonly closed: readonly string[]
}

/** What a project's own files need is less; a dependency tree's names are never told. */
const mostEntries = 200

/** Keeps as many whole levels of a layer as fit. Undefined where the first does not, or the layer hides something. */
export function sketchOf({ entries }: Changeset, maxEntries: number = mostEntries): LayerSketch | undefined {
  const deepest = deepestThatFits(entries, maxEntries)
  if (deepest === undefined) return undefined
  const kept = entries.filter(({ path }) => depthOf(path, deepest + 1) <= deepest)
  if (kept.length === 0 && entries.length > 0) return undefined
  const closed = kept.filter(({ path, type }) => type === 'directory' && depthOf(path, deepest) === deepest)
  return { entries: kept.map(layerEntry), closed: closed.map(({ path }) => path) }
}

/** Undefined: none, or what a layer hides is hidden wherever it lies, and only where the layer is known whole. */
function deepestThatFits(entries: readonly ChangesetEntry[], maxEntries: number): number | undefined {
  // Of what lies at each depth, until there is too much of it: nothing deeper is counted then.
  const counts: number[] = []
  let deepest = Number.MAX_SAFE_INTEGER
  let counted = 0
  for (const { path, type } of entries) {
    if (type === 'whiteout' || type === 'opaque') return undefined
    const depth = depthOf(path, deepest + 1)
    if (depth > deepest) continue
    counts[depth] = (counts[depth] ?? 0) + 1
    counted += 1
    while (counted > maxEntries) {
      deepest = Math.min(deepest, counts.length) - 1
      counted -= counts[deepest + 1] ?? 0
      if (deepest < 0) return undefined
    }
  }
  return deepest
}

/** 0: the root directory. Not looked for beyond `most`. */
function depthOf(path: string, most: number): number {
  if (path === '') return 0
  let depth = 1
  for (let at = path.indexOf('/'); at >= 0 && depth < most; at = path.indexOf('/', at + 1)) depth += 1
  return depth
}

/** Undefined where it is not what `sketchOf` gave. */
export function parseSketch(value: unknown): LayerSketch | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!('entries' in value && Array.isArray(value.entries))) return undefined
  if (!('closed' in value && Array.isArray(value.closed))) return undefined
  const given: readonly unknown[] = value.entries
  const entries = given.flatMap((entry) => parseEntry(entry) ?? [])
  const folders: readonly unknown[] = value.closed
  const closed = folders.filter((path) => typeof path === 'string')
  return entries.length === given.length && closed.length === folders.length ? { entries, closed } : undefined
}

const types: ReadonlySet<unknown> = new Set<LayerEntryType>(['file', 'directory', 'symlink', 'hardlink'])

function isType(value: unknown): value is LayerEntryType {
  return types.has(value)
}

function parseEntry(value: unknown): LayerEntry | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const fields: Readonly<Record<string, unknown>> = { ...value }
  const { path, type, mode, uid, gid, mtime, size, target, xattrs } = fields
  if (typeof path !== 'string' || !isType(type)) return undefined
  if (typeof mode !== 'number' || typeof uid !== 'number' || typeof gid !== 'number') return undefined
  if (typeof mtime !== 'number' || typeof size !== 'number') return undefined
  if (target !== undefined && typeof target !== 'string') return undefined
  const known = { path, type, mode, uid, gid, mtime, size, target }
  if (xattrs === undefined) return known
  if (typeof xattrs !== 'object' || xattrs === null) return undefined
  const pairs = Object.entries(xattrs).flatMap(([name, text]: [string, unknown]) =>
    typeof text === 'string' ? [[name, text] as const] : [],
  )
  return { ...known, xattrs: Object.fromEntries(pairs) }
}
