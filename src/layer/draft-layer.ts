/** Placements in the spec's order become a draft: paths resolved through the lower layers, a later entry over an earlier. */

import { errorAbout, OciBuildError } from '../errors.ts'
import { eachPlacement } from '../plan/placed-tree.ts'
import type { Placed, Placement } from '../plan/placement.ts'
import { appendToLower } from './append-to-lower.ts'
import type { Draft, DraftEntry } from './draft.ts'
import type { LowerFiles } from './lower.ts'
import { createLowerView, type LowerView } from './lower-view.ts'

export async function draftLayer(
  placements: readonly Placed[],
  lower: LowerFiles | undefined,
): Promise<{ readonly draft: Draft; readonly view: LowerView }> {
  const draft: Draft = new Map()
  const view = createLowerView(lower?.tree, (path) => draft.has(path))
  for (const placement of eachPlacement(placements)) {
    try {
      // An await for each of many thousand files costs more than their places.
      if (placement.type === 'append') await appendToLower(draft, view, lower, placement)
      else place(draft, view, placement)
    } catch (error) {
      // Paths are resolved without knowing whose they are.
      throw errorAbout(placement.origin, error)
    }
  }
  return { draft, view }
}

function place(draft: Draft, view: LowerView, placement: Exclude<Placement, { type: 'append' }>): void {
  switch (placement.type) {
    case 'remove':
      remove(draft, view, placement)
      break
    case 'opaque':
      view.makeOpaque(view.resolve(placement.path, true))
      break
    case 'directory':
      placeDirectory(draft, view, placement)
      break
    default:
      draft.set(checkedPath(view, placement), draftEntry(placement, view))
  }
}

type Leaf = Extract<Placement, { readonly type: 'file' | 'symlink' | 'hardlink' }>
type Directory = Extract<Placement, { readonly type: 'directory' }>

function draftEntry(placement: Leaf, view: LowerView): DraftEntry {
  const { origin } = placement
  switch (placement.type) {
    case 'file':
      // As it is: nearly all entries are files, and nobody asks a draft for its path.
      return placement
    case 'symlink': {
      const { owner, target } = placement
      return { type: 'symlink', origin, owner, target, mtime: fixedTime(placement.mtime) }
    }
    case 'hardlink':
      return { type: 'hardlink', origin, target: view.resolve(placement.target) }
  }
}

/** Where a file or link goes; it may replace what is below, but not a directory that has something in it. */
function checkedPath(view: LowerView, placement: Placement): string {
  const path = view.resolve(placement.path)
  const below = view.get(path)
  if (below?.type === 'symlink') view.hideLink()
  if (path === '' || (below?.type === 'directory' && view.hasChildren(path))) {
    throw new OciBuildError('OCB-ENTRY-OVER-DIRECTORY', {
      message: `${placement.origin} puts a ${placement.type} at /${path}, where a lower layer has a directory that is not empty`,
      hint:
        path === ''
          ? 'write to a path below /'
          : `add { remove: "/${path}" } to the layer first, or write to another path`,
    })
  }
  return path
}

function placeDirectory(draft: Draft, view: LowerView, placement: Directory): void {
  // A folder copied onto a link to a folder goes where the link leads, as with cp and Docker's COPY. A directory of
  // the spec is written as it says, since a layer of such directories alone is made without a look at what lies below:
  // an entry that makes another one look must not move it.
  const path = view.resolve(placement.path, !placement.explicit)
  if (path === '' && !placement.explicit) return
  const below = view.get(path)
  if (below && below.type !== 'directory') {
    const leadsTo = below.type === 'symlink' ? view.resolve(placement.path, true) : undefined
    throw new OciBuildError('OCB-ENTRY-BELOW-FILE', {
      message: `${placement.origin} puts a directory at /${path}, where a lower layer has a ${below.type}${leadsTo === undefined ? '' : ` to /${leadsTo}`}`,
      hint: `add { remove: "/${path}" } to the layer first, or write to ${leadsTo === undefined ? 'another path' : `/${leadsTo}`}`,
    })
  }
  const { origin, explicit, owner, mode } = placement
  const earlier = draft.get(path)
  // What a copy happens to hold says nothing about a directory that the spec has described.
  if (earlier?.type === 'directory' && earlier.explicit && !explicit) return
  draft.set(path, { type: 'directory', origin, explicit, owner, mode, mtime: fixedTime(placement.mtime) })
}

function remove(draft: Draft, view: LowerView, placement: Placement): void {
  const path = view.resolve(placement.path)
  if (path === '') {
    throw new OciBuildError('OCB-REMOVE-MISSING', {
      message: `${placement.origin} removes the root of the image`,
      hint: 'name a path below /, or use { opaque: "/" } to hide everything below',
    })
  }
  for (const placed of draft.keys()) {
    if (placed === path || placed.startsWith(`${path}/`)) draft.delete(placed)
  }
  if (view.get(path) !== undefined) {
    view.remove(path)
  } else if (!view.removed.has(path)) {
    throw new OciBuildError('OCB-REMOVE-MISSING', {
      message: `${placement.origin} removes /${path}, which no lower layer has`,
      hint: 'correct the path, or leave the entry out',
    })
  }
}

/** Only regular files have a time made of their content. */
function fixedTime(mtime: number | 'content'): number {
  return mtime === 'content' ? 0 : mtime
}
