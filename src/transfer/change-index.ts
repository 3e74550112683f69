/** What people do with an index: make it of images, add to it, take from it, annotate it. */

import { copyGraph } from '../content/copy-graph.ts'
import type { Fetcher, Target } from '../content/store.ts'
import { OciBuildError } from '../errors.ts'
import { pushDocument } from '../image/push-document.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { ImageIndex } from '../spec/image-index.ts'
import { mediaTypes } from '../spec/media-type.ts'
import { formatPlatform, type Platform } from '../spec/platform.ts'
import { editIndex, type EditIndexOptions } from './edit-index.ts'
import {
  checkDistinct,
  entriesFor,
  listPlatforms,
  mergeEntries,
  readAsIndex,
  without,
} from './index-entries.ts'

/** An image to put into an index; an index stands for all that it holds. */
export interface IndexSource {
  /** For people. */
  readonly name: string
  readonly store: Fetcher
  readonly root: Descriptor
}

export type Annotations = Readonly<Record<string, string>>

export interface IndexOptions extends EditIndexOptions {
  /** Set on the index beside those it has. */
  readonly annotations?: Annotations | undefined
  /** Copies an image into the target; default `copyGraph`. */
  readonly copy?: ((source: IndexSource, root: Descriptor) => Promise<void>) | undefined
}

/**
 * Makes an index of images, in their order, and lets `tag` name it; what the tag named before is forgotten. Images
 * that the target lacks are copied. Throws `OCB-USAGE-INDEX` for two images of one platform.
 */
export async function createIndex(
  target: Target,
  tag: string,
  sources: readonly IndexSource[],
  options: IndexOptions = {},
): Promise<Descriptor> {
  const manifests = await gather(target, sources, options)
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests,
    annotations: nonEmpty(options.annotations),
  }
  // Whoever makes an index anew means it to be this one, whatever others wrote meanwhile: the last one wins.
  const descriptor = await pushDocument(target, mediaTypes.index, index)
  await target.tag(descriptor, tag, { signal: options.signal })
  return descriptor
}

/**
 * Adds images to the index behind `tag`, each in the place of the one for its platform; a manifest behind the tag
 * becomes an entry, and where there is no tag one is made. Safe beside others that do the same.
 */
export async function addToIndex(
  target: Target,
  tag: string,
  sources: readonly IndexSource[],
  options: IndexOptions = {},
): Promise<Descriptor> {
  const added = await gather(target, sources, options)
  const edit = (index: ImageIndex | undefined): ImageIndex => ({
    ...(index ?? emptyIndex),
    manifests: mergeEntries(index?.manifests ?? [], added),
    annotations: nonEmpty({ ...index?.annotations, ...options.annotations }),
  })
  return await editIndex(target, tag, edit, options)
}

/**
 * Takes the images of platforms or with digests out of the index behind `tag`, with their attestations. What is not
 * in it when the command begins is an error, `OCB-USAGE-INDEX`; so is taking all.
 */
export async function removeFromIndex(
  target: Target,
  tag: string,
  what: { readonly platforms: readonly Platform[]; readonly digests: readonly Digest[] },
  options: EditIndexOptions = {},
): Promise<Descriptor> {
  let isFirst = true
  const edit = (index: ImageIndex | undefined): ImageIndex => {
    const { manifests, ...rest } = existing(index, tag)
    const byPlatform = what.platforms.map((platform) => ({
      name: formatPlatform(platform),
      found: entriesFor(manifests, platform),
    }))
    const byDigest = what.digests.map((digest) => ({
      name: digest,
      found: manifests.filter((entry) => entry.digest === digest),
    }))
    const all = [...byPlatform, ...byDigest]
    const missing = all.find(({ found }) => found.length === 0)
    // Later rounds see what the first one did.
    if (missing !== undefined && isFirst) {
      throw new OciBuildError('OCB-USAGE-INDEX', {
        message: `the index "${tag}" has no ${missing.name}; it has: ${listPlatforms(manifests)}`,
        hint: 'name a platform or a digest that it has',
      })
    }
    isFirst = false
    const kept = without(
      manifests,
      all.flatMap(({ found }) => found),
    )
    if (kept.length > 0) return { ...rest, manifests: kept }
    throw new OciBuildError('OCB-USAGE-INDEX', {
      message: `nothing would be left in the index "${tag}"`,
      hint: 'remove the whole with ocibuild delete',
    })
  }
  return await editIndex(target, tag, edit, options)
}

export interface AnnotateWhat {
  readonly set: Annotations
  /** Keys to take away. */
  readonly remove: readonly string[]
  /** Of this platform's entry, in place of the index's own. */
  readonly platform?: Platform | undefined
}

/** Sets and removes annotations of the index behind `tag`. Throws `OCB-USAGE-INDEX` for a platform that it lacks. */
export async function annotateIndex(
  target: Target,
  tag: string,
  { set, remove, platform }: AnnotateWhat,
  options: EditIndexOptions = {},
): Promise<Descriptor> {
  const change = (annotations: Annotations | undefined): Annotations | undefined => {
    const kept = Object.entries({ ...annotations, ...set }).filter(([key]) => !remove.includes(key))
    return nonEmpty(Object.fromEntries(kept))
  }
  const edit = (found: ImageIndex | undefined): ImageIndex => {
    const index = existing(found, tag)
    if (platform === undefined) return { ...index, annotations: change(index.annotations) }
    const chosen = entriesFor(index.manifests, platform)
    if (chosen.length === 0) {
      throw new OciBuildError('OCB-USAGE-INDEX', {
        message: `the index "${tag}" has no ${formatPlatform(platform)}; it has: ${listPlatforms(index.manifests)}`,
        hint: 'name a platform that it has',
      })
    }
    const manifests = index.manifests.map((entry) =>
      chosen.includes(entry) ? { ...entry, annotations: change(entry.annotations) } : entry,
    )
    return { ...index, manifests }
  }
  return await editIndex(target, tag, edit, options)
}

const emptyIndex: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }

/** Reads what the sources hold, copies what the target lacks, and gives the entries in order. */
async function gather(
  target: Target,
  sources: readonly IndexSource[],
  options: IndexOptions,
): Promise<readonly Descriptor[]> {
  const { signal } = options
  const found: { name: string; source: IndexSource; entries: readonly Descriptor[] }[] = []
  for (const source of sources) {
    const { manifests } = await readAsIndex(source.store, source.root, { signal })
    found.push({ name: source.name, source, entries: manifests })
  }
  checkDistinct(found)
  const copy = options.copy ?? (async ({ store }, root) => await copyGraph(store, root, target, { signal }))
  for (const { source, entries } of found) {
    for (const entry of entries) await copy(source, entry)
  }
  const all = found.flatMap(({ entries }) => entries)
  return [...new Map(all.map((entry) => [entry.digest, entry])).values()]
}

function existing(index: ImageIndex | undefined, tag: string): ImageIndex {
  if (index !== undefined) return index
  throw new OciBuildError('OCB-REFERENCE-NOT-FOUND', {
    message: `there is no index "${tag}"`,
    hint: 'make it with ocibuild index create',
  })
}

function nonEmpty(annotations: Annotations | undefined): Annotations | undefined {
  return annotations === undefined || Object.keys(annotations).length === 0 ? undefined : annotations
}
