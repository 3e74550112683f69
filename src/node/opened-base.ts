/** A base of layers, opened for what its programs and libraries are. */

import type { Rootfs } from '../rootfs/collect-files.ts'
import type { TextMemory } from '../rootfs/text-memory.ts'
import { createTree } from '../rootfs/tree.ts'
import type { LayerEntry, TreeNode } from '../rootfs/tree-types.ts'
import type { Platform } from '../spec/platform.ts'

export interface ImageQuestion extends Pick<Rootfs, 'store' | 'layers'> {
  readonly platform: Platform
  /** Of the base's config. */
  readonly env: readonly string[] | undefined
  /** The entries of its layers, lowest first. */
  readNames(): Promise<readonly (readonly LayerEntry[])[]>
  /** Asked first and told of every answer: a lock's. */
  readonly memory: TextMemory
  /** Where answers are kept by the layers' digests. */
  readonly cacheDir: string
  readonly signal: AbortSignal | undefined
}

export interface OpenedBase {
  readonly files: Rootfs
  /** Paths of what has a name, wherever it lies. */
  readonly byName: ReadonlyMap<string, readonly string[]>
}

/** Reads the names of its layers. */
export async function openBase({ store, layers, readNames }: ImageQuestion): Promise<OpenedBase> {
  const names = await readNames()
  const tree = createTree(names)
  const byName = new Map<string, string[]>()
  const seen = new Set<string>()
  for (const { path, type } of names.flat()) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const isOfInterest = (type === 'file' || type === 'symlink' || type === 'hardlink') && isRuntime(name)
    if (!isOfInterest || seen.has(path) || !tree.has(path)) continue
    seen.add(path)
    byName.set(name, [...(byName.get(name) ?? []), path])
  }
  return { files: { store, layers, tree }, byName }
}

function isRuntime(name: string): boolean {
  return name === 'node' || /\.so(?:\.\d+)*$/.test(name)
}

/** The file that a path leads to. */
export function fileAt({ files: { tree } }: OpenedBase, path: string): TreeNode | undefined {
  const node = tree.get(tree.resolve(path, { followLast: true }))
  return node?.type === 'file' || node?.type === 'hardlink' ? node : undefined
}
