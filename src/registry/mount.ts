/** Mounts a blob of another repository of the same registry (distribution-spec v1.1.1, Mounting a blob). */

import { OciBuildError } from '../errors.ts'
import type { Digest } from '../spec/digest.ts'
import { mountPath } from './api-paths.ts'
import { checkRepository, type Repository } from './repository.ts'
import { hasStatus } from './registry-error.ts'
import { repositoryScope } from './scope.ts'
import { readUpload, type Upload } from './upload-session.ts'

/**
 * `mounted`: the blob is there now. An upload: the registry opened one in place of the mount. `denied`: the account may
 * not read `from`. `no`: the registry did neither.
 */
export async function tryMount(
  repository: Repository,
  digest: Digest,
  from: string,
  signal: AbortSignal | undefined,
): Promise<'mounted' | 'denied' | 'no' | Upload> {
  checkRepository(repository.session.host, from)
  try {
    const response = await repository.session.ask({
      method: 'POST',
      target: mountPath(repository.name, digest, from),
      scopes: [...repository.push, repositoryScope(from, 'pull')],
      wanted: [201, 202],
      signal,
    })
    return response.status === 201 ? 'mounted' : readUpload(repository, 'POST', response)
  } catch (error) {
    // A token service may refuse all when one scope is denied; the upload asks without it.
    if (error instanceof OciBuildError && error.code === 'OCB-REGISTRY-AUTH') return 'denied'
    if (hasStatus(error, 401, 403)) return 'denied'
    if (hasStatus(error, 400, 404, 405, 501)) return 'no'
    throw error
  }
}
