/** What a glob of a `copy` entry takes: its matches, their trees, less what is filtered out. */

import { dirname } from 'node:path'
import type { CopyFilter, DirectoryVerdict, FilterState } from './copy-filter.ts'
import { isExcluded, isNeverCopied, type ExcludedPaths } from './excluded-paths.ts'
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
  /** Below the root, normalised. */
  readonly glob: string
  /** It was written with a trailing slash: only folders match. */
  readonly foldersOnly: boolean
  readonly at: string
  readonly follow: boolean
  readonly excluded: ExcludedPaths
  /** The filter of the folder that the glob begins in, given as a path below the root. */
  readonly filterFor: (fixed: string) => CopyFilter | undefined
}

/** Paths are relative to the glob's fixed part, sorted; empty when nothing matches. Throws as `walkFolder`. */
export async function findGlob(search: GlobSearch): Promise<readonly Found[]> {
  const { root, glob, at, follow, excluded } = search
  const { fixed, rest } = splitGlob(root, glob)
  const folder = locateIfPresent(root, fixed === '' ? '.' : fixed, at, true)
  if (folder?.type !== 'directory' || fixed.split('/').some(isNeverCopied)) return []
  const filter = search.filterFor(fixed)
  if (follow) return findFollowed(folder.hostPath, rest, search, filter)

  const verdictOf = filter && rememberVerdicts(filter)
  const found: Found[] = []
  let tree = ''
  for (const match of await matchGlob(folder.hostPath, rest)) {
    const { path, hostPath } = match
    // Its folder was matched too, and a folder is taken with all it holds.
    if (tree !== '' && path.startsWith(tree)) continue
    if (isExcluded(excluded, hostPath)) continue
    if (match.stats.isDirectory()) {
      tree = `${path}/`
      takeTree(found, match, search, filter, verdictOf?.(path))
    } else if (search.foldersOnly) {
      continue
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
  const through = entered?.verdict === 'through' || excluded.parents.has(hostPath)
  if (through && inside.length === 0) return
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
  return all.filter(({ path, type }) => {
    const first = search.foldersOnly && type !== 'directory' ? parentOf(path) : path
    for (let current = first; current !== ''; current = parentOf(current)) {
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

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '' : path.slice(0, slash)
}
