/** Layers whose bytes were never here: fetched when they are asked for, and held against their diffIDs. */

import { createDigester } from '../content/hash.ts'
import { decompress } from '../content/decompress.ts'
import { contentNotFound } from '../content/not-found.ts'
import type { FileBacked, Fetcher } from '../content/store.ts'
import { OciBuildError } from '../errors.ts'
import type { CachedLayer } from '../layer/layer-cache.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { splitDigest, type Digest } from '../spec/digest.ts'
import { layerCompression } from '../spec/media-type.ts'
import type { CacheReference } from './cache-sources.ts'
import type { Session } from './session.ts'

export interface TakenLayers {
  /** Takes a layer over; undefined where it is of no known kind, or was taken with another diffID before. */
  take(
    layer: CachedLayer,
    from: { readonly store: Fetcher; readonly reference: CacheReference },
  ): Promise<CachedLayer | undefined>
  /** How a layer that was taken over is made here, should its bytes be gone where it was found. */
  keepRecipe(layer: Descriptor, make: () => Promise<CachedLayer>): void
  /**
   * The bytes of layers that were taken over, kept in the staging store. Throws `OCB-CACHE-WRONG` where they are not
   * those of the diffID that came with them.
   */
  readonly store: Fetcher & FileBacked
}

interface Taken {
  readonly layer: CachedLayer
  readonly store: Fetcher
  make: (() => Promise<CachedLayer>) | undefined
  checked: Promise<void> | undefined
}

export function createTakenLayers(session: Session): TakenLayers {
  const { staging, options, registries } = session
  const { signal } = options
  const taken = new Map<Digest, Taken>()

  const fill = async ({ layer, store, make }: Taken): Promise<void> => {
    const { descriptor } = layer
    if (!(await staging.has(descriptor))) {
      try {
        await staging.push(descriptor, await store.fetch(descriptor, { signal }), { signal })
      } catch (error) {
        const gone = error instanceof OciBuildError && error.code === 'OCB-CONTENT-NOT-FOUND'
        if (!gone || make === undefined) throw error
        const made = await make()
        if (made.descriptor.digest !== descriptor.digest) throw wrong(layer, made.descriptor.digest)
      }
    }
    const diffId = await diffIdOfBytes(staging, descriptor, layer.diffId)
    if (diffId !== layer.diffId) throw wrong(layer, `a tar with the diffID ${diffId}`)
  }
  const ready = async (target: Descriptor): Promise<boolean> => {
    const one = taken.get(target.digest)
    if (one === undefined) return false
    one.checked ??= fill(one)
    await one.checked
    return true
  }
  return {
    async take(layer, from) {
      const { descriptor, diffId } = layer
      if (layerCompression(descriptor.mediaType) === undefined) return undefined
      const before = taken.get(descriptor.digest)
      if (before !== undefined) return before.layer.diffId === diffId ? layer : undefined
      taken.set(descriptor.digest, { layer, store: from.store, make: undefined, checked: undefined })
      const { reference } = from
      if (reference.transport === 'docker') {
        // A push to another repository of that registry can mount it.
        const { seenBlob } = await registries.context()
        seenBlob?.(reference.host, reference.repository, descriptor.digest)
      }
      return layer
    },
    keepRecipe(layer, make) {
      const one = taken.get(layer.digest)
      if (one !== undefined) one.make = make
    },
    store: {
      async fetch(target, fetchOptions) {
        if (!(await ready(target))) throw contentNotFound(target, 'the layers that were taken over')
        return staging.fetch(target, fetchOptions)
      },
      fileOf: async (target) => ((await ready(target)) ? staging.fileOf(target) : undefined),
    },
  }
}

async function diffIdOfBytes(store: Fetcher, layer: Descriptor, like: Digest): Promise<Digest> {
  const digester = createDigester(splitDigest(like).algorithm)
  const compression = layerCompression(layer.mediaType) ?? 'none'
  for await (const chunk of decompress(await store.fetch(layer), compression)) digester.update(chunk)
  return digester.digest()
}

function wrong({ descriptor, diffId, from }: CachedLayer, seen: string): OciBuildError {
  return new OciBuildError('OCB-CACHE-WRONG', {
    message: `${from ?? 'a cache'} says that the layer ${descriptor.digest} has the diffID ${diffId}; it is ${seen}`,
    hint: `find out who wrote ${from ?? 'it'}; build with --no-cache, or --cache-from another, until it is right again`,
  })
}
