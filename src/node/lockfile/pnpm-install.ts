/** What `pnpm install --prod` would install, by pnpm-lock.yaml. */

import { join, posix, relative, sep } from 'node:path'
import { isPlainObject } from '../../config/check-shape.ts'
import type { DependencyClosure } from '../project/dependency-closure.ts'
import { parseManifest, type Manifest } from '../project/manifest.ts'
import { fitsTarget } from '../project/native-platform.ts'
import { isCommandName, type LockedCommand, type LockedInstall, type LockQuestion } from './locked-install.ts'
import { findLockedClosure } from './locked-closure.ts'
import type { LockedArchive, LockedPackage } from './locked-tree.ts'
import { packedKey } from './package-store.ts'
import type { PackedPackage } from './packed-package.ts'
import { archiveOf, checkImporters } from './pnpm-archive.ts'
import { folderOf, linksOf } from './pnpm-layout.ts'
import { readPnpmLock, type PnpmSnapshot } from './pnpm-lock.ts'
import { reachPackages, skippedLinks } from './pnpm-reach.ts'
import { readPnpmSettings } from './pnpm-settings.ts'
import { refuseGenerated } from './refuse-changed.ts'

/** Throws `OCB-NODE-LOCKFILE-…`, `OCB-NODE-PATCH` and what `findClosure` and `fetch` throw. */
export async function lockPnpm(question: LockQuestion, file: string): Promise<LockedInstall> {
  const { project, target, settings: npm, fetch } = question
  const { root } = project
  const lock = await readPnpmLock(join(root, file))
  const settings = await readPnpmSettings(project, npm)
  checkImporters(root, file, lock)
  const fits = (manifest: Manifest, offered: readonly string[] = []): boolean =>
    fitsTarget(manifest, target, offered)
  // Every project of the workspace is installed, and has a say in which packages all can find.
  const all = reachPackages(lock, [...lock.importers.keys()], fits)
  const own = reachPackages(lock, [project.path === '' ? '.' : project.path], fits)
  refuseGenerated(
    project,
    [...own.reached.values()].map(({ name }) => name),
  )
  const archives = new Map<string, LockedArchive>()
  for (const [key, item] of own.reached) archives.set(key, archiveOf(item, lock, root, file))
  const packed = await fetch([...archives.values()])
  const packages = new Map<string, LockedPackage>()
  for (const [key, item] of own.reached) {
    const archive = archives.get(key)
    const found = archive && packed.get(packedKey(archive))
    if (archive === undefined || found === undefined) throw new Error(`unreachable: ${key} was not fetched`)
    for (const inner of packagesIn(found, archive, folderOf(item, settings))) {
      const manifest = inner.inside === '' ? asLocked(inner.manifest, item) : inner.manifest
      packages.set(inner.path, { ...inner, manifest })
    }
  }
  for (const item of own.skipped.values()) {
    // What is left out is known by name, so that `plan` can tell.
    const { name, version, words } = item
    const archive = { name, version, integrity: undefined, resolved: undefined, patch: undefined }
    const path = folderOf(item, settings)
    packages.set(path, { path, archive, inside: '', manifest: parseManifest(words) })
  }
  const projects = project.workspaces.map(({ path, manifest }) => ({ path, name: manifest.name }))
  const links = new Map([
    ...skippedLinks(lock, own, settings),
    ...linksOf(lock, all.reached, projects, settings),
  ])
  const tree = { packages, links }
  const closure = findLockedClosure(project, tree, target)
  const patches = [...new Set([...archives.values()].flatMap(({ patch }) => patch ?? []))]
  return {
    file,
    command: `pnpm ${settings.major} install --prod`,
    tree,
    closure,
    packed,
    commands: commandsOf(root, closure),
    asNpm: false,
    decisions:
      patches.length === 0 ? [] : [`patches: ${patches.map((path) => posix.basename(path)).join(', ')}`],
  }
}

/** The lockfile decides what a package depends on: `overrides` and `packageExtensions` change what it says itself. */
function asLocked(manifest: Manifest, { dependencies, words }: PnpmSnapshot): Manifest {
  const names = dependencies.map(({ alias }) => alias)
  const { optionalDependencies: optional, peerDependencies: peers, bundled } = manifest
  const own = manifest.dependencies.filter((name) => names.includes(name) || bundled.includes(name))
  // Those that only `peerDependenciesMeta` names are peers as well, and are there where somebody asks for them.
  const known = new Set([...own, ...optional, ...peers, ...parseManifest(words).peerDependencies])
  const added = names.filter((name) => !known.has(name) && name !== manifest.name)
  return { ...manifest, dependencies: own, optionalDependencies: [...optional, ...added] }
}

/** The package of an archive, and those that it brings in a node_modules of its own. */
function packagesIn(packed: PackedPackage, archive: LockedArchive, path: string): readonly LockedPackage[] {
  const found: LockedPackage[] = []
  for (const member of packed.members) {
    const inside = /^((?:(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/@][^/]*)?)\/?package\.json$/.exec(
      member.path,
    )?.[1]
    if (inside === undefined || member.type !== 'file') continue
    const words = wordsOf(packed.read(member))
    found.push({ path: posix.join(path, inside), archive, inside, manifest: parseManifest(words) })
  }
  return found
}

function wordsOf(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''))
    return isPlainObject(value) ? value : {}
  } catch {
    return {}
  }
}

/**
 * The commands that are reached through each node_modules; where pnpm writes scripts full of this machine's paths, these
 * are links. Of two packages with one command the one that was asked for first has it.
 */
function commandsOf(root: string, closure: DependencyClosure): readonly LockedCommand[] {
  const commands = new Map<string, LockedCommand>()
  const below = (path: string): string => relative(root, path).split(sep).join('/')
  for (const [folder, packages] of closure.taken) {
    const nodeModules = below(folder)
    if (!hasCommands(nodeModules)) continue
    for (const [key, item] of packages) {
      for (const [name, text] of Object.entries(item.manifest?.bin ?? {})) {
        const path = `${nodeModules}/.bin/${name}`
        const file = posix.join('/', text).slice(1)
        if (commands.has(path) || file === '' || !isCommandName(name)) continue
        commands.set(path, { path, owner: below(item.folder), file, target: `../${key}/${file}` })
      }
    }
  }
  return [...commands.values()]
}

/** Beside packages of the store there are none, and of bundled packages those of the first level have some. */
function hasCommands(nodeModules: string): boolean {
  const inside = /(?:^|\/)\.pnpm\/[^/]+\/node_modules(?:\/(.*))?$/.exec(nodeModules)
  if (inside === null) return true
  return inside[1] !== undefined && inside[1].split('node_modules').length === 2
}
