/** Outputs and the cache as they lie below a root: what no copy may take. */

import { realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'

export interface ExcludedPaths {
  /** Absolute host paths. */
  readonly paths: ReadonlySet<string>
  /** Folders on the way to one: without other content they are only there because of it, and are not taken. */
  readonly parents: ReadonlySet<string>
}

/** git's data and our own output folder, wherever they lie. */
const neverCopied: ReadonlySet<string> = new Set(['.git', '.ocibuild'])

/** Whether a name is never copied, whatever folder it lies in. */
export function isNeverCopied(name: string): boolean {
  return neverCopied.has(name)
}

/** Globs for what is never copied. */
export const neverCopiedGlobs: readonly string[] = [...neverCopied].flatMap((name) => [
  `**/${name}`,
  `**/${name}/**`,
])

/** Outputs and the cache that lie in `root`, as the root spells them and with all links followed. They need not exist. */
export function excludedBelow(root: string, outputs: readonly string[]): ExcludedPaths {
  const realRoot = realPath(root)
  const paths = new Set<string>()
  const parents = new Set<string>()
  for (const output of outputs) {
    for (const [spelled, base] of [
      [resolve(output), root],
      [realPath(output), realRoot],
    ] as const) {
      const below = relative(base, spelled)
      if (below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) continue
      for (const top of [root, realRoot]) {
        paths.add(join(top, below))
        for (let folder = dirname(below); folder !== '.'; folder = dirname(folder))
          parents.add(join(top, folder))
      }
    }
  }
  return { paths, parents }
}

/** Whether a path is one of the excluded, or in one. */
export function isExcluded(excluded: ExcludedPaths, path: string): boolean {
  if (excluded.paths.size === 0) return false
  for (let current = path; ; current = dirname(current)) {
    if (excluded.paths.has(current)) return true
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
