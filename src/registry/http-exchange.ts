/** One request and its redirects, up to a response of any other status. */

import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { ByteStream } from '../content/store.ts'
import { throwIfAborted } from '../errors.ts'
import type { HttpClient } from './http-client.ts'
import { dropBody } from './read-body.ts'
import { readUrl, redactUrl } from './redact-url.ts'
import { RegistryError } from './registry-error.ts'
import { watchBody } from './watch-body.ts'

export interface RequestBody {
  /** In bytes. */
  readonly size: number
  /** The bytes from their beginning, again for each attempt. */
  open(): ByteStream
}

export interface ExchangeRequest {
  readonly method: Dispatcher.HttpMethod
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Goes to the URL's own origin only. */
  readonly authorization?: string | undefined
  readonly body?: RequestBody | undefined
  /** Whether a redirect may lead from https to http. Default false. */
  readonly allowDowngrade?: boolean | undefined
  /** How long a consumer of the body may rest. */
  readonly idleMs: number
  /** Until the headers of a response to a request with body are here. */
  readonly commitMs: number
  readonly signal: AbortSignal | undefined
}

export interface ExchangeResponse {
  readonly status: number
  /** Where it came from after redirects. */
  readonly url: URL
  readonly body: Readable
  /** Several headers of a name are joined with commas. */
  header(name: string): string | undefined
}

const maxRedirects = 10
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/**
 * Sends a request and follows redirects: GET and HEAD all of them, other methods those that keep the method (307,
 * 308). Credentials are dropped when the origin changes, and stay dropped. Throws `OCB-REGISTRY-REDIRECT`,
 * `OCB-INTERRUPTED`, and what undici throws when there is no response.
 */
export async function exchange(
  clientFor: (url: URL) => Promise<HttpClient>,
  request: ExchangeRequest,
): Promise<ExchangeResponse> {
  const seen = new Set<string>()
  let url = request.url
  let authorization = request.authorization
  for (;;) {
    seen.add(url.href)
    const response = await sendOnce(await clientFor(url), url, authorization, request)
    const readOnly = request.method === 'GET' || request.method === 'HEAD'
    const follows = readOnly || response.status === 307 || response.status === 308
    if (!redirectStatuses.has(response.status) || !follows) return response
    await dropBody(response.body)
    const location = response.header('location')
    const next = location === undefined ? undefined : readUrl(location, url)
    const fault = refuse(request, url, next, seen)
    if (fault !== undefined || next === undefined)
      throw redirectError(request, response.status, fault ?? 'leads nowhere')
    if (next.origin !== url.origin) authorization = undefined
    next.hash = ''
    url = next
  }
}

function refuse(
  request: ExchangeRequest,
  from: URL,
  next: URL | undefined,
  seen: ReadonlySet<string>,
): string | undefined {
  if (next === undefined || (next.protocol !== 'http:' && next.protocol !== 'https:')) {
    return 'leads to what is no http or https URL'
  }
  if (from.protocol === 'https:' && next.protocol === 'http:' && request.allowDowngrade !== true) {
    return `leads from https to ${redactUrl(next)}`
  }
  if (seen.has(next.href)) return `leads in a circle, by ${redactUrl(next)}`
  if (seen.size > maxRedirects) return `leads further than ${maxRedirects} redirects`
  return undefined
}

async function sendOnce(
  client: HttpClient,
  url: URL,
  authorization: string | undefined,
  request: ExchangeRequest,
): Promise<ExchangeResponse> {
  const { method, body, signal } = request
  throwIfAborted(signal)
  const watched = body === undefined ? undefined : watchBody(body.open(), request.idleMs, signal)
  try {
    const response = await client.request(url, {
      method,
      headers: {
        'user-agent': 'ocibuild',
        'accept-encoding': 'identity',
        ...request.headers,
        ...(body !== undefined && { 'content-length': String(body.size) }),
        ...(authorization !== undefined && { authorization }),
      },
      signal: watched?.signal ?? signal,
      ...(watched !== undefined && { body: watched.body, headersMs: request.commitMs }),
    })
    return {
      status: response.statusCode,
      url,
      body: response.body,
      header: (name) => headerOf(response, name),
    }
  } catch (error) {
    throwIfAborted(signal)
    throw watched?.failure() ?? error
  } finally {
    watched?.release()
  }
}

function headerOf(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name]
  return typeof value === 'string' ? value : value?.join(', ')
}

function redirectError(request: ExchangeRequest, status: number, seen: string): RegistryError {
  const url = redactUrl(request.url)
  return new RegistryError('OCB-REGISTRY-REDIRECT', {
    message: `${request.method} ${url} answered with a redirect that ${seen}`,
    hint: 'check the address of the registry and the proxy before it',
    method: request.method,
    url,
    status,
  })
}
