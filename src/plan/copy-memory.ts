/** What `copy` entries placed, for images and platforms that copy the same: the folder is walked once. */

import type { EntryOf } from '../config/resolved-spec.ts'
import { createHiddenLog } from './hidden-log.ts'
import { placeCopy } from './place-copy.ts'
import type { HiddenBy, Placed } from './placement.ts'
import type { LayerContext } from './plan-context.ts'

export interface CopyMemory {
  /** As `placeCopy`. */
  place(entry: EntryOf<'copy'>, context: LayerContext): Promise<readonly Placed[]>
}

interface Copied {
  readonly placements: readonly Placed[]
  readonly hidden: readonly HiddenBy[]
}

/** Holds for as long as nobody writes what is copied: one plan of all images. */
export function createCopyMemory(): CopyMemory {
  const known = new Map<string, Copied>()
  return {
    async place(entry, context) {
      const key = JSON.stringify([{ ...entry, at: '' }, context.excludedPaths])
      let placed = known.get(key)
      if (placed === undefined) {
        const log = createHiddenLog('')
        // A failure tells whose entry it is, and is met by each.
        placed = { placements: await placeCopy(entry, { ...context, hidden: log }), hidden: log.all() }
        known.set(key, placed)
      }
      for (const { rule, count } of placed.hidden) {
        for (let index = 0; index < count; index += 1) context.hidden.add(rule)
      }
      const [first] = placed.placements
      if (first === undefined || first.origin === entry.at) return placed.placements
      return placed.placements.map((placement) => ({ ...placement, origin: entry.at }))
    },
  }
}
