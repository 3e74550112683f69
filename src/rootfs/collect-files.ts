/** The bytes of some files of a layer, in one pass over it. */

import type { ByteStream, Fetcher } from '../content/store.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { openLayer, type LayerReadOptions } from './open-layer.ts'
import type { LayerEntry, Tree, TreeNode } from './tree-types.ts'

/** An image's layers, lowest first, and what they make together. */
export interface Rootfs {
  readonly store: Fetcher
  readonly layers: readonly Descriptor[]
  readonly tree: Tree
}

/** Takes a file's bytes; called again for the same path when a layer holds it twice. */
export type KeepFile<Kept> = (content: ByteStream, entry: LayerEntry) => Promise<Kept>

/**
 * What `keep` made of the bytes of tree nodes (files, and hard links, which are followed), by the node's path;
 * nodes whose layer does not hold them are absent. Reads each layer that holds one once, in most cases.
 * Throws what `openLayer` and `keep` throw.
 */
export async function collectFiles<Kept>(
  source: Rootfs,
  nodes: Iterable<TreeNode>,
  keep: KeepFile<Kept>,
  options: LayerReadOptions = {},
): Promise<Map<string, Kept>> {
  const byLayer = new Map<number, TreeNode[]>()
  for (const node of nodes) {
    const list = byLayer.get(node.layer)
    if (list) list.push(node)
    else byLayer.set(node.layer, [node])
  }
  const all = new Map<string, Kept>()
  for (const [layer, wanted] of byLayer) {
    const descriptor = source.layers[layer]
    if (!descriptor) continue
    const found = await collectFromLayer(source.store, descriptor, wanted, keep, options)
    for (const node of wanted) {
      const kept = found.get(node.path)
      if (kept !== undefined) {
        all.set(node.path, kept)
        continue
      }
      // A hard link to a file of a lower layer: no writer should make one, and engines that copy up allow it.
      const target = node.target === undefined ? undefined : source.tree.get(node.target)
      if (node.type !== 'hardlink' || !target || target.layer >= layer) continue
      const lower = await collectFiles(source, [target], keep, options)
      for (const [, one] of lower) all.set(node.path, one)
    }
  }
  return all
}

async function collectFromLayer<Kept>(
  store: Fetcher,
  descriptor: Descriptor,
  nodes: readonly TreeNode[],
  keep: KeepFile<Kept>,
  options: LayerReadOptions,
): Promise<Map<string, Kept>> {
  const wanted = new Set(nodes.map((node) => node.path))
  for (const { type, target } of nodes) if (type === 'hardlink' && target !== undefined) wanted.add(target)
  for (;;) {
    const found = new Map<string, Kept>()
    let again = false
    for await (const { entry, content } of openLayer(store, descriptor, options)) {
      if (!wanted.has(entry.path) || entry.type === 'whiteout' || entry.type === 'opaque') continue
      if (entry.type === 'file') found.set(entry.path, await keep(content, entry))
      else if (entry.type !== 'hardlink' || entry.target === undefined) found.delete(entry.path)
      else {
        // A hard link to a hard link: the bytes came earlier, when nobody knew that they are wanted.
        if (!wanted.has(entry.target)) again = true
        wanted.add(entry.target)
        const kept = found.get(entry.target)
        if (kept !== undefined) found.set(entry.path, kept)
      }
    }
    if (!again) return found
  }
}
