/** What indexes hold, and how entries are put together: one image a platform, attestations beside theirs. */

import { readDocument } from '../content/read-document.ts'
import type { Fetcher, StoreOptions } from '../content/store.ts'
import { OciBuildError } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { ImageIndex } from '../spec/image-index.ts'
import { compareBytes } from '../spec/json.ts'
import { isIndexType, isManifestType, mediaTypes } from '../spec/media-type.ts'
import { parseImageConfig } from '../spec/parse-image-config.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { parseImageManifest } from '../spec/parse-image-manifest.ts'
import { effectiveVariant, formatPlatform, type Platform } from '../spec/platform.ts'

/** BuildKit's: an attestation names the manifest that it is about. */
const attests = 'vnd.docker.reference.digest'

/** An index, or a manifest seen as an index of one. Throws what reading and parsing throw. */
export async function readAsIndex(
  store: Fetcher,
  root: Descriptor,
  options: StoreOptions = {},
): Promise<ImageIndex> {
  const bytes = await readDocument(store, root, options)
  if (isIndexType(root.mediaType)) return parseImageIndex(bytes, `index ${root.digest}`)
  const empty: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }
  if (!isManifestType(root.mediaType)) {
    throw new OciBuildError('OCB-USAGE-INDEX', {
      message: `${root.digest} is of type ${root.mediaType}, which cannot be in an index of images`,
      hint: 'name a manifest or an index',
    })
  }
  return { ...empty, manifests: [await describeManifest(store, root, bytes, options)] }
}

async function describeManifest(
  store: Fetcher,
  { mediaType, digest, size }: Descriptor,
  bytes: Uint8Array,
  options: StoreOptions,
): Promise<Descriptor> {
  const { config, artifactType } = parseImageManifest(bytes, `manifest ${digest}`)
  const plain = { mediaType, digest, size }
  if (config.mediaType !== mediaTypes.config && config.mediaType !== mediaTypes.dockerConfig) {
    return { ...plain, artifactType: artifactType ?? config.mediaType }
  }
  const image = parseImageConfig(await readDocument(store, config, options), `config ${config.digest}`)
  const { os, architecture, variant } = image
  const { 'os.version': version, 'os.features': features } = image
  return { ...plain, platform: { os, architecture, variant, 'os.version': version, 'os.features': features } }
}

/**
 * `existing` with the images of `added`, each in the place of the one for its platform. Images come sorted by
 * platform, so that jobs that finish in another order make the same bytes; what has no platform comes behind, in its
 * order.
 */
export function mergeEntries(
  existing: readonly Descriptor[],
  added: readonly Descriptor[],
): readonly Descriptor[] {
  const digests = new Set(added.map(({ digest }) => digest))
  const platforms = new Set(added.flatMap(keyOf))
  const gone = existing.filter((entry) => {
    return !digests.has(entry.digest) && keyOf(entry).some((key) => platforms.has(key))
  })
  const kept = without(existing, gone).filter(({ digest }) => !digests.has(digest))
  const all = [...kept, ...uniqueByDigest(added)]
  const images = all.filter((entry) => keyOf(entry).length > 0)
  const others = all.filter((entry) => keyOf(entry).length === 0)
  // Attestations have no platform of their own: theirs is their image's.
  const rank = (entry: Descriptor): string => {
    const image = images.find(({ digest }) => digest === entry.annotations?.[attests])
    return image === undefined ? '~' : (keyOf(image)[0] ?? '~')
  }
  return [
    ...images.toSorted((a, b) => compareBytes(keyOf(a)[0] ?? '', keyOf(b)[0] ?? '')),
    ...others.toSorted((a, b) => compareBytes(rank(a), rank(b)) || compareBytes(a.digest, b.digest)),
  ]
}

/** The entries without some, and without the attestations of those. */
export function without(entries: readonly Descriptor[], gone: readonly Descriptor[]): readonly Descriptor[] {
  const digests = new Set<string>(gone.map(({ digest }) => digest))
  return entries.filter(({ digest, annotations }) => {
    return !digests.has(digest) && !digests.has(annotations?.[attests] ?? '')
  })
}

/** The images for a platform: the same variant, and any `os.version`. */
export function entriesFor(entries: readonly Descriptor[], platform: Platform): readonly Descriptor[] {
  return entries.filter(({ platform: offered }) => {
    return (
      offered?.os === platform.os &&
      offered.architecture === platform.architecture &&
      effectiveVariant(offered) === effectiveVariant(platform)
    )
  })
}

/** For people: `linux/amd64, linux/arm64`. */
export function listPlatforms(entries: readonly Descriptor[]): string {
  const platforms = entries.flatMap((entry) => (hasPlatform(entry) ? [formatPlatform(entry.platform)] : []))
  return platforms.length === 0 ? 'none' : [...new Set(platforms)].join(', ')
}

/** Refuses two images for one platform. Throws `OCB-USAGE-INDEX`. */
export function checkDistinct(
  sources: readonly { readonly name: string; readonly entries: readonly Descriptor[] }[],
): void {
  const seen = new Map<string, { readonly name: string; readonly digest: string }>()
  for (const { name, entries } of sources) {
    for (const entry of entries) {
      for (const key of keyOf(entry)) {
        const first = seen.get(key)
        if (first !== undefined && first.name !== name && first.digest !== entry.digest) {
          throw new OciBuildError('OCB-USAGE-INDEX', {
            message: `${first.name} and ${name} are both for ${listPlatforms([entry])}`,
            hint: 'name one image for each platform',
          })
        }
        seen.set(key, first ?? { name, digest: entry.digest })
      }
    }
  }
}

function hasPlatform(entry: Descriptor): entry is Descriptor & { readonly platform: Platform } {
  return entry.platform !== undefined && entry.platform.os !== 'unknown'
}

/** What an entry takes the place of; nothing for artifacts and attestations. */
function keyOf(entry: Descriptor): readonly string[] {
  if (!hasPlatform(entry)) return []
  const { os, architecture, 'os.version': version = '', 'os.features': features = [] } = entry.platform
  return [[os, architecture, effectiveVariant(entry.platform) ?? '', version, ...features].join('/')]
}

function uniqueByDigest(descriptors: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()]
}
