/** What a glob of a `copy` entry takes: its matches, their trees, less what is filtered out. */

import { dirname, join } from 'node:path'
import type { CopyFilter, DirectoryVerdict, FilterState } from './copy-filter.ts'
import { matchGlob, splitGlob, type GlobMatch } from './glob-files.ts'
import { compileGlobs } from './glob-rules.ts'
import { hostTypeOf } from './host-file.ts'
import { checkName } from './host-names.ts'
import { locateIfPresent } from './locate.ts'
import { lastMatch } from './rules.ts'
import { walkFolder, type Found } from './walk-folder.ts'

export interface GlobSearch {
  /** Absolute. */
  readonly root: string
  /** Below the root. */
  readonly glob: string
  readonly at: string
  readonly follow: boolean
  readonly excluded: ReadonlySet<string>
  /** The filter of the folder that the glob begins in, given as a path below the root. */
  readonly filterFor: (fixed: string) => CopyFilter | undefined
}

/** Paths are relative to the glob's fixed part, sorted; empty when nothing matches. Throws as `walkFolder`. */
export async function findGlob(search: GlobSearch): Promise<readonly Found[]> {
  const { root, glob, at, follow, excluded } = search
  const { fixed, rest } = splitGlob(root, glob, at)
  const folder = locateIfPresent(root, fixed === '' ? '.' : fixed, at, true)
  if (folder?.type !== 'directory' || fixed.split('/').includes('.git')) return []
  const filter = search.filterFor(fixed)
  if (follow) return findFollowed(folder.hostPath, rest, search, filter)

  const verdictOf = filter && rememberVerdicts(filter)
  const found: Found[] = []
  let tree = ''
  for (const match of await matchGlob(folder.hostPath, rest)) {
    const { path, hostPath } = match
    // Its folder was matched too, and a folder is taken with all it holds.
    if (tree !== '' && path.startsWith(tree)) continue
    if (excludes(excluded, folder.hostPath, hostPath)) continue
    if (match.stats.isDirectory()) {
      tree = `${path}/`
      takeTree(found, match, search, filter, verdictOf?.(path))
    } else if (filter === undefined || filter.takes(path, verdictOf?.(parentOf(path))?.state ?? filter.top)) {
      checkName(dirname(hostPath), path.slice(path.lastIndexOf('/') + 1))
      found.push({ path, hostPath, type: hostTypeOf(hostPath, match.stats) })
    }
  }
  return found
}

function takeTree(
  found: Found[],
  match: GlobMatch,
  search: GlobSearch,
  filter: CopyFilter | undefined,
  entered: DirectoryVerdict | undefined,
): void {
  if (entered?.verdict === 'skip') return
  const { path, hostPath } = match
  checkName(dirname(hostPath), path.slice(path.lastIndexOf('/') + 1))
  const { excluded } = search
  const state = entered?.state
  const inside = walkFolder(hostPath, { excluded, filter, followRoot: undefined, start: { path, state } })
  if (entered?.verdict === 'through' && inside.length === 0) return
  found.push({ path, hostPath, type: 'directory' })
  for (const item of inside) found.push(item)
}

/**
 * With links followed: a walk that knows loops and the root's border, then the glob over what it found. Folders on
 * the way to a match are not matches.
 */
function findFollowed(
  folder: string,
  rest: string,
  search: GlobSearch,
  filter: CopyFilter | undefined,
): readonly Found[] {
  const { root, at, excluded } = search
  const rules = compileGlobs([rest.startsWith('!') ? `./${rest}` : rest], 'copy', at)
  const all = walkFolder(folder, { excluded, filter, followRoot: root })
  return all.filter(({ path }) => {
    for (let current = path; current !== ''; current = parentOf(current)) {
      if (lastMatch(rules, current, undefined) === 0) return true
    }
    return false
  })
}

/** The verdict on a folder and its parents, each judged once. '' is the filter's top. */
function rememberVerdicts(filter: CopyFilter): (path: string) => DirectoryVerdict {
  const known = new Map<string, DirectoryVerdict>()
  const top: FilterState = filter.top
  const verdictOf = (path: string): DirectoryVerdict => {
    if (path === '') return { verdict: 'take', state: top }
    const seen = known.get(path)
    if (seen !== undefined) return seen
    const verdict = filter.enter(path, verdictOf(parentOf(path)).state)
    known.set(path, verdict)
    return verdict
  }
  return verdictOf
}

/** Whether a match is excluded, or lies in something that is. */
function excludes(excluded: ReadonlySet<string>, folder: string, hostPath: string): boolean {
  if (excluded.size === 0) return false
  for (let current = join(hostPath); current.length >= folder.length; current = dirname(current)) {
    if (excluded.has(current)) return true
    if (dirname(current) === current) break
  }
  return false
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '' : path.slice(0, slash)
}
