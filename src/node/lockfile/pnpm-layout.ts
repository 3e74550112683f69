/** pnpm's isolated node_modules: every package in a folder of its own below `.pnpm`, and links (pnpm.io, symlinked structure). */

import { posix } from 'node:path'
import { md5Bytes, sha256 } from '../../content/hash.ts'
import type { PnpmDependency, PnpmLock, PnpmSnapshot } from './pnpm-lock.ts'
import type { PnpmSettings } from './pnpm-settings.ts'

export const store = 'node_modules/.pnpm'
/** In bytes, as pnpm counts characters; on Windows it counts to 60, and the image is for Linux. */
const maxNameLength = 120

/** Where a package lies, below the root. */
export function folderOf({ key, name }: PnpmSnapshot, { major }: PnpmSettings): string {
  return `${store}/${storeName(key, major)}/node_modules/${name}`
}

/** What a key's folder is called: what no file system takes is replaced, what is long or has capitals ends in a hash. */
export function storeName(key: string, major: 9 | 10): string {
  const plain = key.startsWith('file:') ? key.replace(':', '+') : key
  const escaped = plain.replaceAll(major === 9 ? /[\\/:*?"<>|]/g : /[\\/:*?"<>|#]/g, '+')
  const name = escaped.includes('(') ? escaped.replace(/\)$/, '').replaceAll(/\)\(|\(|\)/g, '_') : escaped
  const hasCapitals = name !== name.toLowerCase() && !name.startsWith('file+')
  if (name.length <= maxNameLength && !hasCapitals) return name
  const hash =
    major === 9 ? base32(md5Bytes(name)) : sha256(name).slice('sha256:'.length, 'sha256:'.length + 32)
  return `${name.slice(0, maxNameLength - 1 - hash.length)}_${hash}`
}

/** RFC 4648, lower case, without padding. */
function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(five.padEnd(5, '0'), 2)])
    .join('')
}

/** Packages of the monorepo, in the order of their paths. */
export interface HoistedProject {
  readonly path: string
  readonly name: string | undefined
}

/**
 * All links of an install: from importers and packages to what they ask for, and those that make what is below the
 * surface be found by all (`hoist-pattern`). `skipped` are keys of what is not installed.
 */
export function linksOf(
  lock: PnpmLock,
  reached: ReadonlyMap<string, PnpmSnapshot>,
  projects: readonly HoistedProject[],
  settings: PnpmSettings,
): ReadonlyMap<string, string> {
  const links = new Map<string, string>()
  for (const [path, { dependencies }] of lock.importers) {
    const importer = path === '.' ? '' : path
    for (const { alias, target } of dependencies) {
      const found = reached.get(target)
      const folder = found === undefined ? linkedFolder(importer, target) : folderOf(found, settings)
      if (folder !== undefined) links.set(posix.join(importer, 'node_modules', alias), folder)
    }
  }
  for (const snapshot of reached.values()) {
    const own = folderOf(snapshot, settings)
    const nodeModules = own.slice(0, -snapshot.name.length - 1)
    for (const { alias, target } of snapshot.dependencies) {
      const found = reached.get(target)
      const path = `${nodeModules}/${alias}`
      // Peers may be packages of the monorepo; a package that asks for itself finds itself.
      const folder = found === undefined ? linkedFolder('', target) : folderOf(found, settings)
      if (folder !== undefined && path !== own) links.set(path, folder)
    }
  }
  for (const [path, folder] of hoistedLinks(lock, reached, projects, settings)) {
    if (!links.has(path)) links.set(path, folder)
  }
  return links
}

/** The folder that `link:` leads to, below the root; undefined for all else. */
export function linkedFolder(importer: string, target: string): string | undefined {
  return target.startsWith('link:') ? posix.join(importer, target.slice('link:'.length)) : undefined
}

/** Of packages of one name the one nearest to the importers is linked, then the first by its folder. */
function hoistedLinks(
  lock: PnpmLock,
  reached: ReadonlyMap<string, PnpmSnapshot>,
  projects: readonly HoistedProject[],
  settings: PnpmSettings,
): ReadonlyMap<string, string> {
  const links = new Map<string, string>()
  const ofRoot = lock.importers.get('.')
  const named = (ofRoot?.dependencies ?? []).flatMap(({ alias, target }) =>
    reached.has(target) || target.startsWith('link:') ? alias : [],
  )
  // pnpm 9 leaves names free for development's packages too, whether or not they are installed.
  const taken = new Set(settings.major === 9 ? [...named, ...(ofRoot?.development ?? [])] : named)
  const hoist = (alias: string, folder: string, isPackage: boolean): void => {
    const kind = settings.hoistOf(alias)
    if (kind === undefined || taken.has(alias.toLowerCase())) return
    const path = kind === 'public' ? `node_modules/${alias}` : `${store}/node_modules/${alias}`
    if (!links.has(path) || isPackage) links.set(path, folder)
    // Packages of the monorepo keep nobody from a name, but with pnpm 9.
    if (isPackage || settings.major === 9) taken.add(alias.toLowerCase())
  }
  const direct = new Map<string, PnpmSnapshot>()
  for (const { dependencies } of lock.importers.values()) {
    for (const { alias, target } of dependencies) {
      const found = reached.get(target)
      if (found !== undefined && !direct.has(alias)) direct.set(alias, found)
    }
  }
  if (settings.hoistsWorkspaces) {
    for (const { path, name } of projects) {
      if (name !== undefined && !direct.has(name)) hoist(name, path, false)
    }
  }
  for (const [alias, found] of direct) hoist(alias, folderOf(found, settings), true)
  for (const { snapshot } of walked(lock, reached, settings)) {
    for (const { alias, target } of snapshot.dependencies) {
      const found = reached.get(target)
      if (found !== undefined) hoist(alias, folderOf(found, settings), true)
    }
  }
  return links
}

interface Walked {
  readonly snapshot: PnpmSnapshot
  readonly depth: number
  /** What packages of one depth are sorted by. */
  readonly order: string
}

/**
 * Packages by how deep pnpm finds them, then by key (9) or folder (10). It marks the packages of one more level before it goes down into
 * the first of them, so a package may count as deeper than its shortest way.
 */
function walked(
  lock: PnpmLock,
  reached: ReadonlyMap<string, PnpmSnapshot>,
  settings: PnpmSettings,
): readonly Walked[] {
  const orderOf = (item: PnpmSnapshot): string => (settings.major === 9 ? item.key : folderOf(item, settings))
  const visited = new Set<PnpmSnapshot>()
  const found: Walked[] = []
  const mark = (dependencies: readonly PnpmDependency[]): readonly PnpmSnapshot[] =>
    dependencies.flatMap(({ target }) => {
      const snapshot = reached.get(target)
      if (snapshot === undefined || visited.has(snapshot)) return []
      visited.add(snapshot)
      return snapshot
    })
  const walk = (level: readonly PnpmSnapshot[], depth: number): void => {
    for (const snapshot of level) found.push({ snapshot, depth, order: orderOf(snapshot) })
    const next = level.map(({ dependencies }) => mark(dependencies))
    for (const below of next) walk(below, depth + 1)
  }
  walk(mark([...lock.importers.values()].flatMap(({ dependencies }) => dependencies)), 0)
  return found.sort((one, other) => one.depth - other.depth || (one.order < other.order ? -1 : 1))
}
