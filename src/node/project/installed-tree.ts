/** node_modules as they lie on disk: Node.js's way from a package to what it asks for, links kept. */

import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { systemErrorCode } from '../../errors.ts'

/** A link on the way to a package. */
export interface TreeLink {
  /** Absolute host path. */
  readonly hostPath: string
  /** What it points at, absolute. */
  readonly target: string
}

export interface Resolved {
  /** `node_modules` that has it, absolute, links before it followed. */
  readonly nodeModules: string
  /** Absolute, links followed. */
  readonly folder: string
  readonly links: readonly TreeLink[]
}

export interface InstalledTree {
  /**
   * Finds a package as Node.js does from a folder whose links are followed: in `node_modules` of it and of the folders
   * above (nodejs.org/api/modules, Loading from node_modules folders). A link that leads nowhere counts as nothing.
   */
  resolve(name: string, from: string): Resolved | undefined
  /** Names in a folder and whether each is a link; undefined where it is none. */
  list(folder: string): ReadonlyMap<string, boolean> | undefined
  /** The links on the way to a path, and what is at its end; undefined where that is nothing. */
  follow(path: string): { readonly folder: string; readonly links: readonly TreeLink[] } | undefined
}

/** What the tree lies on; all paths are absolute. */
export interface TreeDisk {
  /** Names in a folder and whether each is a link; undefined where it is none. */
  names(folder: string): ReadonlyMap<string, boolean> | undefined
  /** A link's target as it stands; undefined for what is no link. */
  linkOf(path: string): string | undefined
  exists(path: string): boolean
}

const hostDisk: TreeDisk = { names: readNames, linkOf: readLink, exists }

/** `root` is absolute, its links followed: links above it are not looked at. */
export function openInstalledTree(root: string, disk: TreeDisk = hostDisk): InstalledTree {
  /** Links share most of the folders on their way. */
  const targets = new Map<string, string | undefined>()
  const listed = new Map<string, ReadonlyMap<string, boolean> | undefined>()

  const list: InstalledTree['list'] = (folder) => {
    if (!listed.has(folder)) listed.set(folder, disk.names(folder))
    return listed.get(folder)
  }

  const follow: InstalledTree['follow'] = (path) => {
    const links: TreeLink[] = []
    // Each link replaces the part of the path before it; more than the kernel follows is a loop.
    let current = path
    for (let hops = 0; hops < 40; hops += 1) {
      const link = firstLink(root, current, targets, disk)
      if (link === undefined) return disk.exists(current) ? { folder: current, links } : undefined
      links.push({ hostPath: link.path, target: link.target })
      current = join(link.target, relative(link.path, current))
      // What lies outside is somebody else's: only where it ends matters.
      if (!isBelow(root, current)) {
        const folder = realPath(current)
        return folder === undefined ? undefined : { folder, links }
      }
    }
    return undefined
  }

  const find = (nodeModules: string, name: string): Resolved | undefined => {
    const [scope = '', rest] = name.split('/')
    const isLink = list(nodeModules)?.get(scope)
    if (isLink === undefined) return undefined
    const inScope = rest === undefined ? isLink : list(join(nodeModules, scope))?.get(rest)
    if (inScope === undefined) return undefined
    const path = join(nodeModules, name)
    const plain = !isLink && !inScope && !isLinked(nodeModules)
    const found = plain ? { folder: path, links: [] } : follow(path)
    return found && { nodeModules, ...found }
  }

  const linked = new Map<string, boolean>()
  const isLinked = (nodeModules: string): boolean => {
    const known = linked.get(nodeModules)
    if (known !== undefined) return known
    const value = disk.linkOf(nodeModules) !== undefined
    linked.set(nodeModules, value)
    return value
  }

  return {
    list,
    follow,
    resolve(name, from) {
      for (let folder = from; ; folder = dirname(folder)) {
        if (!folder.endsWith(`${sep}node_modules`)) {
          const found = find(join(folder, 'node_modules'), name)
          if (found !== undefined) return found
        }
        if (dirname(folder) === folder) return undefined
      }
    },
  }
}

/** Whether a path is a folder's own or lies in it; both absolute. */
export function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

function readNames(folder: string): ReadonlyMap<string, boolean> | undefined {
  // Most packages have none, and an error costs far more than a look.
  if (!exists(folder)) return undefined
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return new Map(entries.map((entry) => [entry.name, entry.isSymbolicLink()]))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(systemErrorCode(error) ?? '')) return undefined
    throw error
  }
}

/** The first part of a path below `root` that is a link. */
function firstLink(
  root: string,
  path: string,
  known: Map<string, string | undefined>,
  disk: TreeDisk,
): { readonly path: string; readonly target: string } | undefined {
  let current = root
  for (const name of relative(root, path).split(sep)) {
    current = join(current, name)
    if (!known.has(current)) known.set(current, disk.linkOf(current))
    const target = known.get(current)
    if (target === undefined) continue
    return { path: current, target: isAbsolute(target) ? target : resolve(dirname(current), target) }
  }
  return undefined
}

/** Undefined for what is no link. */
function readLink(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined
  } catch {
    return undefined
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Links followed; undefined where that leads nowhere. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
