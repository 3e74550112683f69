/** Which packages of pnpm-lock.yaml importers lead to, for one platform. */

import { posix } from 'node:path'
import { parseManifest, type Manifest } from '../project/manifest.ts'
import { folderOf, linkedFolder } from './pnpm-layout.ts'
import type { PnpmLock, PnpmSnapshot } from './pnpm-lock.ts'
import type { PnpmSettings } from './pnpm-settings.ts'

export interface Reached {
  /** By key, in the order in which they are found. */
  readonly reached: ReadonlyMap<string, PnpmSnapshot>
  /** Optional ones that are not for the platform; what only they lead to is not looked at. */
  readonly skipped: ReadonlyMap<string, PnpmSnapshot>
  /** The importers and those that they link to. */
  readonly importers: ReadonlySet<string>
}

export function reachPackages(
  lock: PnpmLock,
  from: readonly string[],
  fits: (manifest: Manifest) => boolean,
): Reached {
  const reached = new Map<string, PnpmSnapshot>()
  const skipped = new Map<string, PnpmSnapshot>()
  const importers = new Set(from)
  const take = (target: string): void => {
    const item = lock.snapshots.get(target)
    if (item === undefined || reached.has(target) || skipped.has(target)) return
    if (item.optional && !fits(parseManifest(item.words))) {
      skipped.set(target, item)
      return
    }
    reached.set(target, item)
    for (const next of item.dependencies) {
      const folder = linkedFolder('', next.target)
      if (folder === undefined) take(next.target)
      else importers.add(folder)
    }
  }
  // The set grows while it is walked.
  for (const path of importers) {
    for (const { target } of lock.importers.get(path)?.dependencies ?? []) {
      const folder = linkedFolder(path === '.' ? '' : path, target)
      if (folder === undefined) take(target)
      else importers.add(folder)
    }
  }
  return { reached, skipped, importers }
}

/** Where the skipped ones would be asked for: nothing is there, but a name to tell. */
export function skippedLinks(
  lock: PnpmLock,
  { reached, skipped, importers }: Reached,
  settings: PnpmSettings,
): ReadonlyMap<string, string> {
  const links = new Map<string, string>()
  const add = (nodeModules: string, item: Pick<PnpmSnapshot, 'dependencies'> | undefined): void => {
    for (const { alias, target } of item?.dependencies ?? []) {
      const found = skipped.get(target)
      if (found !== undefined) links.set(`${nodeModules}/${alias}`, folderOf(found, settings))
    }
  }
  for (const path of importers) {
    add(posix.join(path, 'node_modules'), lock.importers.get(path))
  }
  for (const item of reached.values()) {
    add(folderOf(item, settings).slice(0, -item.name.length - 1), item)
  }
  return links
}
