/** The merged file system of an image, from its manifest's layers. */

import type { Fetcher } from '../content/store.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Rootfs } from './collect-files.ts'
import { readLayerNames, type LayerNamesOptions } from './layer-names.ts'
import { createTree } from './tree.ts'
import type { LayerEntry } from './tree-types.ts'

/** Decompression runs in libuv's pool, so two layers at once use two cores. */
const maxParallel = 2

/** Reads the names of all layers (lowest first), from `cacheDir` where they are known. Throws what `readLayerNames` throws. */
export async function openRootfs(
  store: Fetcher,
  layers: readonly Descriptor[],
  options: LayerNamesOptions = {},
): Promise<Rootfs> {
  return { store, layers, tree: createTree(await readNames(store, layers, options)) }
}

/** The names of each layer, as `createTree` takes them. Throws what `readLayerNames` throws. */
export async function readNames(
  store: Fetcher,
  layers: readonly Descriptor[],
  options: LayerNamesOptions = {},
): Promise<readonly (readonly LayerEntry[])[]> {
  const names: (readonly LayerEntry[])[] = []
  const pending = layers.entries()
  const work = async (): Promise<void> => {
    for (const [index, layer] of pending) names[index] = await readLayerNames(store, layer, options)
  }
  await Promise.all(Array.from({ length: maxParallel }, work))
  return names
}
