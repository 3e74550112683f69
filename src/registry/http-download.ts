/** Fetches a URL: redirects, bounded retries, timeouts, proxies. Whether the bytes are the wanted ones is the caller's to check. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import type { ByteStream } from '../content/store.ts'
import type { Environment } from '../environment.ts'
import { OciBuildError, throwIfAborted } from '../errors.ts'
import { basicToken, openHttpClient, type HttpClient, type HttpTimeouts } from './http-client.ts'
import { AttemptFailure, connectionFailure, statusFailure } from './network-failure.ts'
import { readUrl, redactUrl } from './redact-url.ts'

export interface DownloadOptions {
  readonly environment: Environment
  /** One that is open already, for many downloads; it is left open. Default: one of its own. */
  readonly client?: HttpClient | undefined
  /** The header of the first request, and of redirects within its origin. Default: the user info of the URL. */
  readonly authorization?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Bytes so far, and all where the server tells. */
  readonly onProgress?: ((done: number, total: number | undefined) => void) | undefined
  readonly timeouts?: HttpTimeouts | undefined
  /** Attempts in all. Default 4. */
  readonly attempts?: number | undefined
  /** The first wait between attempts; each further one is twice as long. Default 500. */
  readonly retryDelayMs?: number | undefined
}

const maxRedirects = 10
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/**
 * Gives the body of a URL to `consume`, which is called again with a fresh body when a connection broke on the way.
 * What `consume` throws by itself is passed on. Throws `OCB-SPEC-DOWNLOAD-URL` for what is no http(s) URL,
 * `OCB-NETWORK-DOWNLOAD` and `OCB-INTERRUPTED`. User info and queries never stand in a message.
 */
export async function httpDownload<T>(
  url: string,
  consume: (body: ByteStream) => Promise<T>,
  options: DownloadOptions,
): Promise<T> {
  const parsed = parseDownloadUrl(url)
  const { environment, signal, attempts = 4, retryDelayMs = 500 } = options
  const client = options.client ?? (await openHttpClient(environment, { timeouts: options.timeouts }))
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await tryOnce(client, parsed, consume, options)
      } catch (error) {
        throwIfAborted(signal)
        if (!(error instanceof AttemptFailure)) throw error
        if (!error.retryable || attempt >= attempts) throw downloadFailed(parsed, error, attempt)
        await pause(error.retryAfterMs ?? retryDelayMs * 2 ** (attempt - 1), signal)
      }
    }
  } finally {
    if (options.client === undefined) await client.close()
  }
}

/** Throws `OCB-SPEC-DOWNLOAD-URL`. */
export function parseDownloadUrl(url: string): URL {
  const parsed = readUrl(url)
  if (parsed !== undefined && (parsed.protocol === 'http:' || parsed.protocol === 'https:')) return parsed
  throw new OciBuildError('OCB-SPEC-DOWNLOAD-URL', {
    message: `cannot download ${redactUrl(url)}: it is not an http or https URL`,
    hint: 'write the whole URL, beginning with https://',
  })
}

async function tryOnce<T>(
  client: HttpClient,
  url: URL,
  consume: (body: ByteStream) => Promise<T>,
  options: DownloadOptions,
): Promise<T> {
  const { response, from } = await followRedirects(client, url, options)
  const length = headerOf(response, 'content-length')
  const total = length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined
  let broken: AttemptFailure | undefined

  async function* body(): AsyncGenerator<Uint8Array> {
    let done = 0
    try {
      for await (const chunk of response.body) {
        if (!(chunk instanceof Uint8Array)) continue
        done += chunk.length
        options.onProgress?.(done, total)
        yield chunk
      }
    } catch (error) {
      broken = connectionFailure(error, from)
      throw broken
    }
  }
  try {
    return await consume(body())
  } catch (error) {
    // Whatever the consumer makes of a broken body, the connection is to blame.
    throw broken ?? error
  } finally {
    // A body that nobody reads to its end tells of its destruction, and nobody would hear it.
    response.body.on('error', () => {}).destroy()
  }
}

async function followRedirects(
  client: HttpClient,
  start: URL,
  { signal, authorization: given }: Pick<DownloadOptions, 'signal' | 'authorization'>,
): Promise<{ readonly response: Dispatcher.ResponseData; readonly from: string }> {
  const seen: string[] = []
  let url = start
  let authorization = given ?? (start.username === '' ? undefined : basicToken(start))
  for (;;) {
    const from = redactUrl(url)
    const response = await get(client, url, authorization, signal)
    if (response.statusCode === 200) return { response, from }
    await response.body.dump({ limit: 64 * 1024 }).catch(() => undefined)
    if (!redirectStatuses.has(response.statusCode)) {
      throw statusFailure(response.statusCode, headerOf(response, 'retry-after'), from)
    }
    const location = headerOf(response, 'location')
    const next = location === undefined ? undefined : readUrl(location, url)
    if (next === undefined || (next.protocol !== 'http:' && next.protocol !== 'https:')) {
      throw redirectFailure(`${from} redirects to what is no http or https URL`)
    }
    seen.push(url.href)
    if (seen.includes(next.href)) throw redirectFailure(`${from} redirects in a circle`)
    if (seen.length > maxRedirects) throw redirectFailure(`more than ${maxRedirects} redirects`)
    // Credentials go to the host they were given for, never to a redirect's.
    if (next.origin !== url.origin) authorization = undefined
    if (next.username !== '') authorization = basicToken(next)
    url = next
  }
}

async function get(
  client: HttpClient,
  url: URL,
  authorization: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Dispatcher.ResponseData> {
  const headers = { 'user-agent': 'ocibuild', accept: '*/*', 'accept-encoding': 'identity' }
  try {
    return await client.request(url, {
      method: 'GET',
      headers: authorization === undefined ? headers : { ...headers, authorization },
      signal,
    })
  } catch (error) {
    throw connectionFailure(error, redactUrl(url))
  }
}

function headerOf(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

function redirectFailure(message: string): AttemptFailure {
  return new AttemptFailure(message, { retryable: false, hint: 'use the URL that the redirects lead to' })
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal && { signal }).catch(() => undefined)
  throwIfAborted(signal)
}

function downloadFailed(url: URL, failure: AttemptFailure, attempts: number): OciBuildError {
  const times = attempts === 1 ? '' : ` (${attempts} attempts)`
  return new OciBuildError('OCB-NETWORK-DOWNLOAD', {
    message: `cannot download ${redactUrl(url)}: ${failure.message}${times}`,
    hint: failure.hint,
    cause: failure.cause,
  })
}
