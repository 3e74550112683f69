/** Layers that other machines made: found by key, taken over as descriptors, fetched when an output needs their bytes. */

import type { ImageSpec } from '../config/resolved-spec.ts'
import { cachedFetcher } from '../content/cached-fetcher.ts'
import type { FileBacked, Fetcher } from '../content/store.ts'
import { diffIdOf, readKnownLayers, type KnownLayer } from '../image/known-layers.ts'
import type { CachedLayer, LayerCache } from '../layer/layer-cache.ts'
import { keyAnnotation } from '../layer/layer-key.ts'
import type { Digest } from '../spec/digest.ts'
import type { Platform } from '../spec/platform.ts'
import { cacheSourcesOf, type CacheSource } from './cache-sources.ts'
import type { Outputs } from './outputs.ts'
import type { Session } from './session.ts'
import { createTakenLayers, type TakenLayers } from './taken-layers.ts'

export interface SharedLayers {
  /** This machine's memory, and behind it what is believed for an image; nothing is asked before that one misses. */
  cacheFor(spec: ImageSpec): LayerCache
  readonly taken: TakenLayers
}

/** A source as far as it was read. */
interface ReadSource extends CacheSource {
  readonly store: Fetcher & FileBacked
  readonly layers: readonly KnownLayer[]
}

/** `platforms`: those that are built; of others nothing is read. */
export function createSharedLayers(
  local: LayerCache,
  platforms: readonly Platform[],
  outputs: Outputs,
  session: Session,
): SharedLayers {
  const { staging, options } = session
  const taken = createTakenLayers(session)
  const known = new Map<string, Promise<ReadSource | undefined>>()

  const read = async (source: CacheSource): Promise<ReadSource | undefined> => {
    try {
      const image = await source.open()
      if (image === undefined) return undefined
      const layers = await readKnownLayers(image.store, image.root, platforms, { signal: options.signal })
      return { ...source, layers, store: cachedFetcher(staging, async () => image.store) }
    } catch (error) {
      source.useless(error)
      return undefined
    }
  }
  const readOnce = (source: CacheSource): Promise<ReadSource | undefined> => {
    const reading = known.get(source.title) ?? read(source)
    known.set(source.title, reading)
    return reading
  }
  const diffIdIn = async (source: ReadSource, layer: KnownLayer): Promise<Digest | undefined> => {
    try {
      return await diffIdOf(source.store, layer, { signal: options.signal })
    } catch (error) {
      source.useless(error)
      return undefined
    }
  }
  /**
   * The first layer with a wanted key, source by source: the next is asked only where the ones before have none, and
   * of own tags only the first that is there.
   */
  const search = async (
    sources: readonly CacheSource[],
    wanted: (key: string) => boolean,
  ): Promise<{ readonly source: ReadSource; readonly layer: KnownLayer } | undefined> => {
    for (const one of sources) {
      const source = await readOnce(one)
      const layer = source?.layers.find(({ key }) => wanted(key))
      if (source && layer) return { source, layer }
      if (source?.own === true) return undefined
    }
    return undefined
  }

  return {
    taken,
    cacheFor(spec) {
      const sources = cacheSourcesOf(spec, outputs, session)
      if (sources.length === 0) return local
      return {
        async mayHave(shape) {
          if (await local.mayHave(shape)) return true
          const prefix = keyAnnotation(shape, '')
          return (await search(sources, (key) => key.startsWith(prefix))) !== undefined
        },
        async find(shape, key): Promise<CachedLayer | undefined> {
          const here = await local.find(shape, key)
          if (here) return here
          const annotation = keyAnnotation(shape, key)
          const found = await search(sources, (one) => one === annotation)
          const diffId = found && (await diffIdIn(found.source, found.layer))
          if (found === undefined || diffId === undefined) return undefined
          const { source, layer } = found
          // Not kept in this machine's memory: it is believed as long as its source is.
          return taken.take({ descriptor: layer.descriptor, diffId, from: source.title }, source)
        },
        keep: (shape, key, layer) => local.keep(shape, key, layer),
      }
    },
  }
}
