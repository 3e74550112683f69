/** Keeps the list of referrers right where the registry does not do it (distribution-spec v1.1.1, Pushing Manifests with Subject). */

import { sha256 } from '../content/hash.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { ImageIndex } from '../spec/image-index.ts'
import { encodeJson } from '../spec/json.ts'
import { isIndexType, isManifestType, mediaTypes } from '../spec/media-type.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { parseImageManifest } from '../spec/parse-image-manifest.ts'
import { putManifest, type RawManifest } from './manifests.ts'
import type { RegistryAbilities } from './push-tags.ts'
import { fallbackTag, readFallback } from './referrers.ts'
import type { Repository } from './repository.ts'

/** A lost race is seen by reading back; so often the entry is written again. */
const maxWrites = 5

/** Subjects whose list this process is writing now, by repository and digest. */
const writing = new Map<string, Promise<void>>()

/** After a PUT: adds the manifest to its subject's fallback tag unless `echoed` (OCI-Subject) says that it is listed. */
export async function keepReferrer(
  repository: Repository,
  abilities: RegistryAbilities,
  manifest: RawManifest,
  echoed: string | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const found = describeReferrer(manifest)
  if (found === undefined) return
  abilities.referrers = echoed !== undefined
  if (echoed !== undefined) return
  await changeFallback(repository, found.subject, signal, (manifests) => {
    const same = manifests.find(({ digest }) => digest === found.referrer.digest)
    if (same !== undefined && Buffer.from(encodeJson(same)).equals(encodeJson(found.referrer)))
      return manifests
    return [...manifests.filter(({ digest }) => digest !== found.referrer.digest), found.referrer]
  })
}

/** After a DELETE: takes the manifest out of its subject's fallback tag, where there is one. */
export async function forgetReferrer(
  repository: Repository,
  subject: Digest,
  referrer: Digest,
  signal: AbortSignal | undefined,
): Promise<void> {
  await changeFallback(repository, subject, signal, (manifests) =>
    manifests.some(({ digest }) => digest === referrer)
      ? manifests.filter(({ digest }) => digest !== referrer)
      : manifests,
  )
}

/** Subject and entry of a manifest that has a subject; the entry carries artifact type and annotations. */
export function describeReferrer(
  manifest: RawManifest,
): { readonly subject: Digest; readonly referrer: Descriptor } | undefined {
  const { mediaType, digest, size } = manifest.descriptor
  if (!isManifestType(mediaType) && !isIndexType(mediaType)) return undefined
  const document = isIndexType(mediaType)
    ? parseImageIndex(manifest.bytes, digest)
    : parseImageManifest(manifest.bytes, digest)
  if (document.subject === undefined) return undefined
  const artifactType = document.artifactType ?? ('config' in document ? document.config.mediaType : undefined)
  const { annotations } = document
  const referrer = {
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && artifactType !== '' && { artifactType }),
    ...(annotations !== undefined && Object.keys(annotations).length > 0 && { annotations }),
  }
  return { subject: document.subject.digest, referrer }
}

/** Writes the list until it stays as wanted: another writer may put its own in between, and none may be lost. */
async function changeFallback(
  repository: Repository,
  subject: Digest,
  signal: AbortSignal | undefined,
  change: (manifests: readonly Descriptor[]) => readonly Descriptor[],
): Promise<void> {
  const key = `${repository.title}@${subject}`
  const before = writing.get(key) ?? Promise.resolve()
  const mine = before.then(async () => {
    for (let write = 0; write < maxWrites; write += 1) {
      const index = await readFallback({ ...repository, pull: repository.push }, subject, signal)
      const manifests = index?.manifests ?? []
      const changed = change(manifests)
      if (changed === manifests) return
      await putFallback(repository, subject, { ...index, manifests: changed }, signal)
    }
  })
  const settled = mine.catch(() => undefined)
  writing.set(key, settled)
  void settled.then(() => writing.get(key) === settled && writing.delete(key))
  await mine
}

async function putFallback(
  repository: Repository,
  subject: Digest,
  index: Pick<ImageIndex, 'manifests' | 'annotations'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: index.manifests,
    annotations: index.annotations,
  })
  const descriptor: Descriptor = { mediaType: mediaTypes.index, digest: sha256(bytes), size: bytes.length }
  await putManifest(repository, { descriptor, bytes }, fallbackTag(subject), signal)
}
