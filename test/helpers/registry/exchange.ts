/** A request as it was received, and what is said to it. */

import type { IncomingHttpHeaders } from 'node:http'

export interface ReceivedRequest {
  readonly method: string
  /** Absolute, made with the Host header: what the client believes it talks to. */
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** False where the client went away before the body's end; no answer can reach it. */
  readonly complete: boolean
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | string[]>> | undefined
  readonly body?: Uint8Array | string | undefined
}

export type ErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'

/** Thrown to answer with an error body (distribution-spec v1.1.1, Error Codes). */
export class Refusal extends Error {
  readonly reply: Reply

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    detail: readonly unknown[] = [],
  ) {
    super(`${status} ${code}: ${message}`)
    const errors =
      detail.length === 0 ? [{ code, message }] : detail.map((detail) => ({ code, message, detail }))
    this.reply = {
      status,
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify({ errors }),
    }
  }
}

export function json(status: number, value: unknown, headers: Reply['headers'] = {}): Reply {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

/** The media type of a Content-Type, without parameters, in lower case; empty where there is none. */
export function contentType(request: ReceivedRequest): string {
  return (request.headers['content-type'] ?? '').replace(/;.*$/s, '').trim().toLowerCase()
}
