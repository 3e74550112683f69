/** The one verb that delivers: copies an image and all it needs from store to store. */

import { throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import { isFileBacked, isFileReceiver, isMounter } from './capabilities.ts'
import { forEachLimited } from './for-each-limited.ts'
import type { ContentStore, Fetcher } from './store.ts'
import { isParent, successors } from './successors.ts'

export interface CopyGraphOptions {
  readonly signal?: AbortSignal | undefined
  /** How many blobs are copied at once. Default 3; with 1 the order is that of the documents, always. */
  readonly concurrency?: number | undefined
  /**
   * Default false: where the target has a document, it is taken to have all below it, since stores are filled
   * children first. True looks at every blob, which heals a target that lost some.
   */
  readonly deep?: boolean | undefined
  /** Called once a blob, after it is stored. */
  readonly onBlob?: ((descriptor: Descriptor, outcome: 'copied' | 'present') => void) | undefined
}

/**
 * Copies `root` and everything below it: leaves first, each document after all that it names, each digest once. What
 * the target has is not sent. On a failure nothing new is begun, what is under way is stopped and waited for, and
 * the first error is thrown. Success promises that `target` holds the graph whole. Throws what the stores throw.
 */
export async function copyGraph(
  source: Fetcher,
  root: Descriptor,
  target: ContentStore,
  options: CopyGraphOptions = {},
): Promise<void> {
  const concurrency = options.concurrency ?? 3
  for (const level of await planLevels(source, root, target, options, concurrency)) {
    await forEachLimited(level, concurrency, options.signal, async ({ descriptor, present }, signal) => {
      const stored = present ?? (await target.has(descriptor, { signal }))
      if (!stored) await copyBlob(source, descriptor, target, signal)
      options.onBlob?.(descriptor, stored ? 'present' : 'copied')
    })
  }
}

interface Job {
  readonly descriptor: Descriptor
  /** Undefined: the target was not asked yet. */
  readonly present?: boolean | undefined
}

/** The graph in levels: leaves, then documents that name leaves only, and so on up to the root. */
async function planLevels(
  source: Fetcher,
  root: Descriptor,
  target: ContentStore,
  options: CopyGraphOptions,
  concurrency: number,
): Promise<readonly (readonly Job[])[]> {
  const generations: (readonly Descriptor[])[] = []
  const known = new Map<Digest, { readonly children: readonly Descriptor[]; readonly present: boolean }>()
  let generation: readonly Descriptor[] = isParent(root) ? [root] : []
  while (generation.length > 0) {
    throwIfAborted(options.signal)
    generations.push(generation)
    await forEachLimited(generation, concurrency, options.signal, async (document, signal) => {
      const present = await target.has(document, { signal })
      const skip = present && options.deep !== true
      known.set(document.digest, {
        children: skip ? [] : await successors(source, document, { signal }),
        present,
      })
    })
    const children = generation.flatMap((document) => known.get(document.digest)?.children ?? [])
    generation = uniqueByDigest(children.filter((child) => isParent(child) && !known.has(child.digest)))
  }
  return levelsOf(root, known)
}

function levelsOf(
  root: Descriptor,
  known: ReadonlyMap<Digest, { readonly children: readonly Descriptor[]; readonly present: boolean }>,
): readonly (readonly Job[])[] {
  const heights = new Map<Digest, number>()
  const levels: Job[][] = []
  // A stack of our own: how deep indexes nest is the input's choice.
  const stack: { readonly descriptor: Descriptor; readonly expanded: boolean }[] = [
    { descriptor: root, expanded: false },
  ]
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { descriptor, expanded } = item
    if (heights.has(descriptor.digest)) continue
    const node = known.get(descriptor.digest)
    const children = node?.children ?? []
    if (!expanded && children.length > 0) {
      stack.push({ descriptor, expanded: true })
      for (const child of children.toReversed()) stack.push({ descriptor: child, expanded: false })
      continue
    }
    let height = 0
    for (const child of children) height = Math.max(height, (heights.get(child.digest) ?? 0) + 1)
    heights.set(descriptor.digest, height)
    const level = (levels[height] ??= [])
    level.push({ descriptor, present: node?.present })
  }
  return levels
}

function uniqueByDigest(descriptors: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()]
}

/** Copies one blob, in the cheapest way that both stores know; `target` lacks it. */
export async function copyBlob(
  source: Fetcher,
  descriptor: Descriptor,
  target: ContentStore,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Before the source is opened: bytes that a mount saves are not fetched either.
  if (!isParent(descriptor) && isMounter(target)) {
    for (const repository of target.mountSources(descriptor)) {
      if (await target.mount(descriptor, repository, { signal })) return
    }
  }
  if (isFileReceiver(target) && isFileBacked(source)) {
    const file = await source.fileOf(descriptor)
    if (file !== undefined) return await target.pushFile(descriptor, file, { signal })
  }
  await target.push(descriptor, await source.fetch(descriptor, { signal }), { signal })
}
