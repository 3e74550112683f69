/** The host files that the entries of a spec name, without looking for them: also those that are gone. */

import { lstatSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { EntryOf, EntrySpec, ImageSpec, LayerSpec } from '../config/resolved-spec.ts'
import { createCopyFilter, type CopyFilter } from '../plan/copy-filter.ts'
import { splitGlob } from '../plan/glob-files.ts'
import { compileGlob, compileGlobs, isGlob } from '../plan/glob-rules.ts'
import { createHiddenLog } from '../plan/hidden-log.ts'
import { readIgnoreRules, rulesForNamed } from '../plan/ignore-file.ts'
import { pathBelowRoot } from '../plan/locate.ts'
import { matchesOf, mayMatchBelow, type Rule } from '../plan/rules.ts'
import type { Reference } from '../spec/reference.ts'
import { realParents, realPath, type Input } from './input.ts'

/** The inputs of an image's layers on every platform, and its base where that lies on this host. */
export async function entryInputs(spec: ImageSpec): Promise<readonly Input[]> {
  const layers: LayerSpec[] = []
  for (const platform of spec.platforms) layers.push(...(await spec.layersFor(platform)))
  const inputs = layers.flatMap(({ entries }) => entries.flatMap((entry) => inputsOf(entry, spec.root)))
  return [...ofReference(spec.base, spec.root, 'base'), ...inputs]
}

function inputsOf(entry: EntrySpec, specRoot: string): readonly Input[] {
  switch (entry.verb) {
    case 'copy':
      return entry.from === undefined
        ? copyInputs(entry)
        : ofReference(entry.from, specRoot, `${entry.at}.from`)
    case 'append':
      return entry.copy === undefined ? [] : [hostFile(entry.root, entry.copy, `${entry.at}.copy`)]
    case 'archive':
      return [hostFile(entry.root, entry.archive, `${entry.at}.archive`)]
    default:
      return []
  }
}

function ofReference(reference: Reference, root: string, at: string): readonly Input[] {
  if (!('path' in reference)) return []
  return [{ root: realPath(resolve(root, reference.path)), what: `${at} "${reference.path}"` }]
}

function hostFile(root: string, path: string, at: string): Input {
  return { root: realPath(resolve(root, path)), what: `${at} "${path}"` }
}

function copyInputs(entry: EntryOf<'copy'>): readonly Input[] {
  const { root, at } = entry
  const exclude = compileGlobs(entry.exclude, 'exclude', at)
  const include = entry.include?.length ? compileGlobs(entry.include, 'include', at) : undefined
  const filterFor = (ignore: readonly Rule[], path: string): CopyFilter | undefined => {
    const ignorePrefix = path === '' ? '' : `${path}/`
    const rules = { ignore, ignorePrefix, ignoredTop: matchesOf(ignore, path), exclude, include }
    return createCopyFilter(rules, createHiddenLog(''))
  }
  const found = entry.copy.flatMap((text, index): Input[] => {
    const key = entry.list ? `${at}.copy[${index}]` : `${at}.copy`
    const what = `${key} "${text}"`
    const path = pathBelowRoot(root, text, key)
    if (isGlob(text) && !exists(join(root, path))) return [globInput(root, path, text, what, filterFor)]
    const ignore = rulesForNamed(readIgnoreRules(root, path === ''), path)
    const filter = filterFor(ignore, path)
    const throughLink = entry.follow || text.endsWith('/') || path === ''
    const place = throughLink ? realPath(join(root, path)) : realParents(join(root, path))
    return [{ root: place, what, takes: (below) => takesBelow(filter, below) }]
  })
  const top = realPath(root)
  // A followed link may lead anywhere below the root.
  if (entry.follow) found.push({ root: top, what: `${at}.root, in which links are followed` })
  const filters = ['.ociignore', '.dockerignore'].map((name): Input => {
    return { root: join(top, name), what: `${at}.copy, which it filters`, optional: true }
  })
  return [...found, ...filters]
}

function globInput(
  root: string,
  glob: string,
  text: string,
  what: string,
  filterFor: (ignore: readonly Rule[], path: string) => CopyFilter | undefined,
): Input {
  const { fixed, rest } = splitGlob(root, glob)
  const filter = filterFor(readIgnoreRules(root, false), fixed)
  const regex = compileGlob(rest, what)
  const rules = compileGlobs([rest], 'copy', what)
  const foldersOnly = text.endsWith('/')
  return {
    root: realPath(join(root, fixed)),
    what,
    takes(path) {
      if (path === '') return true
      const plain = path.replace(/\/$/, '')
      const names = plain.split('/')
      // A matched folder is taken with its tree.
      const matched = names.some((_, index) => {
        const isFolder = index < names.length - 1 || path.endsWith('/')
        return (isFolder || !foldersOnly) && regex.test(names.slice(0, index + 1).join('/'))
      })
      // What is in a folder that stands for its tree cannot be seen.
      const inside = plain !== path && rules.some((rule) => mayMatchBelow(rule, plain))
      return (matched || inside) && takesBelow(filter, path)
    },
  }
}

/** What the filter says of a path, folder by folder from the top. */
function takesBelow(filter: CopyFilter | undefined, path: string): boolean {
  if (filter === undefined || path === '') return true
  const names = path.split('/')
  let state = filter.top
  for (let count = 1; count < names.length; count += 1) {
    const entered = filter.enter(names.slice(0, count).join('/'), state)
    if (entered.verdict === 'skip') return false
    state = entered.state
  }
  return path.endsWith('/') || filter.takes(path, state)
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
