/** A blob in chunks: PATCH after PATCH, and where one fails the registry is asked how far it got. */

import { withParameter } from './api-paths.ts'
import { redactUrl } from './redact-url.ts'
import { hasStatus, protocolError, RegistryError } from './registry-error.ts'
import type { Repository } from './repository.ts'
import { backoffMs, pause } from './retry.ts'
import { heldBytes, nextLocation, uploadStatus, type Upload } from './upload-session.ts'
import type { UploadSource } from './upload-source.ts'

/**
 * Sends a blob into a begun upload, `chunkBytes` at a time (never fewer than the registry wants), and closes it.
 * Failures are recovered from by GET and Range; after the limits' attempts without progress the last one is thrown.
 */
export async function sendChunks(
  repository: Repository,
  begun: Upload,
  source: UploadSource,
  chunkBytes: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { limits } = repository.session
  const { digest, size } = source.descriptor
  const step = Math.max(chunkBytes, begun.minChunkBytes)
  let upload = begun
  let held = 0
  let failures = 0
  while (held < size) {
    const end = Math.min(size, held + step)
    try {
      const sent = await sendChunk(repository, upload, source, held, end, signal)
      if (sent.held <= held) failures += 1
      else failures = 0
      if (failures >= limits.attempts) throw stuck(sent.upload.url, held)
      ;({ upload, held } = sent)
    } catch (error) {
      if (source.failure() !== undefined || !canResume(error)) throw error
      failures += 1
      if (failures >= limits.attempts) throw error
      const waitMs = error.retryAfterMs ?? backoffMs(limits.retryDelayMs, failures)
      await pause(waitMs, signal)
      const status = await uploadStatus(repository, upload, signal)
      if (status.held > size) throw tooMuch(upload.url, status.held, size)
      if (status.held > held) failures = 0
      ;({ upload, held } = status)
    }
  }
  await repository.session.ask({
    method: 'PUT',
    target: withParameter(upload.url, 'digest', digest),
    scopes: repository.push,
    body: { size: 0, async *open() {} },
    wanted: [201, 204],
    attempts: 1,
    signal,
  })
}

function canResume(error: unknown): error is RegistryError {
  return error instanceof RegistryError && (error.retryable || hasStatus(error, 416))
}

async function sendChunk(
  repository: Repository,
  upload: Upload,
  source: UploadSource,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly upload: Upload; readonly held: number }> {
  const response = await repository.session.ask({
    method: 'PATCH',
    target: upload.url,
    scopes: repository.push,
    headers: { 'content-type': 'application/octet-stream', 'content-range': `${start}-${end - 1}` },
    body: { size: end - start, open: () => source.open(start, end) },
    wanted: [202],
    attempts: 1,
    signal,
  })
  const held = heldBytes(response) ?? end
  if (held > end) throw tooMuch(response.url, held, end)
  return { upload: { ...upload, url: nextLocation(repository, 'PATCH', response) }, held }
}

function tooMuch(url: URL, held: number, sent: number): RegistryError {
  return protocolError(
    'PATCH',
    redactUrl(url),
    202,
    `it holds ${held} bytes of an upload of which it got ${sent}`,
  )
}

function stuck(url: URL, held: number): RegistryError {
  return protocolError('PATCH', redactUrl(url), 202, `it stays at ${held} bytes of an upload`)
}
