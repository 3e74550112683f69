/** Pushes an image whole: what is there is not sent, what was wrongly taken as there is sent after all, tags come last. */

import { copyGraph, type CopyGraphOptions } from '../content/copy-graph.ts'
import type { FileBacked, Fetcher } from '../content/store.ts'
import { OciBuildError } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { RawManifest } from './manifests.ts'
import type { RegistryStore } from './registry-store.ts'

export interface PushGraphOptions extends Omit<CopyGraphOptions, 'deep'> {
  /**
   * The blobs of what this tag or digest names now, or of this manifest of the repository, are taken as present.
   * Default: the registry is asked for each.
   */
  readonly presume?: string | RawManifest | undefined
}

/**
 * Copies `root` and everything below it into the repository, and makes it visible under `tags` (none: under its digest
 * only). Gives the tags that were changed. A push with nothing changed is one HEAD for the root and one a tag. Throws
 * what the stores throw; no tag is moved before all is stored.
 */
export async function pushGraph(
  source: Fetcher & Partial<FileBacked>,
  root: Descriptor,
  store: RegistryStore,
  tags: readonly string[],
  options: PushGraphOptions = {},
): Promise<readonly string[]> {
  const { presume, ...copy } = options
  const { signal } = copy
  // Where a tag names another image, this one is hardly there: storing it again costs as much as asking.
  const seen = typeof presume === 'object' ? presume.descriptor.digest : undefined
  const present = seen === undefined ? await store.has(root, { signal }) : seen === root.digest
  if (!present) {
    if (presume !== undefined) await store.presume(presume, { signal })
    try {
      await copyGraph(source, root, lacking(store, root), copy)
    } catch (error) {
      if (!(error instanceof OciBuildError) || error.code !== 'OCB-REGISTRY-BLOB-UNKNOWN') throw error
      // Registries collect garbage: now every blob is asked for, also below manifests that are there.
      await copyGraph(source, root, store, { ...copy, deep: true })
    }
  }
  return tags.length === 0 ? [] : await store.tagAll(root, tags, { signal })
}

/** The store, of which it is known that it lacks `root`. */
function lacking(store: RegistryStore, root: Descriptor): RegistryStore {
  return {
    ...store,
    has: async (target, options) => target.digest !== root.digest && (await store.has(target, options)),
  }
}
