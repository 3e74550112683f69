/** What a lockfile says an install would make: packages, and links, by their places below the project's root. */

import { existsSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { PackageSource } from '../project/dependency-closure.ts'
import { openInstalledTree } from '../project/installed-tree.ts'
import { readManifest, type Manifest } from '../project/manifest.ts'

/** A package's archive, and the names that messages give it. */
export interface LockedArchive {
  /** As its registry calls it, not an alias. */
  readonly name: string
  readonly version: string
  /** As the lockfile has it. */
  readonly integrity: string | undefined
  /** A URL, or `file:` and a path below the root; undefined: where the registry of its name has it. */
  readonly resolved: string | undefined
  /** Patches of the project that change it: an absolute host path. */
  readonly patch: string | undefined
}

export interface LockedPackage {
  /** Below the root, with `/`: `node_modules/a`. */
  readonly path: string
  readonly archive: LockedArchive
  /** The folder in its archive: '' but for bundled packages, `node_modules/b`. */
  readonly inside: string
  readonly manifest: Manifest
}

export interface LockedTree {
  /** By path. */
  readonly packages: ReadonlyMap<string, LockedPackage>
  /** Targets of links by path, both below the root, with `/`. */
  readonly links: ReadonlyMap<string, string>
}

/** A locked tree as the closure walks it. `root` is absolute, its links followed. */
export function openLockedTree(root: string, { packages, links }: LockedTree): PackageSource {
  const folders = new Map<string, Map<string, boolean>>()
  const add = (path: string, isLink: boolean): void => {
    const slash = path.lastIndexOf('/')
    const folder = slash < 0 ? '' : path.slice(0, slash)
    const names = folders.get(folder)
    if (names !== undefined) {
      names.set(path.slice(slash + 1), isLink)
      return
    }
    folders.set(folder, new Map([[path.slice(slash + 1), isLink]]))
    if (folder !== '') add(folder, false)
  }
  for (const path of packages.keys()) add(path, false)
  for (const path of links.keys()) add(path, true)
  const inRoot = (path: string): string => relative(root, path).split(sep).join('/')
  const tree = openInstalledTree(root, {
    names: (folder) => folders.get(inRoot(folder)),
    linkOf(path) {
      const target = links.get(inRoot(path))
      return target === undefined ? undefined : join(root, target)
    },
    exists(path) {
      const below = inRoot(path)
      if (folders.has(below) || packages.has(below) || links.has(below)) return true
      // Packages of the monorepo lie on disk; nothing that is installed is looked at.
      return !below.split('/').includes('node_modules') && existsSync(path)
    },
  })
  return {
    tree,
    manifest(folder) {
      const below = inRoot(folder)
      return below.split('/').includes('node_modules') ? packages.get(below)?.manifest : readManifest(folder)
    },
  }
}
