/** Failures of one HTTP attempt: what they mean to a person, and whether another attempt can help. */

import { messageOf, systemErrorCode } from '../errors.ts'

/** One attempt failed. Never leaves this room. */
export class AttemptFailure extends Error {
  override readonly name = 'AttemptFailure'
  readonly retryable: boolean
  /** What the other side asks to wait. */
  readonly retryAfterMs: number | undefined
  readonly hint: string | undefined

  constructor(
    message: string,
    options: {
      readonly retryable: boolean
      readonly retryAfterMs?: number | undefined
      readonly hint?: string | undefined
      readonly cause?: unknown
    },
  ) {
    super(message, { cause: options.cause })
    this.retryable = options.retryable
    this.retryAfterMs = options.retryAfterMs
    this.hint = options.hint
  }
}

/** Longest wait that a server's Retry-After is obeyed for. */
const maxRetryAfterMs = 30_000

export function statusFailure(status: number, retryAfter: string | undefined, from: string): AttemptFailure {
  const retryable = status === 408 || status === 425 || status === 429 || status >= 500
  const seconds = retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined
  return new AttemptFailure(`${from} answered with status ${status}, wanted 200`, {
    retryable,
    retryAfterMs: seconds === undefined ? undefined : Math.min(seconds * 1000, maxRetryAfterMs),
    hint: retryable
      ? 'try again later'
      : status === 401 || status === 403
        ? 'check that the URL may be read without logging in, or write user and password into it'
        : 'check the URL',
  })
}

const transientCodes: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'HPE_INVALID_EOF_STATE',
])

/** A connection that did not come about or broke; `from` is the redacted URL. */
export function connectionFailure(error: unknown, from: string): AttemptFailure {
  const code = systemErrorCode(error)
  const text = messageOf(error)
  const seen = text === '' ? (code ?? 'no connection') : code === undefined ? text : `${text} (${code})`
  return new AttemptFailure(`the connection to ${from} failed: ${seen}`, {
    retryable: code !== undefined && transientCodes.has(code),
    hint: 'check the network, the URL and the proxy (HTTPS_PROXY, NO_PROXY)',
    cause: error,
  })
}
