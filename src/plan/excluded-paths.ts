/** Outputs and the cache as they lie below a root: what no copy may take. */

import { realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'

/**
 * The paths that lie in `root`, as the root spells them and with all links followed. Paths need not exist.
 */
export function excludedBelow(root: string, paths: readonly string[]): ReadonlySet<string> {
  const realRoot = realPath(root)
  const excluded = new Set<string>()
  for (const path of paths) {
    const real = realPath(path)
    for (const [spelled, base] of [
      [resolve(path), root],
      [real, realRoot],
    ] as const) {
      const below = relative(base, spelled)
      if (below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) continue
      excluded.add(join(root, below))
      excluded.add(join(realRoot, below))
    }
  }
  return excluded
}

/** Whether a path is one of the excluded, or in one. */
export function isExcluded(excluded: ReadonlySet<string>, path: string): boolean {
  if (excluded.size === 0) return false
  for (let current = path; ; current = dirname(current)) {
    if (excluded.has(current)) return true
    if (dirname(current) === current) return false
  }
}

/** Links followed as far as the path exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPath(parent), basename(path))
  }
}
