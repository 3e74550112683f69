/** What refers to a manifest: the referrers API, and the tag that stands in for it (distribution-spec v1.1.1, Listing Referrers). */

import type { Descriptor } from '../spec/descriptor.ts'
import { splitDigest, type Digest } from '../spec/digest.ts'
import type { ImageIndex } from '../spec/image-index.ts'
import { mediaTypes } from '../spec/media-type.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { documentTooLarge, maxDocumentBytes } from '../spec/read-value.ts'
import { referrersPath } from './api-paths.ts'
import { isNotFound } from './host-session.ts'
import { getManifest } from './manifests.ts'
import { followPages } from './pages.ts'
import { dropBody, readBody } from './read-body.ts'
import { hasStatus } from './registry-error.ts'
import type { Repository } from './repository.ts'

const emptyIndex: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }

/**
 * The manifests whose subject is `digest`, of one artifact type where that is given; an empty index when there are
 * none. Falls back to the tag where the registry has no such API. Throws `RegistryError`, `OCB-DOCUMENT-INVALID`.
 */
export async function listReferrers(
  repository: Repository,
  digest: Digest,
  artifactType: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ImageIndex> {
  const listed = await askReferrers(repository, digest, artifactType, signal)
  const index = listed ?? (await readFallback(repository, digest, signal)) ?? emptyIndex
  // A registry may leave the filtering to us, and a tag always does.
  if (artifactType === undefined) return index
  return { ...index, manifests: index.manifests.filter((one) => one.artifactType === artifactType) }
}

/** The answer of the API; undefined where the registry has none. */
async function askReferrers(
  repository: Repository,
  digest: Digest,
  artifactType: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ImageIndex | undefined> {
  const manifests: Descriptor[] = []
  let index: ImageIndex | undefined
  const first = referrersPath(repository.name, digest, artifactType)
  try {
    for await (const response of followPages(repository, first, { accept: mediaTypes.index }, signal)) {
      const type = response.header('content-type')?.split(';')[0]?.trim()
      // Pages made for people, and APIs of another kind, answer any path with 200.
      if (type !== mediaTypes.index) {
        await dropBody(response.body)
        return undefined
      }
      const what = `referrers of ${digest}`
      const bytes = await readBody(response.body, maxDocumentBytes)
      if (bytes === undefined) throw documentTooLarge(what, maxDocumentBytes + 1)
      const page = parseImageIndex(bytes, what)
      index ??= page
      manifests.push(...page.manifests)
    }
  } catch (error) {
    if (hasStatus(error, 400, 404, 405, 406, 501)) return undefined
    throw error
  }
  return index && { ...index, manifests: uniqueByDigest(manifests) }
}

/** The index under the fallback tag; undefined where there is no such tag. */
export async function readFallback(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<ImageIndex | undefined> {
  try {
    const { bytes } = await getManifest(repository, fallbackTag(digest), signal)
    return parseImageIndex(bytes, `the tag ${fallbackTag(digest)}`)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** The referrers tag schema: algorithm and digest, cut to what a tag may hold. */
export function fallbackTag(digest: Digest): string {
  const { algorithm, encoded } = splitDigest(digest)
  return `${algorithm}-${encoded.slice(0, 64)}`
}

export function uniqueByDigest(descriptors: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(descriptors.map((one) => [one.digest, one])).values()]
}
