/** npm's lockfile: package-lock.json, or npm-shrinkwrap.json, of version 2 or 3 (docs.npmjs.com, package-lock.json). */

import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { isPlainObject } from '../../config/check-shape.ts'
import { readPackageJson } from '../../config/package-json.ts'
import { messageOf, OciBuildError } from '../../errors.ts'
import { parseManifest } from '../project/manifest.ts'
import type { LockedArchive, LockedPackage, LockedTree } from './locked-tree.ts'
import { installInstead, unreadableLockfile, unsupported } from './lockfile-error.ts'

type Words = Readonly<Record<string, unknown>>

/**
 * The tree of `npm ci --omit=dev`, for all platforms at once. `name` is the lockfile's. Throws
 * `OCB-NODE-LOCKFILE-UNREADABLE`, `OCB-NODE-LOCKFILE-UNSUPPORTED` and, where package.json of the root or of a
 * workspace asks for other dependencies than the lockfile knows, `OCB-NODE-LOCKFILE-STALE`.
 */
export function readPackageLock(root: string, name: string): LockedTree {
  const file = join(root, name)
  const entries = readEntries(file)
  const packages = new Map<string, LockedPackage>()
  const links = new Map<string, string>()
  for (const [path, entry] of entries) {
    if (!path.split('/').includes('node_modules')) {
      checkFresh(root, name, path, entry)
      continue
    }
    // `devOptional` is also an optional one of production.
    if (entry['dev'] === true || entry['extraneous'] === true) continue
    if (entry['link'] === true) links.set(path, linkTarget(path, entry, name))
    else packages.set(path, lockedPackage(path, entry, packages, name))
  }
  return { packages, links }
}

/** By path, so that a package comes before those in it. */
function readEntries(file: string): readonly (readonly [string, Words])[] {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''))
  } catch (error) {
    throw unreadableLockfile(file, messageOf(error), error)
  }
  if (!isPlainObject(value)) throw unreadableLockfile(file, 'it holds no JSON object')
  const { lockfileVersion, packages } = value
  if ((lockfileVersion !== 2 && lockfileVersion !== 3) || !isPlainObject(packages)) {
    throw unsupported(
      `${file} has the lockfileVersion ${JSON.stringify(lockfileVersion)}; wanted 2 or 3`,
      'write it again with npm 7 or later: npm install --package-lock-only',
    )
  }
  const entries: (readonly [string, Words])[] = []
  for (const [path, entry] of Object.entries(packages)) {
    if (!isPlainObject(entry)) throw unreadableLockfile(file, `packages["${path}"] is no object`)
    const names = path.split('/')
    const inside = names.slice(names.indexOf('node_modules') + 1)
    if (path !== '' && (names.includes('') || names.includes('.') || inside.includes('..'))) {
      throw unreadableLockfile(file, `packages["${path}"] is no path`)
    }
    entries.push([path, entry])
  }
  return entries.sort(([one], [other]) => (one < other ? -1 : 1))
}

function lockedPackage(
  path: string,
  entry: Words,
  packages: ReadonlyMap<string, LockedPackage>,
  lockfile: string,
): LockedPackage {
  const called = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const name = typeof entry['name'] === 'string' ? entry['name'] : called
  const manifest = parseManifest({ ...entry, name })
  if (entry['inBundle'] === true) {
    const above = path.slice(0, path.lastIndexOf('/node_modules/'))
    const holder = packages.get(above)
    if (holder !== undefined) {
      return {
        path,
        archive: holder.archive,
        inside: posix.join(holder.inside, path.slice(above.length + 1)),
        manifest,
      }
    }
  }
  return { path, archive: archiveOf(path, name, entry, lockfile), inside: '', manifest }
}

function archiveOf(path: string, name: string, entry: Words, lockfile: string): LockedArchive {
  const { version, integrity, resolved } = entry
  const text = typeof resolved === 'string' ? resolved : undefined
  if (text !== undefined && /^git[+:@]|^github:|\.git(?:#|$)/.test(text)) {
    throw unsupported(
      `${lockfile}: ${path} comes from git (${text.replace(/\/\/[^/@]*@/, '//')}), which holds sources, not what is published`,
      `depend on a published version of ${name}, or ${installInstead}`,
    )
  }
  return {
    name,
    version: typeof version === 'string' ? version : '',
    integrity: typeof integrity === 'string' ? integrity : undefined,
    resolved: text,
    patch: undefined,
  }
}

function linkTarget(path: string, { resolved }: Words, lockfile: string): string {
  if (typeof resolved === 'string') return posix.normalize(resolved)
  throw unreadableLockfile(lockfile, `packages["${path}"] is a link that says no target`)
}

/** Development dependencies may differ: none of them is taken. */
function checkFresh(root: string, lockfile: string, path: string, entry: Words): void {
  const words = readPackageJson(join(root, path))
  if (words === undefined) return
  const [wanted, locked] = [rangesOf(words), rangesOf(entry)]
  const names = [...new Set([...wanted.keys(), ...locked.keys()])]
  const differing = names.find((name) => wanted.get(name) !== locked.get(name))
  if (differing === undefined) return
  throw new OciBuildError('OCB-NODE-LOCKFILE-STALE', {
    message: `${posix.join(path, 'package.json')} asks for ${differing} ${wanted.get(differing) ?? '(not at all)'}, and ${lockfile} has ${locked.get(differing) ?? 'none'}`,
    hint: 'run npm install, which writes the lockfile',
  })
}

function rangesOf(words: Words): ReadonlyMap<string, unknown> {
  const { dependencies, optionalDependencies } = words
  return new Map(
    [dependencies, optionalDependencies].flatMap((list) => Object.entries(isPlainObject(list) ? list : {})),
  )
}
