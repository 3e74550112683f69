/** What was found on the host becomes placements, one at a time. */

import { otherMtimeFor, fileMtimeFor } from './entry-metadata.ts'
import { hostSourceOf, readStats, type HostType } from './host-file.ts'
import type { Placement } from './placement.ts'
import { createPlacingRules, type PlacerOptions, type PlacingRules } from './placing-rules.ts'

export interface FoundPlacer {
  /** Makes the placement of one thing of the host at an absolute image path. */
  place(imagePath: string, hostPath: string, type: HostType): Placement
}

/** A placer for one entry: with `hardLinks: 'preserve'` it remembers the files that it placed. */
export function createFoundPlacer(options: PlacerOptions): FoundPlacer {
  const rules = createPlacingRules(options)
  return { place: (path, hostPath, type) => placeFound(path, hostPath, type, rules) }
}

/** Throws what the rules throw. */
export function placeFound(path: string, hostPath: string, type: HostType, rules: PlacingRules): Placement {
  const { origin, owner, mtime } = rules
  switch (type) {
    case 'file': {
      const stats = rules.fileStats(hostPath)
      const target = rules.firstLink(stats, () => path)
      if (target !== undefined) return { type: 'hardlink', path, origin, target }
      const mode = rules.fileMode(hostPath, stats)
      const seconds = fileMtimeFor(mtime, stats.mtimeMs)
      return {
        type: 'file',
        path,
        origin,
        mode,
        owner,
        mtime: seconds,
        source: hostSourceOf(hostPath, stats),
      }
    }
    case 'directory': {
      const stats = rules.directoryStats(hostPath)
      const mode = rules.directoryMode(stats)
      const seconds = otherMtimeFor(mtime, stats?.mtimeMs ?? 0)
      return { type: 'directory', path, origin, mode, owner, mtime: seconds, explicit: false }
    }
    case 'symlink': {
      const seconds = otherMtimeFor(mtime, mtime === 'preserve' ? readStats(hostPath).mtimeMs : 0)
      return { type: 'symlink', path, origin, target: rules.linkTarget(hostPath), owner, mtime: seconds }
    }
  }
}
