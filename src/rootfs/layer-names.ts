/** The names of a layer, read once and kept by its digest. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../content/atomic-file.ts'
import type { Fetcher } from '../content/store.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { splitDigest, type Digest } from '../spec/digest.ts'
import { formatNames, parseNames } from './names-file.ts'
import { openLayer, type LayerReadOptions } from './open-layer.ts'
import type { LayerEntry } from './tree-types.ts'

export interface LayerNamesOptions extends LayerReadOptions {
  /** Folder of the index files; made when it is missing. Default: nothing is kept. */
  readonly cacheDir?: string | undefined
}

/**
 * All entries of a layer, in its order. With `cacheDir` from its index file there, which is written when it is
 * missing, damaged or of another format; a folder that cannot be written to is no error. Throws what `openLayer` throws.
 */
export async function readLayerNames(
  store: Fetcher,
  descriptor: Descriptor,
  options: LayerNamesOptions = {},
): Promise<readonly LayerEntry[]> {
  const file = options.cacheDir === undefined ? undefined : namesFileOf(options.cacheDir, descriptor.digest)
  const known = file === undefined ? undefined : readNamesFile(file, descriptor.digest)
  if (known) return known
  const entries: LayerEntry[] = []
  for await (const { entry } of openLayer(store, descriptor, options)) entries.push(entry)
  if (file !== undefined) keep(file, formatNames(descriptor.digest, entries))
  return entries
}

/** Where the index file of a layer lies: `ALGORITHM-HEX.names`. */
export function namesFileOf(cacheDir: string, layer: Digest): string {
  const { algorithm, encoded } = splitDigest(layer)
  return join(cacheDir, `${algorithm}-${encoded}.names`)
}

function readNamesFile(file: string, layer: Digest): readonly LayerEntry[] | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  return parseNames(layer, text)
}

function keep(file: string, text: string): void {
  try {
    writeFileAtomic(file, text)
  } catch {
    // A memory that cannot be kept costs time, not the build.
  }
}
