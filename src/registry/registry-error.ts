/** What a registry or the way to it refused: which request, what came back, what to do. */

import { OciBuildError, type ErrorCode } from '../errors.ts'

/** One of the `errors` of a response (distribution-spec v1.1.1, Error Codes). */
export interface RegistryFault {
  /** `MANIFEST_UNKNOWN`, `DENIED`, …; whatever the registry wrote, in at most 64 characters. */
  readonly code: string
  /** At most 300 characters, none of them control characters. */
  readonly message: string
}

export interface RegistryErrorOptions {
  readonly message: string
  readonly hint?: string | undefined
  readonly method: string
  /** Redacted. */
  readonly url: string
  /** Undefined: there was no response. */
  readonly status?: number | undefined
  readonly faults?: readonly RegistryFault[] | undefined
  /** Whether the same request may succeed later. Default false. */
  readonly retryable?: boolean | undefined
  /** What the registry asks to wait. */
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

/**
 * A refused or failed request. Codes: `OCB-REGISTRY-AUTH` (401), `-DENIED` (403), `-NOT-FOUND` (404),
 * `-RATE-LIMITED` (429), `-UNAVAILABLE` (408, 425, 5xx), `-TOO-LARGE` (413), `-REFUSED` (other statuses),
 * `-MANIFEST-INVALID`, `-BLOB-UNKNOWN`, `-UPLOAD`, `-REDIRECT`, `-PROTOCOL`; without a response
 * `OCB-NETWORK-CONNECT`, `-TLS`, `-TIMEOUT`.
 */
export class RegistryError extends OciBuildError {
  readonly method: string
  readonly url: string
  readonly status: number | undefined
  readonly faults: readonly RegistryFault[]
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, options: RegistryErrorOptions) {
    super(code, { message: options.message, hint: options.hint, cause: options.cause })
    this.method = options.method
    this.url = options.url
    this.status = options.status
    this.faults = options.faults ?? []
    this.retryable = options.retryable ?? false
    this.retryAfterMs = options.retryAfterMs
  }

  /** Whether the registry named one of these codes. */
  names(...codes: readonly string[]): boolean {
    return this.faults.some((fault) => codes.includes(fault.code))
  }

  /** The same failure under another code, or in other words. */
  with(changes: {
    readonly code?: ErrorCode
    readonly message?: string
    readonly hint?: string
    readonly retryable?: boolean
  }): RegistryError {
    return new RegistryError(changes.code ?? this.code, {
      message: changes.message ?? this.message,
      hint: changes.hint ?? this.hint,
      method: this.method,
      url: this.url,
      status: this.status,
      faults: this.faults,
      retryable: changes.retryable ?? this.retryable,
      retryAfterMs: this.retryAfterMs,
      cause: this.cause,
    })
  }
}

/** Whether a caught value is a `RegistryError` with one of these statuses. */
export function hasStatus(error: unknown, ...statuses: readonly number[]): error is RegistryError {
  return error instanceof RegistryError && error.status !== undefined && statuses.includes(error.status)
}

/** A response that breaks the spec: `seen` is said of it. */
export function protocolError(method: string, url: string, status: number, seen: string): RegistryError {
  return new RegistryError('OCB-REGISTRY-PROTOCOL', {
    message: `${method} ${url} answered with status ${status}, and ${seen}`,
    hint: 'check that this is a registry that follows distribution-spec v1.1',
    method,
    url,
    status,
  })
}
