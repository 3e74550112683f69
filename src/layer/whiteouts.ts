/** Which removals are written as whiteouts (image-spec v1.1.1 layer.md, Whiteouts; contract, Order). */

import { parentOf, type Draft } from './draft.ts'
import type { LowerView } from './lower-view.ts'

/**
 * The paths that get a whiteout. A path is never both a whiteout and an entry: removed and made again as a
 * directory it gets an opaque marker, as a file it simply replaces what lies below. Below something removed or
 * opaque nothing is left to hide, nor is there below a file or link that the layer puts over a directory.
 */
export function settleWhiteouts(draft: Draft, view: LowerView): readonly string[] {
  const whiteouts: string[] = []
  const opaque: string[] = []
  for (const path of view.removed) {
    if (isBelowHidden(path, draft, view)) continue
    const again = draft.get(path)
    if (again === undefined) whiteouts.push(path)
    else if (again.type === 'directory') opaque.push(path)
  }
  for (const path of opaque) view.makeOpaque(path)
  return whiteouts
}

function isBelowHidden(path: string, draft: Draft, view: LowerView): boolean {
  for (let parent = parentOf(path); parent !== undefined; parent = parentOf(parent)) {
    if (view.removed.has(parent) || view.opaque.has(parent)) return true
    if ((draft.get(parent)?.type ?? 'directory') !== 'directory') return true
  }
  return false
}
