/** Everything below a directory of an image, links as they are or followed. */

import { OciBuildError } from '../errors.ts'
import type { PathFilter } from './path-filter.ts'
import type { Tree, TreeNode } from './tree-types.ts'

export interface WalkedNode {
  /** Relative to where the walk began. */
  readonly path: string
  /** Of a followed link what it leads to. */
  readonly node: TreeNode
}

/**
 * Each directory before what it holds. With `follow` a symlink is what it leads to inside the image; `follow` says which
 * paths are wanted, since a link that is not may lead anywhere. Throws `OCB-COPY-LINK-BROKEN` for a wanted one that
 * leads to nothing, `OCB-COPY-LINK-LOOP` for one to a directory that holds it, `OCB-PATH-LOOP`.
 */
export function walkTree(tree: Tree, top: string, follow: PathFilter | undefined): Generator<WalkedNode> {
  return walk(tree, top, '', follow, new Set([top]))
}

/** The node at a path, of a symlink what it leads to. Throws as `walkTree`; undefined where nothing is at the path. */
export function followNode(tree: Tree, path: string): TreeNode | undefined {
  const node = tree.get(path)
  if (node?.type !== 'symlink') return node
  const target = tree.get(tree.resolve(path, { followLast: true }))
  if (target !== undefined) return target
  throw new OciBuildError('OCB-COPY-LINK-BROKEN', {
    message: `/${path} of the image is a symlink to "${node.target ?? ''}", which the image does not have, and follow copies what links point at`,
    hint: 'exclude the link, or leave follow out to copy it as a link',
  })
}

function* walk(
  tree: Tree,
  folder: string,
  prefix: string,
  follow: PathFilter | undefined,
  open: Set<string>,
): Generator<WalkedNode> {
  for (const name of tree.childNames(folder)) {
    const at = folder === '' ? name : `${folder}/${name}`
    const path = prefix + name
    const node = follow === undefined ? tree.get(at) : followWanted(tree, at, follow(path))
    if (!node) continue
    if (node.type === 'directory' && open.has(node.path)) {
      if (follow?.(path) === false) continue
      throw new OciBuildError('OCB-COPY-LINK-LOOP', {
        message: `/${at} of the image is a symlink to /${node.path}, a directory that holds it, and follow copies what links point at`,
        hint: 'exclude the link, or leave follow out to copy it as a link',
      })
    }
    yield { path, node }
    if (node.type !== 'directory') continue
    open.add(node.path)
    yield* walk(tree, node.path, `${path}/`, follow, open)
    open.delete(node.path)
  }
}

function followWanted(tree: Tree, path: string, wanted: boolean): TreeNode | undefined {
  try {
    return followNode(tree, path)
  } catch (error) {
    if (wanted) throw error
    return undefined
  }
}
