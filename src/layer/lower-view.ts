/** The lower layers as a layer in the making sees them: what it has removed is gone, and links lead where they lead. */

import { OciBuildError } from '../errors.ts'
import type { Tree, TreeNode } from '../rootfs/tree-types.ts'

/** As Linux does. */
const maxLinks = 40

export interface LowerView {
  readonly removed: ReadonlySet<string>
  readonly opaque: ReadonlySet<string>
  /** Paths are relative image paths, `''` is the root. undefined where nothing is or it was removed. */
  get(path: string): TreeNode | undefined
  hasChildren(path: string): boolean
  remove(path: string): void
  makeOpaque(path: string): void
  /** To be called when the layer puts something over a lower layer's symlink. */
  hideLink(): void
  /** An absolute image path as a relative one, the links of its parents followed; those of the last part too if asked. */
  resolve(path: string, followLast?: boolean): string
}

/**
 * A view of `lower`; without one (a layer that need not know it) nothing lies below. `placed` says whether the
 * layer itself has put something at a path, which then hides the link below it.
 */
export function createLowerView(lower: Tree | undefined, placed: (path: string) => boolean): LowerView {
  const tree = lower?.isEmpty() === false ? lower : undefined
  const removed = new Set<string>()
  const opaque = new Set<string>()
  const resolvedFolders = new Map<string, string>()
  let lastFolder = ''
  let lastResolved = ''
  const forgetResolved = (): void => {
    resolvedFolders.clear()
    lastFolder = ''
    lastResolved = ''
  }

  const isHidden = (path: string): boolean => {
    if (removed.size === 0 && opaque.size === 0) return false
    if (removed.has(path)) return true
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end)
      if (removed.has(parent) || opaque.has(parent)) return true
    }
    return path !== '' && opaque.has('')
  }
  // Most of a layer lies in folders that no lower layer has: looked up once a folder, not once a file.
  const lowerFolders = new Map<string, boolean>()
  const isInLowerFolder = (path: string): boolean => {
    const slash = path.lastIndexOf('/')
    if (slash < 0) return true
    const folder = path.slice(0, slash)
    let known = lowerFolders.get(folder)
    if (known === undefined) {
      known = tree?.has(folder) ?? false
      lowerFolders.set(folder, known)
    }
    return known
  }
  const get = (path: string): TreeNode | undefined =>
    tree && isInLowerFolder(path) && !isHidden(path) ? tree.get(path) : undefined

  const follow = (path: string): string => {
    const pending = path.split('/').toReversed()
    let current = ''
    let links = 0
    for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
      if (part === '' || part === '.') continue
      if (part === '..') {
        current = current.slice(0, Math.max(0, current.lastIndexOf('/')))
        continue
      }
      const next = current === '' ? part : `${current}/${part}`
      const node = placed(next) ? undefined : get(next)
      if (node?.type !== 'symlink' || node.target === undefined) {
        current = next
        continue
      }
      links += 1
      if (links > maxLinks) {
        throw new OciBuildError('OCB-PATH-LOOP', {
          message: `the symlinks of the image path /${path} lead in a circle`,
          hint: `remove /${next} first, or write to another path`,
        })
      }
      if (node.target.startsWith('/')) current = ''
      pending.push(...node.target.split('/').toReversed())
    }
    return current
  }

  return {
    removed,
    opaque,
    get,
    hasChildren: (path) =>
      tree !== undefined &&
      !opaque.has(path) &&
      tree.childNames(path).some((name) => get(path === '' ? name : `${path}/${name}`) !== undefined),
    remove(path) {
      removed.add(path)
      // Nothing is left in which anything was to be hidden.
      for (const hidden of opaque) if (hidden === path || hidden.startsWith(`${path}/`)) opaque.delete(hidden)
      forgetResolved()
    },
    makeOpaque(path) {
      opaque.add(path)
      forgetResolved()
    },
    hideLink: forgetResolved,
    resolve(path, followLast = false) {
      const relative = path.startsWith('/') ? path.slice(1) : path
      if (!tree) return relative
      if (followLast) return follow(relative)
      const slash = relative.lastIndexOf('/')
      if (slash < 0) return relative
      // Entries come folder by folder: the last one answers for most without another string.
      if (slash !== lastFolder.length || !relative.startsWith(lastFolder)) {
        lastFolder = relative.slice(0, slash)
        let resolved = resolvedFolders.get(lastFolder)
        if (resolved === undefined) {
          resolved = follow(lastFolder)
          resolvedFolders.set(lastFolder, resolved)
        }
        lastResolved = resolved
      }
      if (lastResolved === lastFolder) return relative
      return lastResolved === '' ? relative.slice(slash + 1) : lastResolved + relative.slice(slash)
    },
  }
}
