/** What a package needs to run: every package that its dependencies lead to, as they are installed, and no other. */

import { relative, sep } from 'node:path'
import { OciBuildError } from '../../errors.ts'
import type { Project } from './detect-project.ts'
import { isBelow, openInstalledTree, type InstalledTree, type Resolved } from './installed-tree.ts'
import { readManifest, type Manifest } from './manifest.ts'

export interface ClosurePackage {
  /** What it was asked for by, or its folder's name. */
  readonly name: string
  /** Absolute, links followed. */
  readonly folder: string
  /** Undefined for what tools generate beside packages. */
  readonly manifest: Manifest | undefined
}

export interface ClosureLink {
  readonly hostPath: string
  /** Absolute host path, below the root. */
  readonly target: string
}

/** An optional dependency that was left out. */
export interface LeftOut {
  readonly name: string
  /** The package that lists it. */
  readonly by: ClosurePackage
  /** Undefined where it is not installed. */
  readonly manifest: Manifest | undefined
}

export interface DependencyClosure {
  /** From a registry, an archive or a copy: whatever lies in a `node_modules`. By folder. */
  readonly packages: readonly ClosurePackage[]
  /** Those that lie elsewhere below the root: packages of the monorepo. Without the app itself. By folder. */
  readonly workspaces: readonly ClosurePackage[]
  /** Links on the way to them, by path. */
  readonly links: readonly ClosureLink[]
  /** Of each `node_modules` folder that has some: the packages taken through it, by name. */
  readonly taken: ReadonlyMap<string, ReadonlyMap<string, ClosurePackage>>
  readonly leftOut: readonly LeftOut[]
  readonly tree: InstalledTree
}

/** Packages that load a folder which their tool writes beside them and no package.json names. */
const generated: Readonly<Record<string, readonly string[]>> = { '@prisma/client': ['.prisma'] }

/** Where packages are looked for: on disk, or in a tree that a lockfile describes. */
export interface PackageSource {
  readonly tree: InstalledTree
  /** Of an absolute folder. */
  manifest(folder: string): Manifest | undefined
}

/**
 * Walks from the project's package. `fits` tells whether an optional dependency, of those that its
 * package offers, is for the platform. Throws `OCB-NODE-NOT-INSTALLED` with all that is missing, `OCB-NODE-LINK-OUTSIDE`, `OCB-SPEC-PACKAGE-JSON`.
 */
export function findClosure(
  project: Project,
  fits: (manifest: Manifest, offered: readonly string[]) => boolean = () => true,
  source: PackageSource = { tree: openInstalledTree(project.root), manifest: readManifest },
): DependencyClosure {
  const { tree } = source
  const app: ClosurePackage = {
    name: project.manifest.name ?? 'the app',
    folder: project.folder,
    manifest: project.manifest,
  }
  const found = new Map<string, ClosurePackage>([[app.folder, app]])
  const links = new Map<string, string>()
  const taken = new Map<string, Map<string, ClosurePackage>>()
  const leftOut: LeftOut[] = []
  const missing: { readonly name: string; readonly by: ClosurePackage }[] = []

  const take = (name: string, by: ClosurePackage, { folder, links: way, nodeModules }: Resolved): void => {
    for (const { hostPath, target } of way) {
      if (!isBelow(project.root, target)) throw outside(hostPath, target, project, name, by)
      links.set(hostPath, target)
    }
    if (!isBelow(project.root, folder)) throw outside(nodeModules, folder, project, name, by)
    const known = found.get(folder) ?? { name, folder, manifest: source.manifest(folder) }
    found.set(folder, known)
    const names = taken.get(nodeModules) ?? new Map<string, ClosurePackage>()
    taken.set(nodeModules, names.set(name, known))
  }

  const visit = (by: ClosurePackage): void => {
    const { manifest, folder } = by
    if (manifest === undefined) return
    for (const name of [...manifest.dependencies, ...manifest.bundled]) {
      const resolved = tree.resolve(name, folder)
      if (resolved !== undefined) take(name, by, resolved)
      else if (manifest.dependencies.includes(name)) missing.push({ name, by })
    }
    const beside = by === app ? [] : (generated[manifest.name ?? ''] ?? [])
    const wanted = [...manifest.optionalDependencies, ...manifest.peerDependencies, ...beside]
    for (const name of wanted) {
      const resolved = tree.resolve(name, folder)
      // What lies above the project happens to be there on this machine.
      const inside = resolved !== undefined && isBelow(project.root, resolved.nodeModules)
      const isOptional = manifest.optionalDependencies.includes(name)
      const other = inside && isOptional ? source.manifest(resolved.folder) : undefined
      if (inside && (other === undefined || fits(other, manifest.optionalDependencies)))
        take(name, by, resolved)
      else if (isOptional) leftOut.push({ name, by, manifest: other })
    }
  }

  // The map grows while it is walked.
  for (const item of found.values()) visit(item)
  if (missing.length > 0) throw notInstalled(missing, project)
  const all = [...found.values()].filter((item) => item !== app).sort(byFolder)
  addHoistedLinks(tree, found, project, links)
  return {
    packages: all.filter(({ folder }) => isInstalled(project.root, folder)),
    workspaces: all.filter(({ folder }) => !isInstalled(project.root, folder)),
    links: Array.from(links, ([hostPath, target]) => ({ hostPath, target })).sort((a, b) =>
      a.hostPath < b.hostPath ? -1 : 1,
    ),
    taken,
    leftOut,
    tree,
  }
}

/** Whether a folder lies in a `node_modules` of the project. */
function isInstalled(root: string, folder: string): boolean {
  return relative(root, folder).split(sep).includes('node_modules')
}

/**
 * pnpm and bun keep packages in a store (`node_modules/.pnpm`) and link them for packages that ask for what they do not
 * list: in the store's own `node_modules`, and for some in the root's. Those links hold where their package was taken.
 */
function addHoistedLinks(
  tree: InstalledTree,
  found: ReadonlyMap<string, ClosurePackage>,
  project: Project,
  links: Map<string, string>,
): void {
  const stores = new Set<string>()
  for (const folder of found.keys()) {
    const store = /^(.*?[\\/]node_modules[\\/]\.(?:pnpm|bun|store))[\\/]/.exec(folder)?.[1]
    if (store !== undefined) stores.add(store)
  }
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = project.rootManifest
  const own = new Set([...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies])
  for (const store of stores) {
    const above = store.slice(0, store.lastIndexOf(sep))
    for (const folder of [`${store}${sep}node_modules`, above]) {
      for (const name of packageNames(tree, folder)) {
        const path = folder + sep + name.split('/').join(sep)
        if (links.has(path) || (folder === above && own.has(name))) continue
        const end = tree.follow(path)
        if (end === undefined || end.links.length === 0 || end.folder === project.folder) continue
        if (!found.has(end.folder)) continue
        for (const { hostPath, target } of end.links) links.set(hostPath, target)
      }
    }
  }
}

/** What a `node_modules` has by the names that packages go by. */
function packageNames(tree: InstalledTree, folder: string): readonly string[] {
  return Array.from(tree.list(folder)?.keys() ?? []).flatMap((name) => {
    if (name.startsWith('.')) return []
    if (!name.startsWith('@')) return name
    return Array.from(tree.list(folder + sep + name)?.keys() ?? [], (inner) => `${name}/${inner}`)
  })
}

function byFolder(one: ClosurePackage, other: ClosurePackage): number {
  return one.folder < other.folder ? -1 : 1
}

function notInstalled(
  missing: readonly { readonly name: string; readonly by: ClosurePackage }[],
  { manager, root, folder }: Project,
): OciBuildError {
  const [first] = missing
  const more = missing.length > 1 ? `, and ${missing.length - 1} more` : ''
  return new OciBuildError('OCB-NODE-NOT-INSTALLED', {
    message: `${first?.by.name} (${first?.by.folder}) depends on "${first?.name}", which is in no node_modules from there up${more}`,
    hint: `run ${manager.install} in ${root === folder ? 'the folder' : root}`,
    problems: missing.map(({ name, by }) => ({
      path: by.folder,
      message: `${by.name} depends on "${name}", which is not installed`,
    })),
  })
}

function outside(
  path: string,
  target: string,
  project: Project,
  name: string,
  by: ClosurePackage,
): OciBuildError {
  return new OciBuildError('OCB-NODE-LINK-OUTSIDE', {
    message: `${by.name} needs "${name}", and ${path} leads to ${target}, outside of ${project.root}: it would lead nowhere in the image`,
    hint:
      project.manager.name === 'npm'
        ? 'install a copy of it with npm install --install-links, or make it a workspace of the project'
        : 'make it a workspace of the project, or install a copy of it',
  })
}
