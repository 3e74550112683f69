/** A project's files become layers: its third-party dependencies lowest, then its workspace packages, then its own. */

import { existsSync, readlinkSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import type { Environment } from '../../environment.ts'
import { OciBuildError } from '../../errors.ts'
import { excludedBelow, type ExcludedPaths } from '../../plan/excluded-paths.ts'
import { executableRule } from '../../plan/executable-bit.ts'
import { below } from '../../plan/image-path.ts'
import { createFoundPlacer, type FoundPlacer } from '../../plan/place-found.ts'
import type { Placement } from '../../plan/placement.ts'
import { walkFolder, type Found } from '../../plan/walk-folder.ts'
import type { ClosureLink, ClosurePackage, DependencyClosure } from './dependency-closure.ts'
import { realPath } from './installed-tree.ts'

export const origin = 'node'

export interface ImageMap {
  /** Absolute host folder, and the image folder that it becomes. */
  readonly root: string
  readonly mount: string
  readonly placer: FoundPlacer
}

export function createImageMap(root: string, mount: string, environment: Environment): ImageMap {
  const placer = createFoundPlacer({
    origin,
    metadata: { mode: undefined, dirMode: undefined, owner: undefined, mtime: 'content' },
    hardLinks: 'copy',
    executable: executableRule(root, environment),
    windows: environment.hostPlatform === 'win32',
  })
  return { root, mount, placer }
}

/** Where a host path lies in the image. */
export function imagePathOf({ root, mount }: ImageMap, hostPath: string): string {
  return below(mount, relative(root, hostPath).split(sep).join('/'))
}

/** A directory of ours: said in full, so that the base need not be read for it. */
export function placeOwnDirectory(path: string, owner = '0:0'): Placement {
  return { type: 'directory', path, origin, mode: 0o755, owner, mtime: 0, explicit: true }
}

/** Files that were found below `hostFolder`, at `imageFolder`. */
export function placeFiles(map: ImageMap, imageFolder: string, found: readonly Found[]): Placement[] {
  return found.map(({ path, hostPath, type }) => {
    const imagePath = below(imageFolder, path)
    return type === 'directory' ? placeOwnDirectory(imagePath) : map.placer.place(imagePath, hostPath, type)
  })
}

/** Third-party packages, each whole but for packages in it, with the links and commands that lead to them. */
export function placeDependencies(
  map: ImageMap,
  closure: DependencyClosure,
  outputs: readonly string[],
): readonly Placement[] {
  const excluded = excludedBelow(map.root, outputs)
  const packages = closure.packages.flatMap(({ folder }) => placePackage(map, folder, excluded))
  const own = new Set(closure.packages.map(({ folder }) => folder))
  const links = closure.links.filter(({ target }) => !leadsToWorkspace(closure, target))
  return [
    ...packages,
    ...links.map((link) => placeLink(map, link)),
    ...placeCommands(map, closure, (item) => own.has(item.folder)),
  ]
}

/** The links and commands that lead to workspace packages. */
export function placeWorkspaceLinks(map: ImageMap, closure: DependencyClosure): readonly Placement[] {
  const own = new Set(closure.packages.map(({ folder }) => folder))
  const links = closure.links.filter(({ target }) => leadsToWorkspace(closure, target))
  return [
    ...links.map((link) => placeLink(map, link)),
    ...placeCommands(map, closure, (item) => !own.has(item.folder)),
  ]
}

/** Every parent of what is placed, from the mount down, said in full; the placements after. */
export function withParents(placements: readonly Placement[], mount: string): readonly Placement[] {
  const known = new Set(placements.filter(({ type }) => type === 'directory').map(({ path }) => path))
  const parents = new Set<string>()
  for (const { path } of placements) {
    for (
      let parent = posix.dirname(path);
      parent !== '/' && !known.has(parent);
      parent = posix.dirname(parent)
    ) {
      if (parents.has(parent)) break
      // Above the mount lie directories of the base: they keep what they are.
      if (parent !== mount && !parent.startsWith(`${mount}/`)) break
      parents.add(parent)
    }
  }
  return [...Array.from(parents, (path) => placeOwnDirectory(path)).sort(byPath), ...placements]
}

/**
 * Refuses links of the project that lead nowhere in the image. Absolute ones into the base's own folders are left to
 * it. Throws `OCB-NODE-LINK-BROKEN`.
 */
export function checkLinks(placements: readonly Placement[], mount: string): void {
  const known = new Map(placements.map((placement) => [placement.path, placement]))
  const isThere = (path: string, hops: number): boolean => {
    if (path === mount || !path.startsWith(`${mount}/`)) return path === mount || isOfBase(path)
    let current = mount
    const names = path.slice(mount.length + 1).split('/')
    for (const [index, name] of names.entries()) {
      current = `${current}/${name}`
      const placement = known.get(current)
      if (placement === undefined) return false
      if (placement.type !== 'symlink') continue
      const rest = names.slice(index + 1).join('/')
      const target = posix.resolve(posix.dirname(current), placement.target, rest)
      return hops < 40 && isThere(target, hops + 1)
    }
    return true
  }
  for (const placement of placements) {
    if (placement.type !== 'symlink' || isThere(placement.path, 0)) continue
    throw new OciBuildError('OCB-NODE-LINK-BROKEN', {
      message: `the link ${placement.path} to ${placement.target} would lead nowhere in the image`,
      hint: 'remove the link or mend it, or leave it out with node: { exclude: […] }',
    })
  }
}

function isOfBase(path: string): boolean {
  return /^\/(?:bin|dev|etc|lib\d*|proc|run|sbin|sys|tmp|usr|var)(?:\/|$)/.test(path)
}

function placePackage(map: ImageMap, folder: string, excluded: ExcludedPaths): readonly Placement[] {
  const inner = join(folder, 'node_modules')
  const found = walkFolder(folder, {
    excluded: { paths: new Set([...excluded.paths, inner]), parents: excluded.parents },
    filter: undefined,
    followRoot: undefined,
  })
  const imageFolder = imagePathOf(map, folder)
  return [placeOwnDirectory(imageFolder), ...placeFiles(map, imageFolder, withoutLitter(folder, found))]
}

/** A package's files, found below its folder, but for what was left by compiling it. */
export function withoutLitter(folder: string, found: readonly Found[]): readonly Found[] {
  if (!existsSync(join(folder, 'build/config.gypi'))) return found
  return found.filter(({ path }) => !gypLitter.test(path))
}

/** What node-gyp leaves of a compilation, full of this machine's paths; programs load what stands beside it. */
const gypLitter =
  /^build\/(?:[^/]*Makefile|[^/]+\.(?:mk|gypi|vcxproj(?:\.filters)?|sln)|gyp-mac-tool|node_gyp_bins(?:\/.*)?|(?:Release|Debug)\/(?:(?:\.deps|\.forge-meta|obj|obj\.target)(?:\/.*)?|[^/]+\.(?:a|lib|exp|pdb|iobj|ipdb)))$/

/** Relative, whatever it is on the host: the image's root is another. */
export function placeLink(map: ImageMap, { hostPath, target }: ClosureLink): Placement {
  const text = relative(dirname(hostPath), target).split(sep).join('/')
  return { type: 'symlink', path: imagePathOf(map, hostPath), origin, target: text, owner: '0:0', mtime: 0 }
}

/** Whether a link's target is a package of the monorepo. */
export function leadsToWorkspace(closure: DependencyClosure, target: string): boolean {
  const names = target.split(sep)
  if (names.includes('node_modules')) return false
  return closure.workspaces.some(({ folder }) => target === folder || folder.startsWith(target + sep))
}

/**
 * `.bin` of packages that were taken. What is no link there is a script of pnpm's or Windows', full of this machine's
 * paths: it becomes the link that npm would have made.
 */
function placeCommands(
  map: ImageMap,
  closure: DependencyClosure,
  isWanted: (item: ClosurePackage) => boolean,
): readonly Placement[] {
  const { taken, tree } = closure
  const placements: Placement[] = []
  const byFolder = new Map(closure.packages.concat(closure.workspaces).map((item) => [item.folder, item]))
  const folders = new Set([
    ...taken.keys(),
    ...Array.from(byFolder.keys(), (folder) => join(folder, 'node_modules')),
  ])
  for (const nodeModules of folders) {
    const folder = join(nodeModules, '.bin')
    for (const [name, isLink] of tree.list(folder) ?? []) {
      const command = isLink
        ? linkedCommand(folder, name, byFolder)
        : namedCommand(name, taken.get(nodeModules) ?? new Map())
      if (command === undefined || !isWanted(command.owner)) continue
      const path = imagePathOf(map, join(folder, name))
      placements.push({ type: 'symlink', path, origin, target: command.target, owner: '0:0', mtime: 0 })
    }
  }
  return placements
}

interface Command {
  readonly owner: ClosurePackage
  /** Relative to `.bin`. */
  readonly target: string
}

function linkedCommand(
  folder: string,
  name: string,
  packages: ReadonlyMap<string, ClosurePackage>,
): Command | undefined {
  const file = realPath(join(folder, name))
  for (let parent = file; parent !== undefined && dirname(parent) !== parent; parent = dirname(parent)) {
    const owner = packages.get(parent)
    const target = readlinkSync(join(folder, name)).split(sep).join('/')
    if (owner !== undefined) return { owner, target }
  }
  return undefined
}

function namedCommand(name: string, packages: ReadonlyMap<string, ClosurePackage>): Command | undefined {
  for (const [key, owner] of packages) {
    const bin = owner.manifest?.bin[name]
    if (bin !== undefined) return { owner, target: `../${key}/${posix.normalize(bin)}` }
  }
  return undefined
}

function byPath(one: Placement, other: Placement): number {
  return one.path < other.path ? -1 : 1
}
