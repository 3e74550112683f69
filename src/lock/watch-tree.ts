/** A tree whose every question is told of before it is answered. */

import { resolvePath } from '../rootfs/resolve-path.ts'
import type { Tree, TreeNode } from '../rootfs/tree-types.ts'

/** Told of the paths that matter to an answer; what it throws is the answer. */
export interface TreeWatcher {
  node(path: string): void
  names(path: string): void
  /** Answers whether the tree has nothing in it. */
  isEmpty(): boolean
}

/** The tree, watched. Layers that are applied go to it as they are. */
export function watchTree(tree: Tree, watcher: TreeWatcher): Tree {
  const get = (path: string): TreeNode | undefined => {
    watcher.node(path)
    return tree.get(path)
  }
  return {
    get,
    has: (path) => get(path) !== undefined,
    childNames(path) {
      watcher.names(path)
      return tree.childNames(path)
    },
    isEmpty: () => watcher.isEmpty(),
    resolve: (path, options) => resolvePath(get, path, options),
    apply: (entries) => tree.apply(entries),
    close: (path) => tree.close(path),
    get layers() {
      return tree.layers
    },
  }
}
