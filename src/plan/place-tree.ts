/** A folder of the host becomes a tree of placements: walked first, then each file looked at. */

import { readStats } from './host-file.ts'
import {
  hostPathsInOrder,
  noMode,
  rowTypes,
  statNumbers,
  treeSources,
  type HostSource,
  type PlacedTree,
} from './placed-tree.ts'
import type { PlacingRules } from './placing-rules.ts'
import { walkColumns, type ColumnsOptions } from './walk-columns.ts'

/** A file of so many bytes is long. */
export const longFileBytes: number = 1024 * 1024

/** Is told of a long file while others are still looked for. */
export type MeetsLong = (file: HostSource) => void

/** As `walkColumns` and `PlacingRules`; `path` is the absolute image path of what the folder becomes. */
export function placeTree(
  path: string,
  hostFolder: string,
  options: ColumnsOptions,
  rules: PlacingRules,
  meetsLong?: MeetsLong,
): PlacedTree {
  const { names, parents, types, hostPaths } = walkColumns(hostFolder, options)
  const { origin, owner, mtime } = rules
  const modes = new Uint16Array(names.length).fill(noMode)
  const stats = new Float64Array(names.length * statNumbers)
  const targets = new Map<number, string>()
  const columns = { hostFolder, names, parents, types, modes, stats, newestMs: 0, targets, hostPaths }
  const tree: PlacedTree = { type: 'tree', path, origin, owner, mtime, columns }
  const hostPathAt = hostPathsInOrder(columns)
  let newestMs = 0
  types.forEach((type, row) => {
    const hostPath = hostPathAt(row)
    switch (rowTypes[type]) {
      case 'directory': {
        const seen = rules.directoryStats(hostPath)
        modes[row] = rules.directoryMode(seen) ?? noMode
        stats[row * statNumbers + 1] = seen?.mtimeMs ?? 0
        break
      }
      case 'symlink':
        targets.set(row, rules.linkTarget(hostPath))
        if (mtime === 'preserve') stats[row * statNumbers + 1] = readStats(hostPath).mtimeMs
        break
      default: {
        const seen = rules.fileStats(hostPath)
        const first = rules.firstLink(seen, () => imagePathOf(tree, row))
        if (first === undefined) {
          const { size, mtimeMs, ctimeMs, ino } = seen
          const at = row * statNumbers
          modes[row] = rules.fileMode(hostPath, seen)
          stats[at] = size
          stats[at + 1] = mtimeMs
          stats[at + 2] = ctimeMs
          stats[at + 3] = ino
          if (mtimeMs > newestMs) newestMs = mtimeMs
          if (ctimeMs > newestMs) newestMs = ctimeMs
          if (size >= longFileBytes) meetsLong?.(treeSources(columns)(row))
        } else {
          types[row] = rowTypes.indexOf('hardlink')
          targets.set(row, first)
        }
      }
    }
  })
  columns.newestMs = newestMs
  return tree
}

function imagePathOf({ path, columns }: PlacedTree, row: number): string {
  const { names, parents } = columns
  const parts: string[] = []
  for (let at = row; at >= 0; at = parents[at] ?? -1) parts.unshift(names[at] ?? '')
  return `${path === '/' ? '' : path}/${parts.join('/')}`
}
