/** The images below a root, one a platform. */

import { readDocument } from '../content/read-document.ts'
import type { Fetcher, StoreOptions } from '../content/store.ts'
import { OciBuildError } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { ImageManifest } from '../spec/image-manifest.ts'
import { isIndexType, isManifestType, mediaTypes } from '../spec/media-type.ts'
import { parseImageConfig } from '../spec/parse-image-config.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { parseImageManifest } from '../spec/parse-image-manifest.ts'
import { choosePlatform, formatPlatform, type Platform } from '../spec/platform.ts'

export interface FoundManifest {
  readonly descriptor: Descriptor
  readonly manifest: ImageManifest
  /** The config's, or the descriptor's where the config is none of an image; undefined when neither says. */
  readonly platform: Platform | undefined
  /** Its config is an image's and so are its layers, as far as the index says: neither artifact nor attestation. */
  readonly isImage: boolean
}

export interface FoundDocuments {
  readonly manifests: readonly FoundManifest[]
  /** Indexes, the root's first when it is one; their descriptors. */
  readonly indexes: readonly Descriptor[]
  /** What an index names and we do not know. */
  readonly unknown: readonly Descriptor[]
}

/** Indexes may lie in indexes, this deep. */
const maxDepth = 8

/** Reads all manifests below a root, each once, in the order of the indexes. Throws what reading and parsing throw. */
export async function findManifests(
  store: Fetcher,
  root: Descriptor,
  options: StoreOptions = {},
): Promise<FoundDocuments> {
  const manifests: FoundManifest[] = []
  const indexes: Descriptor[] = []
  const unknown: Descriptor[] = []
  const seen = new Set<string>()
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (seen.has(descriptor.digest)) return
    seen.add(descriptor.digest)
    if (isIndexType(descriptor.mediaType) && depth < maxDepth) {
      indexes.push(descriptor)
      const bytes = await readDocument(store, descriptor, options)
      const { manifests: children } = parseImageIndex(bytes, `index ${descriptor.digest}`)
      for (const child of children) await visit(child, depth + 1)
    } else if (isManifestType(descriptor.mediaType)) {
      manifests.push(await readManifest(store, descriptor, options))
    } else unknown.push(descriptor)
  }
  await visit(root, 0)
  return { manifests, indexes, unknown }
}

async function readManifest(
  store: Fetcher,
  descriptor: Descriptor,
  options: StoreOptions,
): Promise<FoundManifest> {
  const bytes = await readDocument(store, descriptor, options)
  const manifest = parseImageManifest(bytes, `manifest ${descriptor.digest}`)
  const { mediaType } = manifest.config
  const hasImageConfig = mediaType === mediaTypes.config || mediaType === mediaTypes.dockerConfig
  // BuildKit's attestations have an image's config, and the platform unknown/unknown.
  const isImage = hasImageConfig && descriptor.platform?.os !== 'unknown'
  if (!isImage) return { descriptor, manifest, platform: descriptor.platform, isImage }
  const config = parseImageConfig(
    await readDocument(store, manifest.config, options),
    `config ${manifest.config.digest}`,
  )
  const { os, architecture, variant } = config
  const platform = { os, architecture, variant: variant ?? descriptor.platform?.variant }
  return { descriptor, manifest, platform, isImage }
}

/**
 * The image for a platform. Without one: the only image, else the one for `preferred` where there is one. Throws
 * `OCB-USAGE-PLATFORM` with a list of the platforms that there are.
 */
export function selectManifest(
  found: FoundDocuments,
  wanted: Platform | undefined,
  preferred?: Platform,
): FoundManifest {
  const images = firstOfEach(found.manifests.filter(({ isImage }) => isImage))
  const [first] = images
  if (wanted === undefined && images.length === 1 && first) return first
  const platform = wanted ?? preferred
  const chosen = platform && choosePlatform(images, platform)
  if (chosen) return chosen
  const offered = images.map((image) => (image.platform ? formatPlatform(image.platform) : '(none)'))
  const list = offered.length === 0 ? 'none' : offered.join(', ')
  throw new OciBuildError('OCB-USAGE-PLATFORM', {
    message: wanted
      ? `the image is not for ${formatPlatform(wanted)}; it is for: ${list}`
      : `the image is for several platforms and none was named: ${list}`,
    hint: offered.length === 0 ? 'name an image and not an artifact' : `add --platform ${offered[0]}`,
  })
}

/** Of manifests for one platform readers take the first: others are the same image compressed otherwise. */
function firstOfEach(images: readonly FoundManifest[]): readonly FoundManifest[] {
  const seen = new Set<string>()
  return images.filter(({ platform }) => {
    const name = platform && JSON.stringify([formatPlatform(platform), platform['os.version']])
    if (name === undefined) return true
    const isFirst = !seen.has(name)
    seen.add(name)
    return isFirst
  })
}
