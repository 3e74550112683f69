/** `include` and `exclude`: globs over relative paths. */

import picomatch from 'picomatch'

export type PathFilter = (path: string) => boolean

/**
 * Whether a relative path is included (or no `include` is given) and not excluded. A matched directory includes
 * its tree. Dot files match; case counts, on every host.
 */
export function createPathFilter(
  include: readonly string[] | undefined,
  exclude: readonly string[] | undefined,
): PathFilter {
  const included = include === undefined || include.length === 0 ? () => true : matchTree(include)
  const excluded = exclude === undefined || exclude.length === 0 ? () => false : matchTree(exclude)
  return (path) => included(path) && !excluded(path)
}

/** Whether a glob, or any of several, matches a path; `./`, a leading and a trailing slash of the glob mean nothing. */
export function matchGlob(globs: readonly string[]): PathFilter {
  const normal = globs.map((glob) => glob.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, ''))
  return picomatch(normal, { dot: true, nocase: false, windows: false })
}

/** Whether the path or a directory that it is in matches. */
export function matchTree(globs: readonly string[]): PathFilter {
  const matches = matchGlob(globs)
  const known = new Map<string, boolean>([['', false]])
  function directoryMatches(path: string): boolean {
    let answer = known.get(path)
    if (answer === undefined) {
      answer = directoryMatches(parentOf(path)) || matches(path)
      known.set(path, answer)
    }
    return answer
  }
  return (path) => directoryMatches(parentOf(path)) || matches(path)
}

/** '' for a name directly below the root. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}
