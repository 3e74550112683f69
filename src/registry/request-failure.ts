/** Makes errors of what one request met: no connection, a stall, or a status nobody wanted. */

import { isIP } from 'node:net'
import type { Readable } from 'node:stream'
import { messageOf, systemErrorCode, type ErrorCode } from '../errors.ts'
import { readBody } from './read-body.ts'
import { redactUrl } from './redact-url.ts'
import { RegistryError, type RegistryFault } from './registry-error.ts'

/** At most this of an error's body is read, in bytes. */
const maxErrorBytes = 64 * 1024
const maxFaults = 5

export interface RequestName {
  readonly method: string
  readonly url: URL
}

const resets: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
  'UND_ERR_INFO',
  'HPE_INVALID_EOF_STATE',
])
const stalls: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
])
const certificateCode = /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_|INVALID_CA|HOSTNAME_MISMATCH)/

/** A request that got no response. `refusedRetryable`: the host was there before, so it may come back. */
export function connectionError(
  error: unknown,
  request: RequestName,
  refusedRetryable = false,
): RegistryError {
  const code = firstCode(error)
  const url = redactUrl(request.url)
  const refusal = tunnelStatus(error)
  if (refusal !== undefined) return tunnelError(refusal, request, error)
  const text = messageOf(error).slice(0, 300)
  const seen = text === '' ? (code ?? 'no connection') : code === undefined ? text : `${text} (${code})`
  const { errorCode, hint } = explain(code, request.url)
  return new RegistryError(errorCode, {
    message: `${request.method} ${url} failed: ${seen}`,
    hint,
    method: request.method,
    url,
    retryable:
      code !== undefined &&
      (resets.has(code) || stalls.has(code) || (code === 'ECONNREFUSED' && refusedRetryable)),
    cause: error,
  })
}

/** Whether TLS did not start because the other side does not speak it (or nobody listens there). */
export function isTlsStartFailure(error: unknown): boolean {
  const refusal = tunnelStatus(error)
  // A proxy says 502 to 504 of a port where it finds nobody, and 403 of ports it opens no tunnel to.
  if (refusal !== undefined) return refusal === 403 || refusal >= 500
  const code = firstCode(error)
  if (code === undefined || certificateCode.test(code)) return false
  // An alert is TLS: the server wants something else of us, a client certificate for one.
  if (code.includes('_ALERT_') || /\balert\b/.test(messageOf(error))) return false
  return (
    code === 'EPROTO' ||
    code.startsWith('ERR_SSL_') ||
    code === 'ECONNREFUSED' ||
    code === 'ECONNRESET' ||
    code === 'UND_ERR_SOCKET'
  )
}

/** What a proxy answered to CONNECT, where that is what failed; undici has it in words only. */
function tunnelStatus(error: unknown): number | undefined {
  const status = /^Proxy response \((\d{3})\) !== 200/.exec(messageOf(error))?.[1]
  return status === undefined ? undefined : Number(status)
}

function tunnelError(status: number, { method, url }: RequestName, cause: unknown): RegistryError {
  const login = status === 407
  return new RegistryError('OCB-NETWORK-CONNECT', {
    message: `${method} ${redactUrl(url)} failed: the proxy answered CONNECT with status ${status}`,
    hint: login
      ? 'give the proxy its user name and password: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT'
      : `check the proxy (HTTPS_PROXY), or reach ${url.hostname} without it (NO_PROXY)`,
    method,
    url: redactUrl(url),
    retryable: retryableStatuses.has(status),
    cause,
  })
}

function explain(
  code: string | undefined,
  url: URL,
): { readonly errorCode: ErrorCode; readonly hint: string } {
  if (code !== undefined && certificateCode.test(code)) {
    return {
      errorCode: 'OCB-NETWORK-TLS',
      hint: `name the authority that signed it: registries: { '${url.host}': { ca: 'FILE.pem' } }`,
    }
  }
  if (code === 'EPROTO' || code?.startsWith('ERR_SSL_') === true) {
    return {
      errorCode: 'OCB-NETWORK-TLS',
      hint: `if it speaks plain HTTP only, say so: registries: { '${url.host}': { insecure: true } }`,
    }
  }
  if (code !== undefined && stalls.has(code)) {
    return {
      errorCode: 'OCB-NETWORK-TIMEOUT',
      hint: 'check the network and the proxy (HTTPS_PROXY, NO_PROXY), and try again',
    }
  }
  const name = isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0 ? `the name ${url.hostname}` : 'the address'
  return {
    errorCode: 'OCB-NETWORK-CONNECT',
    hint: `check ${name}, the network and the proxy (HTTPS_PROXY, NO_PROXY)`,
  }
}

/** The system's code of an error, or of the first of the errors it holds (a name with several addresses). */
function firstCode(error: unknown): string | undefined {
  const code = systemErrorCode(error)
  if (code !== undefined && code !== 'UND_ERR_ABORTED') return code
  if (error instanceof AggregateError) return firstCode(error.errors[0])
  if (error instanceof Error && error.cause !== undefined) return firstCode(error.cause) ?? code
  return code
}

export interface RefusedResponse {
  readonly status: number
  readonly body: Readable
  header(name: string): string | undefined
}

export interface StatusContext {
  /** As in references: what a person logs in to. */
  readonly host: string
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  readonly maxRetryAfterMs: number
  /** Takes out of a server's text what must not be shown. */
  readonly conceal: (text: string) => string
}

const retryableStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/** A response with a status that was not wanted; reads at most 64 KiB of its body. */
export async function statusError(
  response: RefusedResponse,
  request: RequestName,
  context: StatusContext,
): Promise<RegistryError> {
  const { status } = response
  const url = redactUrl(request.url)
  response.body.on('error', () => {})
  const body =
    request.method === 'HEAD'
      ? undefined
      : await readBody(response.body, maxErrorBytes).catch(() => undefined)
  response.body.destroy()
  const faults = readFaults(body, context.conceal)
  const retryAfterMs = readRetryAfter(response.header('retry-after'), context.nowMs)
  const tooLong = retryAfterMs !== undefined && retryAfterMs > context.maxRetryAfterMs
  const wait = tooLong ? `; it asks to wait ${Math.ceil(retryAfterMs / 1000)} s` : ''
  const said = faults.map(({ code, message }) => (message === '' ? code : `${code}: ${message}`)).join('; ')
  const { code, hint } = meaning(status, context.host)
  return new RegistryError(code, {
    message: `${request.method} ${url} answered with status ${status}${said === '' ? '' : ` (${said})`}${wait}`,
    hint,
    method: request.method,
    url,
    status,
    faults,
    retryable: retryableStatuses.has(status) && !tooLong,
    retryAfterMs,
  })
}

function meaning(status: number, host: string): { readonly code: ErrorCode; readonly hint: string } {
  switch (status) {
    case 401:
      return { code: 'OCB-REGISTRY-AUTH', hint: `check the name, or log in: ocibuild login ${host}` }
    case 403:
      return { code: 'OCB-REGISTRY-DENIED', hint: 'check that the account may do this in that repository' }
    case 404:
      return { code: 'OCB-REGISTRY-NOT-FOUND', hint: 'check the name' }
    case 413:
      return {
        code: 'OCB-REGISTRY-TOO-LARGE',
        hint: 'raise the body limit of the registry or of the proxy before it',
      }
    case 429:
      return {
        code: 'OCB-REGISTRY-RATE-LIMITED',
        hint: `log in for a higher limit (ocibuild login ${host}), or try again later`,
      }
    default:
      if (retryableStatuses.has(status) || status >= 500) {
        return { code: 'OCB-REGISTRY-UNAVAILABLE', hint: 'try again later' }
      }
      return { code: 'OCB-REGISTRY-REFUSED', hint: 'read what the registry says about it' }
  }
}

/** Retry-After in milliseconds: seconds, or an HTTP date (RFC 9110, section 10.2.3). Undefined for what is neither. */
export function readRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1000
  const dateMs = /[A-Za-z]/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs)
}

function readFaults(
  body: Uint8Array | undefined,
  conceal: (text: string) => string,
): readonly RegistryFault[] {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(body))
  } catch {
    return []
  }
  const errors: unknown = isRecord(value) ? value['errors'] : undefined
  if (!Array.isArray(errors)) return []
  return errors.slice(0, maxFaults).flatMap((item: unknown) => {
    if (!isRecord(item) || typeof item['code'] !== 'string') return []
    const message = typeof item['message'] === 'string' ? item['message'] : ''
    return [{ code: plain(conceal(item['code']), 64), message: plain(conceal(message), 300) }]
  })
}

/** Control and bidirectional characters would let a server write over what a terminal shows. */
function plain(text: string, length: number): string {
  return text
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .slice(0, length)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
