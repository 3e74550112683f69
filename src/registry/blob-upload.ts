/** Sends a blob: POST and PUT, or in chunks where the way allows no large bodies; each attempt is a new upload. */

import { OciBuildError, throwIfAborted } from '../errors.ts'
import { blobPath, withParameter } from './api-paths.ts'
import { joinSignals } from './host-session.ts'
import { hasStatus, RegistryError } from './registry-error.ts'
import type { Repository } from './repository.ts'
import { withRetry } from './retry.ts'
import { sendChunks } from './chunked-upload.ts'
import { abandonUpload, beginUpload, type Upload } from './upload-session.ts'
import type { UploadSource } from './upload-source.ts'

/** Statuses to a whole body that chunks may get around. */
const chunkStatuses: readonly (number | undefined)[] = [405, 411, 413, 501]

/**
 * Uploads a blob. `begun` is an upload that the registry opened in place of a mount. Success means that the registry
 * took it under the digest. Throws what the source throws, `OCB-REGISTRY-UPLOAD` and other `RegistryError`s.
 */
export async function uploadBlob(
  repository: Repository,
  source: UploadSource,
  begun: Upload | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { session } = repository
  const both = joinSignals(session.signal, signal)
  const { limits } = session
  let chunkBytes: number | undefined
  /** Whether chunks were only a try, and whether that was made. */
  let trial: 'none' | 'running' | 'over' = 'none'
  let first = begun
  const policy = { attempts: limits.attempts, delayMs: limits.retryDelayMs }
  await withRetry(policy, both, async (attempt) => {
    // A connection that broke at the very end may have left the blob whole.
    if (attempt > 1 && (await isStored(repository, source, signal))) return
    for (;;) {
      const upload = first ?? (await beginUpload(repository, signal))
      first = undefined
      try {
        if (chunkBytes === undefined) await sendWhole(repository, upload, source, signal)
        else await sendChunks(repository, upload, source, chunkBytes, signal)
        return
      } catch (error) {
        await abandonUpload(repository, upload)
        throwIfAborted(both)
        const fault = source.failure()
        if (fault !== undefined) throw fault
        const smaller = smallerChunks(error, chunkBytes, limits.chunkBytes, upload, source)
        if (smaller === undefined) {
          const cut = isCut(error)
          if (chunkBytes === undefined && trial === 'none' && cut && source.descriptor.size > smallestChunk) {
            // Chunks can be resumed, and some proxies cut what is too large for them without a word.
            trial = 'running'
            chunkBytes = Math.min(limits.chunkBytes, Math.ceil(source.descriptor.size / 2))
          } else if (trial === 'running' && !cut) {
            trial = 'over'
            chunkBytes = undefined
            if (refusesForm(error)) continue
          }
          throw explain(error)
        }
        chunkBytes = smaller
      }
    }
  })
}

async function sendWhole(
  repository: Repository,
  upload: Upload,
  source: UploadSource,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { digest, size } = source.descriptor
  await repository.session.ask({
    method: 'PUT',
    target: withParameter(upload.url, 'digest', digest),
    scopes: repository.push,
    headers: { 'content-type': 'application/octet-stream' },
    body: { size, open: () => source.open() },
    wanted: [201, 204],
    attempts: 1,
    signal,
  })
}

/** The chunks to go on with where a body was too large; undefined where that was not what failed, or no way is left. */
function smallerChunks(
  error: unknown,
  now: number | undefined,
  wanted: number,
  upload: Upload,
  source: UploadSource,
): number | undefined {
  const { size } = source.descriptor
  if (size === 0 || !(error instanceof RegistryError)) return undefined
  if (now === undefined) {
    // As one chunk it would be as large as the body that was refused.
    return refusesForm(error)
      ? Math.max(upload.minChunkBytes, Math.min(wanted, Math.ceil(size / 2)), 2)
      : undefined
  }
  if (error.status !== 413) return undefined
  const half = Math.floor(now / 2)
  return half < Math.max(upload.minChunkBytes, smallestChunk) ? undefined : half
}

/** Below this a limit on bodies is no limit that anybody sets. */
const smallestChunk = 16 * 1024

/** Whether a body is not wanted in this form, be it whole or in chunks; registries say so in many ways. */
function refusesForm(error: unknown): boolean {
  return (
    error instanceof RegistryError && (chunkStatuses.includes(error.status) || error.names('UNSUPPORTED'))
  )
}

function isCut(error: unknown): boolean {
  return error instanceof RegistryError && error.status === undefined && error.retryable
}

/** What an upload's own failures are called; an upload that the registry forgot is begun again. */
function explain(error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error
  const forgotten = hasStatus(error, 404) && !error.names('NAME_UNKNOWN', 'NAME_INVALID')
  const refused =
    error.code === 'OCB-REGISTRY-REFUSED' ||
    error.names('BLOB_UPLOAD_INVALID', 'DIGEST_INVALID', 'SIZE_INVALID')
  if (!forgotten && !refused && !hasStatus(error, 416)) return error
  return error.with({
    code: 'OCB-REGISTRY-UPLOAD',
    hint: 'try again; if it stays so, the registry or a proxy before it changes or loses uploads',
    retryable:
      forgotten ||
      error.retryable ||
      error.status === 416 ||
      error.names('DIGEST_INVALID', 'BLOB_UPLOAD_INVALID'),
  })
}

async function isStored(
  repository: Repository,
  source: UploadSource,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    const response = await repository.session.ask({
      method: 'HEAD',
      target: blobPath(repository.name, source.descriptor.digest),
      scopes: repository.push,
      wanted: [200, 404],
      attempts: 1,
      signal,
    })
    return response.status === 200
  } catch (error) {
    if (error instanceof OciBuildError && error.code === 'OCB-INTERRUPTED') throw error
    return false
  }
}
