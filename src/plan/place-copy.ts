/** `copy` from the host: files, folders, lists and globs, each to its place in the image. */

import type { EntryOf } from '../config/resolved-spec.ts'
import { OciBuildError } from '../errors.ts'
import { compileGlobs, isGlob } from './glob-rules.ts'
import { createCopyFilter, type CopyFilter } from './copy-filter.ts'
import { excludedBelow, isExcluded, isNeverCopied, type ExcludedPaths } from './excluded-paths.ts'
import { executableRule } from './executable-bit.ts'
import { readDirectory } from './host-file.ts'
import { readIgnoreRules, rulesForNamed } from './ignore-file.ts'
import { below, imagePath } from './image-path.ts'
import { locate, locateIfPresent, noMatch, pathBelowRoot, type Located } from './locate.ts'
import { placeFound } from './place-found.ts'
import { placeTree } from './place-tree.ts'
import type { HiddenBy, Placed } from './placement.ts'
import { createPlacingRules, type PlacingRules } from './placing-rules.ts'
import type { LayerContext } from './plan-context.ts'
import { matchesOf, type Rule } from './rules.ts'
import { findGlob } from './find-glob.ts'

/** What one `copy` entry works with. */
interface Copy {
  readonly entry: EntryOf<'copy'>
  /** Image path of `to`. */
  readonly to: string
  readonly excluded: ExcludedPaths
  readonly include: readonly Rule[] | undefined
  readonly exclude: readonly Rule[]
  readonly placing: PlacingRules
  readonly context: LayerContext
  readonly placements: Placed[]
}

/**
 * Places what a `copy` entry without `from` names. Throws `OCB-COPY-NO-MATCH`, `OCB-COPY-EXCLUDED`, and what
 * `locate`, `walkFolder` and the ignore files throw.
 */
export async function placeCopy(entry: EntryOf<'copy'>, context: LayerContext): Promise<readonly Placed[]> {
  const { root, at } = entry
  const copy: Copy = {
    entry,
    to: imagePath(entry.to, `${at}.to`),
    excluded: excludedBelow(root, context.excludedPaths),
    include: entry.include?.length ? compileGlobs(entry.include, 'include', at) : undefined,
    exclude: compileGlobs(entry.exclude, 'exclude', at),
    placing: createPlacingRules({
      origin: at,
      metadata: entry,
      hardLinks: entry.hardLinks,
      executable: executableRule(root, context.environment),
      windows: context.environment.hostPlatform === 'win32',
    }),
    context,
    placements: [],
  }
  for (const [index, text] of entry.copy.entries()) {
    const key = entry.list ? `${at}.copy[${index}]` : `${at}.copy`
    // A path that exists is meant as it is written, whatever characters it has.
    // With a slash at its end it means the folder, as everywhere: a link to one is looked through.
    const located = locateIfPresent(root, text, key, entry.follow || text.endsWith('/'))
    if (located !== undefined) placeLocated(copy, located, text, key)
    else if (isGlob(text)) await placeGlob(copy, text, key)
    else locate(root, text, key, entry.follow)
  }
  return copy.placements
}

function placeLocated(copy: Copy, located: Located, text: string, key: string): void {
  const { entry, to, placing, placements } = copy
  const { path, hostPath, type } = located
  refuseExcluded(copy, located, text, key)
  if (type === 'directory') {
    placeFolder(copy, located, entry.list ? below(to, path) : to, text, key)
    return
  }
  const name = entry.list ? path : entry.to.endsWith('/') ? path.slice(path.lastIndexOf('/') + 1) : ''
  placements.push(placeFound(below(to, name), hostPath, type, placing))
}

/** A folder: itself, and what the filters leave of it. */
function placeFolder(copy: Copy, located: Located, folder: string, text: string, key: string): void {
  const { entry, excluded, placing, placements, context } = copy
  const { path, hostPath } = located
  const rules = rulesForNamed(readIgnoreRules(entry.root, path === ''), path)
  const hiddenBefore = context.hidden.all()
  const filter = filterFor(copy, rules, path)
  const followRoot = entry.follow ? entry.root : undefined
  const listings = context.listingsOf?.(entry.root)
  const walk = { excluded, filter, followRoot, listings, walks: context.walks }
  const tree = placeTree(folder, hostPath, walk, placing, context.meetsLongOf?.(entry.root))
  if (tree.columns.names.length === 0 && filter !== undefined && readDirectory(hostPath).length > 0) {
    throw nothingLeft(copy, text, key, hiddenBefore)
  }
  // Copying onto the root says nothing about the root itself.
  if (folder !== '/') placements.push(placeFound(folder, hostPath, 'directory', placing))
  placements.push(tree)
}

async function placeGlob(copy: Copy, text: string, key: string): Promise<void> {
  const { entry, to, excluded, placing, placements, context } = copy
  const { root, follow } = entry
  // A glob that is absolute or climbs is brought below the root first; wildcards pass through untouched.
  const glob = pathBelowRoot(root, text, key)
  const hiddenBefore = context.hidden.all()
  const found = await findGlob({
    root,
    glob,
    foldersOnly: text.endsWith('/'),
    at: key,
    follow,
    excluded,
    filterFor: (fixed) => filterFor(copy, readIgnoreRules(root, false), fixed),
  })
  if (found.length === 0) throw nothingLeft(copy, text, key, hiddenBefore)
  for (const item of found) {
    placements.push(placeFound(below(to, item.path), item.hostPath, item.type, placing))
  }
}

/** The filter of a folder that lies at `path` below the root. */
function filterFor(copy: Copy, ignore: readonly Rule[], path: string): CopyFilter | undefined {
  return createCopyFilter(
    {
      ignore,
      ignorePrefix: path === '' ? '' : `${path}/`,
      ignoredTop: matchesOf(ignore, path),
      exclude: copy.exclude,
      include: copy.include,
    },
    copy.context.hidden,
  )
}

function refuseExcluded(copy: Copy, located: Located, text: string, key: string): void {
  const own = located.path.split('/').find(isNeverCopied)
  const git = own === '.git'
  if (own === undefined && !isExcluded(copy.excluded, located.hostPath)) return
  throw new OciBuildError('OCB-COPY-EXCLUDED', {
    message: `${key} "${text}" names ${git ? 'git data' : "an output or the build's cache"}, which is never copied`,
    hint: git ? 'copy the files that you want from the work tree' : 'write the output somewhere else',
  })
}

/** Everything that was there was hidden: say by what. */
function nothingLeft(
  copy: Copy,
  text: string,
  key: string,
  hiddenBefore: readonly HiddenBy[],
): OciBuildError {
  const rules = copy.context.hidden
    .all()
    .filter(({ rule, count }) => count !== hiddenBefore.find((before) => before.rule === rule)?.count)
    .map(({ rule }) => rule)
  if (rules.length > 0) {
    const hint = `change ${rules.length === 1 ? 'the pattern that hides' : 'the patterns that hide'} what is there: ${rules.join(', ')}`
    return noMatch(copy.entry.root, text, key, hint)
  }
  if (copy.include === undefined) return noMatch(copy.entry.root, text, key)
  const globs = (copy.entry.include ?? []).map((glob) => JSON.stringify(glob)).join(', ')
  return noMatch(copy.entry.root, text, key, `correct include: nothing there matches ${globs}`)
}
