/** Reads a blob of a repository: resumed by Range after a cut, verified. */

import { verifyStream } from '../content/hash.ts'
import type { ByteStream } from '../content/store.ts'
import { OciBuildError, throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { blobPath } from './api-paths.ts'
import { joinSignals } from './host-session.ts'
import type { ExchangeResponse } from './http-exchange.ts'
import { redactUrl } from './redact-url.ts'
import { protocolError } from './registry-error.ts'
import type { Repository } from './repository.ts'
import { connectionError } from './connection-error.ts'
import { backoffMs, pause } from './retry.ts'

/**
 * Opens a blob. Throws `RegistryError` (404 where it is not there); the stream throws `OCB-CONTENT-MISMATCH`, and
 * `RegistryError` when it was cut and could not be resumed in the limits' attempts without a byte of progress.
 */
export async function fetchBlob(
  repository: Repository,
  target: Descriptor,
  signal: AbortSignal | undefined,
): Promise<ByteStream> {
  const response = await request(repository, target, 0, signal)
  return verifyStream(target, resumed(repository, target, response, signal))
}

async function request(
  repository: Repository,
  target: Descriptor,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<ExchangeResponse> {
  return await repository.session.send({
    method: 'GET',
    target: blobPath(repository.name, target.digest),
    scopes: repository.pull,
    attempts: repository.attempts,
    headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
    wanted: offset === 0 ? [200] : [200, 206],
    long: true,
    signal,
  })
}

async function* resumed(
  repository: Repository,
  target: Descriptor,
  first: ExchangeResponse,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { limits } = repository.session
  let response = first
  let done = 0
  let failures = 0
  for (;;) {
    const before = done
    let skip = done - startOf(response, done)
    try {
      for await (const chunk of response.body) {
        if (!(chunk instanceof Uint8Array)) continue
        const fresh = skip >= chunk.length ? undefined : chunk.subarray(skip)
        skip -= Math.min(skip, chunk.length)
        if (fresh === undefined) continue
        done += fresh.length
        yield fresh
      }
      return
    } catch (error) {
      throwIfAborted(joinSignals(repository.session.signal, signal))
      if (error instanceof OciBuildError) throw error
      if (done === target.size) return
      const failure = connectionError(error, { method: 'GET', url: response.url }, true)
      failures = done > before ? 1 : failures + 1
      if (!failure.retryable || failures >= limits.attempts) {
        throw failure.with({ message: `${failure.message}, after ${done} of ${target.size} bytes` })
      }
    } finally {
      response.body.on('error', () => {}).destroy()
    }
    await pause(backoffMs(limits.retryDelayMs, failures), signal)
    response = await request(repository, target, done, signal)
  }
}

/** Where the body of a response begins; a server may ignore Range and send all (RFC 9110, section 14.2). */
function startOf(response: ExchangeResponse, wanted: number): number {
  if (response.status === 200) return 0
  const start = /^bytes (\d{1,15})-/.exec(response.header('content-range') ?? '')?.[1]
  if (start !== undefined && Number(start) <= wanted) return Number(start)
  response.body.on('error', () => {}).destroy()
  const seen = `its Content-Range does not begin at or before byte ${wanted}`
  throw protocolError('GET', redactUrl(response.url), response.status, seen)
}
