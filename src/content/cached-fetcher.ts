/** A far store behind a near one: what is asked for is fetched once, checked, and kept. */

import type { Descriptor } from '../spec/descriptor.ts'
import type { ContentStore, Fetcher, FileBacked, StoreOptions } from './store.ts'

/**
 * Reads from `near`, filling it from `far` first where it lacks the content. `far` is opened at the first miss only.
 * `fileOf` fetches too: who asks for a file wants its bytes.
 */
export function cachedFetcher(
  near: ContentStore & FileBacked,
  far: () => Promise<Fetcher>,
): Fetcher & FileBacked {
  const fill = async (target: Descriptor, options?: StoreOptions): Promise<void> => {
    if (await near.has(target, options)) return
    const origin = await far()
    await near.push(target, await origin.fetch(target, options), options)
  }
  return {
    async fetch(target, options) {
      await fill(target, options)
      return near.fetch(target, options)
    },
    async fileOf(target) {
      await fill(target)
      return near.fileOf(target)
    },
  }
}
