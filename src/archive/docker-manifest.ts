/** The manifest.json of `docker save`, over blobs that lie where an image layout has them. */

import { OciBuildError } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import { isIndexType } from '../spec/media-type.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { parseImageManifest } from '../spec/parse-image-manifest.ts'
import { parseRepositoryReference } from '../spec/parse-repository.ts'
import { formatPlatform } from '../spec/platform.ts'
import { invalidArchive } from './archive-error.ts'

export interface DockerManifestItem {
  readonly Config: string
  readonly RepoTags: readonly string[]
  /** Lowest first. */
  readonly Layers: readonly string[]
}

/** One item an image, in the order in which they were first tagged. Throws `OCB-ARCHIVE-PLATFORMS`. */
export function dockerManifest(
  where: string,
  images: readonly { readonly target: Descriptor; readonly reference: string }[],
  documents: ReadonlyMap<Digest, Uint8Array>,
): readonly DockerManifestItem[] {
  const tagsByManifest = new Map<Digest, string[]>()
  for (const { target, reference } of images) {
    const digest = onePlatform(where, target, reference, documents)
    const tags = tagsByManifest.get(digest) ?? []
    tags.push(reference)
    tagsByManifest.set(digest, tags)
  }
  return [...tagsByManifest].map(([digest, RepoTags]) => {
    const { config, layers } = parseImageManifest(documentOf(where, digest, documents), digest)
    return { Config: blobName(config), RepoTags, Layers: layers.map(blobName) }
  })
}

/** The tag of `NAME:TAG`, and all of it fully qualified. Throws `OCB-SPEC-REFERENCE` for anything else. */
export function parseRepoTag(text: string): { readonly tag: string; readonly canonical: string } {
  const parsed = parseRepositoryReference(text)
  if ('reference' in parsed && parsed.reference.tag !== undefined && parsed.reference.digest === undefined) {
    const { host, repository, tag } = parsed.reference
    return { tag, canonical: `${host}/${repository}:${tag}` }
  }
  throw new OciBuildError('OCB-SPEC-REFERENCE', {
    message: `"${text}" cannot name an image in a docker-archive: ${'problem' in parsed ? parsed.problem : 'it has a digest'}`,
    hint: 'write docker-archive:FILE:NAME:TAG',
  })
}

function onePlatform(
  where: string,
  target: Descriptor,
  reference: string,
  documents: ReadonlyMap<Digest, Uint8Array>,
): Digest {
  if (!isIndexType(target.mediaType)) return target.digest
  const { manifests } = parseImageIndex(documentOf(where, target.digest, documents), target.digest)
  // Attestations ride in an index as manifests for a platform that nobody has.
  const images = manifests.filter(({ platform }) => platform?.os !== 'unknown')
  const [only] = images
  if (only !== undefined && images.length === 1) return onePlatform(where, only, reference, documents)
  const platforms = images.map(({ platform }) =>
    platform === undefined ? 'unnamed' : formatPlatform(platform),
  )
  throw new OciBuildError('OCB-ARCHIVE-PLATFORMS', {
    message: `${where}: a docker-archive holds one platform for each name, and "${reference}" has ${images.length} (${platforms.join(', ')})`,
    hint: 'choose one with --platform, or write an oci-archive',
  })
}

function documentOf(where: string, digest: Digest, documents: ReadonlyMap<Digest, Uint8Array>): Uint8Array {
  const document = documents.get(digest)
  if (document === undefined) throw invalidArchive(where, `the manifest ${digest} was not written to it`)
  return document
}

function blobName({ digest }: Descriptor): string {
  return `blobs/${digest.replace(':', '/')}`
}
