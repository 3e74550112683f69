/** Placements and what lies below them become a changeset: parents, whiteouts, links and owners settled, sorted. */

import { eachPlacement } from '../plan/placed-tree.ts'
import type { Placed, Placement, PlannedLayer } from '../plan/placement.ts'
import { isNumericOwner } from '../rootfs/owners.ts'
import { ClosedDirectory } from '../rootfs/tree-types.ts'
import { addParents, describeDirectories, type DirectoryAttributes } from './add-parents.ts'
import type { Changeset, ChangesetEntry } from './changeset.ts'
import { draftLayer } from './draft-layer.ts'
import { parentOf, type Draft, type DraftEntry } from './draft.ts'
import { settleHardLinks } from './hard-links.ts'
import type { OpenLower } from './lower.ts'
import { ownerLookup, type OwnerLookup } from './owner-lookup.ts'
import { sortEntries } from './sort-entries.ts'
import { setTreesApart, treeEntries, type TreesApart } from './trees-apart.ts'
import { settleWhiteouts } from './whiteouts.ts'

/**
 * Makes the changeset of a layer. Throws `OCB-ENTRY-BELOW-FILE`, `OCB-ENTRY-OVER-DIRECTORY`, `OCB-REMOVE-MISSING`,
 * `OCB-APPEND-MISSING`, `OCB-HARDLINK-TARGET`, `OCB-OWNER-UNKNOWN`, `OCB-PATH-LOOP`.
 */
export async function normalizeLayer(layer: PlannedLayer, openLower: OpenLower): Promise<Changeset> {
  try {
    return await changesetOver(layer, openLower)
  } catch (error) {
    if (!(error instanceof ClosedDirectory)) throw error
    return changesetOver(layer, () => openLower(true))
  }
}

async function changesetOver(layer: PlannedLayer, openLower: OpenLower): Promise<Changeset> {
  const lower = needsLower(layer.placements) ? await openLower() : undefined
  const { trees, others } = setTreesApart(layer.placements, lower?.tree)
  const { draft, view } = await draftLayer(others, lower)
  addParents(draft, view, view.opaque)
  const whiteouts = settleWhiteouts(draft, view)
  if (whiteouts.length > 0) {
    addParents(
      draft,
      view,
      whiteouts.map((path) => parentOf(path) ?? ''),
    )
  }
  const hardLinks = settleHardLinks(draft)
  const treeOwners = Array.from(trees.values(), ({ owner }) => owner)
  const owners = await ownerLookup(draft, treeOwners, lower)
  const directories = describeDirectories(draft, view)
  const entries: ChangesetEntry[] = []
  for (const [path, entry] of draft) {
    entries.push(changesetEntry(path, entry, owners, directories, hardLinks))
  }
  const marker = { mode: 0o644, uid: 0, gid: 0, mtime: 0 }
  for (const path of whiteouts) entries.push({ ...marker, type: 'whiteout', path })
  for (const path of view.opaque) entries.push({ ...marker, type: 'opaque', path })
  return { name: layer.name, entries: withTrees(sortEntries(entries), trees, owners) }
}

/** What fills a directory comes right after it. */
function withTrees(
  sorted: readonly ChangesetEntry[],
  trees: TreesApart['trees'],
  owners: OwnerLookup,
): readonly ChangesetEntry[] {
  if (trees.size === 0) return sorted
  const parts: (readonly ChangesetEntry[])[] = []
  let start = 0
  for (const [index, entry] of sorted.entries()) {
    const tree = entry.type === 'directory' ? trees.get(entry.path) : undefined
    if (tree === undefined) continue
    parts.push(sorted.slice(start, index + 1), treeEntries(tree, owners))
    start = index + 1
  }
  return parts[0]?.concat(...parts.slice(1), sorted.slice(start)) ?? sorted
}

/** Whether what lies below can matter: not where every parent is described by the layer itself (contract, Parents). */
function needsLower(placements: readonly Placed[]): boolean {
  const described = new Set(['/'])
  for (const placement of placements) {
    if (placement.type === 'directory' && placement.explicit) described.add(placement.path)
  }
  for (const placement of eachPlacement(placements)) if (looksBelow(placement, described)) return true
  return false
}

function looksBelow(placement: Placement, described: ReadonlySet<string>): boolean {
  if (placement.type === 'remove' || placement.type === 'append') return true
  if ('owner' in placement && placement.owner !== undefined && !isNumericOwner(placement.owner)) return true
  // Both are written with the directory's own attributes, which are the lower layer's.
  const isDirectory = placement.type === 'opaque' || placement.type === 'directory'
  if (isDirectory && !described.has(placement.path)) return true
  return !described.has(`/${parentOf(placement.path.slice(1)) ?? ''}`)
}

function changesetEntry(
  path: string,
  entry: DraftEntry,
  owners: OwnerLookup,
  directories: ReadonlyMap<string, DirectoryAttributes>,
  hardLinks: Draft,
): ChangesetEntry {
  const { origin } = entry
  switch (entry.type) {
    case 'file': {
      const { mode, mtime, source } = entry
      const { uid, gid } = owners(entry.owner, entry)
      return { type: 'file', path, origin, mode, uid, gid, mtime, source }
    }
    case 'symlink': {
      const { mtime, target } = entry
      return { type: 'symlink', path, origin, mode: 0o777, ...owners(entry.owner, entry), mtime, target }
    }
    case 'directory': {
      const { mode, owner, xattrs } = directories.get(path) ?? {
        mode: 0o755,
        owner: undefined,
        xattrs: undefined,
      }
      return { type: 'directory', path, origin, mode, ...owners(owner, entry), mtime: entry.mtime, xattrs }
    }
    case 'hardlink': {
      const file = hardLinks.get(entry.target)
      if (file?.type !== 'file') throw new Error(`no file at ${entry.target}`)
      const { mode, mtime } = file
      return {
        type: 'hardlink',
        path,
        origin,
        mode,
        ...owners(file.owner, file),
        mtime,
        target: entry.target,
      }
    }
  }
}
