/** Makes errors of responses with a status that nobody wanted. */

import type { Readable } from 'node:stream'
import type { ErrorCode } from '../errors.ts'
import type { RequestName } from './connection-error.ts'
import { readBody } from './read-body.ts'
import { redactUrl } from './redact-url.ts'
import { RegistryError, type RegistryFault } from './registry-error.ts'

/** At most this of an error's body is read, in bytes. */
const maxErrorBytes = 64 * 1024
const maxFaults = 5

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

/** Statuses that another try may get around. */
export const retryableStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

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
