/** The merged file system of layers. */

import { resolvePath } from './resolve-path.ts'
import { ClosedDirectory, type LayerEntry, type Tree, type TreeNode } from './tree-types.ts'

/** A name: `children` exists for directories only. */
interface Item {
  node: TreeNode | undefined
  children: Map<string, Item> | undefined
  /** Nothing is known of its children. */
  isClosed?: true
}

/**
 * Applies layers, lowest first (image-spec v1.1.1 layer.md, Applying Changesets). A layer's whiteouts and opaque
 * markers hide what lower layers hold, wherever in the layer they stand. A directory over a directory keeps its
 * children; anything else replaces what was there, with all below it, and so does a directory over a symlink:
 * on overlayfs, which engines run on, an upper directory never merges through a link. Parents that no layer has
 * an entry for are directories 0755 0:0, `implied`.
 */
export function createTree(layers: Iterable<Iterable<LayerEntry>> = []): Tree {
  const root: Item = { node: undefined, children: new Map() }
  let count = 0

  function find(path: string): Item | undefined {
    if (path === '') return root
    let item: Item | undefined = root
    for (const name of path.split('/')) {
      item = childrenOf(item, path)?.get(name)
      if (!item) return undefined
    }
    return item
  }

  function apply(entries: Iterable<LayerEntry>): void {
    const list = Array.isArray(entries) ? (entries as readonly LayerEntry[]) : [...entries]
    for (const entry of list) {
      if (entry.type === 'whiteout') removePath(entry.path)
      else if (entry.type === 'opaque') ensureDirectory(root, entry.path, count).clear()
    }
    for (const entry of list) {
      if (entry.type !== 'whiteout' && entry.type !== 'opaque') put(entry)
    }
    count += 1
  }

  function removePath(path: string): void {
    const slash = path.lastIndexOf('/')
    const folder = find(path.slice(0, Math.max(slash, 0)))
    if (folder) childrenOf(folder, path)?.delete(path.slice(slash + 1))
  }

  function put(entry: LayerEntry): void {
    const node: TreeNode = { ...entry, layer: count }
    if (entry.path === '') {
      root.node = node
      return
    }
    const slash = entry.path.lastIndexOf('/')
    const siblings = ensureDirectory(root, entry.path.slice(0, Math.max(slash, 0)), count)
    const name = entry.path.slice(slash + 1)
    const before = entry.type === 'directory' ? siblings.get(name) : undefined
    if (before?.children) before.node = node
    else siblings.set(name, { node, children: entry.type === 'directory' ? new Map() : undefined })
  }

  for (const layer of layers) apply(layer)
  return {
    get: (path) => find(path)?.node,
    has: (path) => find(path)?.node !== undefined,
    childNames(path) {
      const item = find(path)
      return item ? [...(childrenOf(item, path)?.keys() ?? [])] : []
    },
    resolve: (path, options) => resolvePath((at) => find(at)?.node, path, options),
    isEmpty: () => (root.children?.size ?? 0) === 0,
    apply,
    close(path) {
      const item = find(path)
      if (item?.children) item.isClosed = true
    },
    get layers() {
      return count
    },
  }
}

/** Throws `ClosedDirectory`; `path` is what is looked for. */
function childrenOf({ children, isClosed }: Item, path: string): Map<string, Item> | undefined {
  if (isClosed === true) throw new ClosedDirectory(path)
  return children
}

/** The children of a directory; what is missing on the way, or is no directory, becomes an implied one. */
function ensureDirectory(root: Item, path: string, layer: number): Map<string, Item> {
  let children = (root.children ??= new Map<string, Item>())
  if (path === '') return children
  let end = 0
  while (end < path.length) {
    const start = end === 0 ? 0 : end + 1
    const slash = path.indexOf('/', start)
    end = slash < 0 ? path.length : slash
    const name = path.slice(start, end)
    let item = children.get(name)
    if (!item?.children) {
      item = { node: impliedDirectory(path.slice(0, end), layer), children: new Map() }
      children.set(name, item)
    }
    item.children ??= new Map<string, Item>()
    children = childrenOf(item, path) ?? item.children
  }
  return children
}

function impliedDirectory(path: string, layer: number): TreeNode {
  return {
    path,
    type: 'directory',
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: 0,
    size: 0,
    layer,
    implied: true,
  }
}
