/** Deletes manifests, tags and blobs (distribution-spec v1.1.1, Content Management). */

import { isDigest, type Digest } from '../spec/digest.ts'
import { blobPath, manifestPath } from './api-paths.ts'
import { isNotFound } from './host-session.ts'
import { getManifest } from './manifests.ts'
import { tagNotFound } from './not-found.ts'
import { describeReferrer, forgetReferrer } from './push-referrer.ts'
import { hasStatus } from './registry-error.ts'
import { checkReference, type Repository } from './repository.ts'
import { repositoryScope } from './scope.ts'

/**
 * Deletes a manifest by its digest, or a tag by its name. Throws `OCB-REFERENCE-NOT-FOUND`, and `RegistryError` with
 * a hint where the registry lets nobody delete (405).
 */
export async function deleteManifest(
  repository: Repository,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  checkReference(reference)
  try {
    const referrer = isDigest(reference)
      ? describeReferrer(await getManifest(repository, reference, signal))
      : undefined
    await deleteContent(repository, 'manifest', reference, signal)
    if (referrer === undefined) return
    await forgetReferrer(repository, referrer.subject, referrer.referrer.digest, signal)
  } catch (error) {
    throw isNotFound(error) ? tagNotFound(repository.title, reference, error) : error
  }
}

/** One DELETE. Throws `RegistryError`. */
export async function deleteContent(
  repository: Repository,
  kind: 'manifest' | 'blob',
  reference: Digest | string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { name, session } = repository
  const blob = kind === 'blob' && isDigest(reference)
  try {
    await session.ask({
      method: 'DELETE',
      target: blob ? blobPath(name, reference) : manifestPath(name, reference),
      scopes: [repositoryScope(name, 'pull', 'delete')],
      wanted: [202, 200, 204],
      signal,
    })
  } catch (error) {
    if (!hasStatus(error, 400, 405, 501)) throw error
    throw error.with({
      code: 'OCB-REGISTRY-UNSUPPORTED',
      hint: isDigest(reference)
        ? 'allow deleting in the settings of the registry'
        : 'delete by digest (@DIGEST), or allow deleting tags in the settings of the registry',
    })
  }
}
