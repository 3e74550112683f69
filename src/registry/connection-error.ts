/** Makes errors of requests that got no response: no connection, no TLS, a stall. */

import { isIP } from 'node:net'
import { messageOf, systemErrorCode, type ErrorCode } from '../errors.ts'
import { redactUrl } from './redact-url.ts'
import { RegistryError } from './registry-error.ts'
import { retryableStatuses } from './status-error.ts'

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
