/** Copied folders that nothing else of their layer touches: what they place is sorted already, and needs no draft. */

import { fileMtimeFor, otherMtimeFor } from '../plan/entry-metadata.ts'
import { noMode, rowPaths, rowTypes, statNumbers, treeSources, type PlacedTree } from '../plan/placed-tree.ts'
import type { Placed } from '../plan/placement.ts'
import type { Tree } from '../rootfs/tree-types.ts'
import type { ChangesetEntry } from './changeset.ts'
import { createLowerView } from './lower-view.ts'
import type { OwnerLookup } from './owner-lookup.ts'

export interface TreesApart {
  /** By the relative image path of the directory that they fill, which is among the others. */
  readonly trees: ReadonlyMap<string, PlacedTree>
  readonly others: readonly Placed[]
}

const hardlink = rowTypes.indexOf('hardlink')

/**
 * Sets such folders apart: not the image's root, nothing of the layer but their own directory at or below their path,
 * nothing of lower layers either, and nothing in the layer that speaks of what others placed (removals, markers, hard
 * links, appended text).
 */
export function setTreesApart(placements: readonly Placed[], lower: Tree | undefined): TreesApart {
  const none = { trees: new Map<string, PlacedTree>(), others: placements }
  const found = placements.filter((placed) => placed.type === 'tree')
  if (found.length === 0 || placements.some(isAboutOthers)) return none
  const view = createLowerView(lower, () => false)
  const trees = new Map<string, PlacedTree>()
  for (const tree of found) {
    const path = tree.path.slice(1)
    // Users and groups are looked for among the other entries.
    if (path === '' || path === 'etc' || tree.columns.types.includes(hardlink)) continue
    if (!isAlone(tree, placements)) continue
    if (view.resolve(tree.path, true) === path && view.get(path) === undefined) trees.set(path, tree)
  }
  if (trees.size === 0) return none
  return { trees, others: placements.filter((placed) => trees.get(placed.path.slice(1)) !== placed) }
}

function isAboutOthers({ type }: Placed): boolean {
  return type === 'remove' || type === 'opaque' || type === 'append' || type === 'hardlink'
}

/** Whether its directory is placed, and nothing else there, below, or, of trees, above. */
function isAlone(tree: PlacedTree, placements: readonly Placed[]): boolean {
  let hasDirectory = false
  for (const placed of placements) {
    if (placed === tree) continue
    if (placed.path === tree.path) {
      if (placed.type !== 'directory') return false
      hasDirectory = true
    } else if (isBelow(placed.path, tree.path)) return false
    else if (placed.type === 'tree' && isBelow(tree.path, placed.path)) return false
  }
  return hasDirectory
}

function isBelow(path: string, folder: string): boolean {
  return (
    folder === '/' || (path.length > folder.length && path[folder.length] === '/' && path.startsWith(folder))
  )
}

/** The entries of a tree that stands apart, in a layer's order, without its directory. */
export function treeEntries(tree: PlacedTree, owners: OwnerLookup): readonly ChangesetEntry[] {
  const { origin, owner, mtime, columns } = tree
  const { types, modes, stats, targets } = columns
  const paths = rowPaths(columns, `${tree.path.slice(1)}/`)
  if (paths.length === 0) return []
  const { uid, gid } = owners(owner, tree)
  const sourceOf = treeSources(columns)
  const timeOf = (row: number): number => stats[row * statNumbers + 1] ?? 0
  return paths.map((path, row): ChangesetEntry => {
    const mode = modes[row] ?? noMode
    switch (rowTypes[types[row] ?? 0]) {
      case 'directory':
        return {
          type: 'directory',
          path,
          origin,
          mode: mode === noMode ? 0o755 : mode,
          uid,
          gid,
          mtime: otherMtimeFor(mtime, timeOf(row)),
          xattrs: undefined,
        }
      case 'symlink':
        return {
          type: 'symlink',
          path,
          origin,
          mode: 0o777,
          uid,
          gid,
          mtime: otherMtimeFor(mtime, timeOf(row)),
          target: targets.get(row) ?? '',
        }
      default:
        return {
          type: 'file',
          path,
          origin,
          mode,
          uid,
          gid,
          mtime: fileMtimeFor(mtime, timeOf(row)),
          source: sourceOf(row),
        }
    }
  })
}
