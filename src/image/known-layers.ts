/** What a finished image, or a cache manifest, says of its layers: which of them have a key, and the diffID of one. */

import { readDocument } from '../content/read-document.ts'
import type { Fetcher, StoreOptions } from '../content/store.ts'
import { layerKeyName } from '../layer/layer-key.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import { isIndexType, isManifestType } from '../spec/media-type.ts'
import { parseImageConfig } from '../spec/parse-image-config.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { parseImageManifest } from '../spec/parse-image-manifest.ts'
import type { Platform } from '../spec/platform.ts'

/** A layer that says how it was made. */
export interface KnownLayer {
  /** As `keyAnnotation` writes it. */
  readonly key: string
  /** Media type, digest and size; nothing else of what was said is taken over. */
  readonly descriptor: Descriptor
  /** Of the config that has its diffID, and where in it. */
  readonly config: Descriptor
  readonly position: number
  /** Of the manifest's layers. */
  readonly count: number
}

/** An index may name so many images; more are not looked at. */
const maxManifests = 64

/**
 * The layers with keys below a manifest or an index; of an index, those of `platforms` and of manifests without
 * platform. Throws what reading and parsing throw.
 */
export async function readKnownLayers(
  store: Fetcher,
  root: Descriptor,
  platforms: readonly Platform[],
  options?: StoreOptions,
): Promise<readonly KnownLayer[]> {
  if (isManifestType(root.mediaType)) return layersOf(await readDocument(store, root, options))
  if (!isIndexType(root.mediaType)) return []
  const { manifests } = parseImageIndex(await readDocument(store, root, options))
  const wanted = manifests.filter(
    ({ mediaType, platform }) => isManifestType(mediaType) && isWanted(platform, platforms),
  )
  const lists = await Promise.all(
    wanted.slice(0, maxManifests).map((manifest) => readKnownLayers(store, manifest, platforms, options)),
  )
  return lists.flat()
}

function isWanted(platform: Platform | undefined, platforms: readonly Platform[]): boolean {
  if (platform === undefined) return true
  // What the base adds to a platform (variant, versions) does not make it another one.
  const { os, architecture } = platform
  return platforms.some((one) => one.os === os && one.architecture === architecture)
}

function layersOf(bytes: Uint8Array): readonly KnownLayer[] {
  const { config, layers } = parseImageManifest(bytes)
  return layers.flatMap(({ mediaType, digest, size, annotations }, position) => {
    const key = annotations?.[layerKeyName]
    if (key === undefined) return []
    return { key, descriptor: { mediaType, digest, size }, config, position, count: layers.length }
  })
}

/** The diffID that the layer's config has for it; undefined where the config is not of these layers. */
export async function diffIdOf(
  store: Fetcher,
  { config, position, count }: KnownLayer,
  options?: StoreOptions,
): Promise<Digest | undefined> {
  const { rootfs } = parseImageConfig(await readDocument(store, config, options))
  return rootfs.diff_ids.length === count ? rootfs.diff_ids[position] : undefined
}
