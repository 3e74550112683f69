/** The image below: its config and the descriptors of its layers; their bytes stay where they are. */

import type { Fetcher } from '../content/store.ts'
import { readDocument } from '../content/read-document.ts'
import { OciBuildError } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { ImageConfig } from '../spec/image-config.ts'
import { parseImageConfig } from '../spec/parse-image-config.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { parseImageManifest } from '../spec/parse-image-manifest.ts'
import { isIndexType, isManifestType, toOciMediaType } from '../spec/media-type.ts'
import { choosePlatform, formatPlatform, samePlatform, type Platform } from '../spec/platform.ts'

export interface BaseImage {
  /** Where the layers' bytes are; undefined for a base without layers. */
  readonly store: Fetcher | undefined
  /** The words of its config; undefined for `scratch`. */
  readonly config: ImageConfig | undefined
  /** Lowest first, OCI media types over the base's own bytes. */
  readonly layers: readonly Descriptor[]
  /** Fully qualified name, where it came from a registry. */
  readonly name?: string | undefined
  /** Of its manifest for this platform. */
  readonly manifestDigest?: Digest | undefined
  readonly configDigest?: Digest | undefined
  /** Of what the reference named: the index where there is one. */
  readonly rootDigest?: Digest | undefined
}

/** A base of nothing. */
export const scratchBase: BaseImage = { store: undefined, config: undefined, layers: [] }

/**
 * Opens the image for a platform that a reference names. `text` is the reference as the user wrote it, `role` what
 * the image is to messages.
 * Throws `OCB-BASE-PLATFORM` with the platforms that there are.
 */
export async function openBaseImage(
  source: { readonly store: Fetcher; readonly root: Descriptor; readonly name?: string | undefined },
  platform: Platform,
  text: string,
  role: 'base' | 'image' = 'base',
): Promise<BaseImage> {
  const { store, root } = source
  const what = `the ${role} "${text}"`
  const descriptor = await manifestFor(store, root, platform, what)
  const manifest = parseImageManifest(await readDocument(store, descriptor))
  const config = parseImageConfig(await readDocument(store, manifest.config))
  const offered: Platform = { os: config.os, architecture: config.architecture, variant: config.variant }
  if (!samePlatform(offered, platform) && choosePlatform([{ platform: offered }], platform) === undefined) {
    throw missingPlatform(what, platform, [offered])
  }
  if (config.rootfs.diff_ids.length !== manifest.layers.length) {
    throw new OciBuildError('OCB-BASE-INVALID', {
      message: `${what} has ${manifest.layers.length} layers and ${config.rootfs.diff_ids.length} diff_ids; wanted one of each`,
      hint: 'build or fetch the base again; its config is not that of its manifest',
    })
  }
  const layers = manifest.layers.map((layer) => ({ ...layer, mediaType: toOciMediaType(layer.mediaType) }))
  return {
    store,
    config,
    layers,
    name: source.name,
    manifestDigest: descriptor.digest,
    configDigest: manifest.config.digest,
    rootDigest: root.digest,
  }
}

/** Finds the manifest for a platform, through indexes of indexes down to a few levels. */
async function manifestFor(
  store: Fetcher,
  root: Descriptor,
  platform: Platform,
  what: string,
): Promise<Descriptor> {
  let current = root
  for (let depth = 0; depth < 4; depth += 1) {
    if (isManifestType(current.mediaType)) return current
    if (!isIndexType(current.mediaType)) break
    const index = parseImageIndex(await readDocument(store, current))
    // buildx puts attestations beside the images, for the platform unknown/unknown.
    const images = index.manifests.filter(
      ({ mediaType, platform: offered }) =>
        (isManifestType(mediaType) || isIndexType(mediaType)) && offered?.os !== 'unknown',
    )
    const [only] = images
    const next: Descriptor | undefined =
      choosePlatform(images, platform) ?? (images.length === 1 && !only?.platform ? only : undefined)
    if (!next)
      throw missingPlatform(
        what,
        platform,
        images.flatMap((item) => item.platform ?? []),
      )
    current = next
  }
  throw new OciBuildError('OCB-BASE-INVALID', {
    message: `${what} is no image: ${current.digest} has the media type ${current.mediaType}`,
    hint: 'name an image manifest or an image index',
  })
}

function missingPlatform(what: string, wanted: Platform, offered: readonly Platform[]): OciBuildError {
  const known = offered.map(formatPlatform)
  return new OciBuildError('OCB-BASE-PLATFORM', {
    message: `${what} has no image for ${formatPlatform(wanted)}; it has ${known.join(', ') || 'none'}`,
    hint: 'set platforms to ones that it has, or name another image',
  })
}
