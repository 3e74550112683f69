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
  const found = upToDepthThatFits(entries, maxEntries)
  if (found === undefined) return undefined
  const { kept, deepest } = found
  if (kept.length === 0 && entries.length > 0) return undefined
  const closed = kept.filter(({ path, type }) => type === 'directory' && depthOf(path) === deepest)
  return { entries: kept.map(layerEntry), closed: closed.map(({ path }) => path) }
}

/** Undefined: none, or what a layer hides is hidden wherever it lies, and only where the layer is known whole. */
function upToDepthThatFits(
  entries: readonly ChangesetEntry[],
  maxEntries: number,
): { readonly kept: readonly ChangesetEntry[]; readonly deepest: number } | undefined {
  if (entries.some(({ type }) => type === 'whiteout' || type === 'opaque')) return undefined
  // Of what lies at each depth, until there is too much of it: nothing deeper is looked at then.
  const counts: number[] = []
  const counted: ChangesetEntry[] = []
  let fitting = 0
  let deepest = Number.MAX_SAFE_INTEGER
  for (let index = 0; index < entries.length;) {
    const entry = entries[index]
    if (entry === undefined) break
    const depth = depthOf(entry.path)
    if (depth > deepest) {
      index = endOfFolder(entries, index, topOf(entry.path, deepest))
      continue
    }
    index += 1
    counts[depth] = (counts[depth] ?? 0) + 1
    counted.push(entry)
    fitting += 1
    while (fitting > maxEntries) {
      deepest = Math.min(deepest, counts.length) - 1
      fitting -= counts[deepest + 1] ?? 0
      if (deepest < 0) return undefined
    }
  }
  return { kept: counted.filter(({ path }) => depthOf(path) <= deepest), deepest }
}

/** 0: the root directory. */
function depthOf(path: string): number {
  return path === '' ? 0 : path.split('/').length
}

/** The folder at `depth` that a path lies in, with a slash; that of all others is ''. */
function topOf(path: string, depth: number): string {
  return depth === 0 ? '' : `${path.split('/', depth).join('/')}/`
}

/** The index of the first entry from `start` on that does not lie in a folder: in a layer's order all others come before it. */
function endOfFolder(entries: readonly ChangesetEntry[], start: number, folder: string): number {
  const isInside = (index: number): boolean => entries[index]?.path.startsWith(folder) === true
  let [inside, step] = [start, 1]
  while (isInside(inside + step)) {
    inside += step
    step *= 2
  }
  let outside = Math.min(inside + step, entries.length)
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2)
    if (isInside(middle)) inside = middle
    else outside = middle
  }
  return outside
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
