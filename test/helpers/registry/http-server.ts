/** An HTTP(S) server on 127.0.0.1 that reads whole requests, records them and answers by a function. */

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { Refusal, type ReceivedRequest, type Reply } from './exchange.ts'
import type { TlsOptions } from './options.ts'

export interface RecordedRequest {
  /** Which server took it: `registry`, `token`, `uploads` or `storage`. */
  readonly server: string
  readonly method: string
  /** Path and query, as sent. */
  readonly target: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The header's whole value. */
  readonly authorization: string | undefined
  readonly body: Buffer
  readonly bodyBytes: number
  /** Whether the body came to its end. */
  readonly complete: boolean
  /** What was answered. */
  readonly status: number
  /** `METHOD target STATUS`. */
  readonly line: string
}

export interface HttpServer {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  /** `http://127.0.0.1:PORT` or with https. */
  readonly origin: string
  close(): Promise<void>
}

export interface ServeOptions {
  readonly name: string
  readonly tls?: TlsOptions | undefined
  /** Bodies that say to be longer are refused before they are read. */
  readonly maxBodyBytes?: number | undefined
  readonly record: (request: RecordedRequest) => void
  readonly answer: (request: ReceivedRequest) => Reply
}

export async function serveHttp(options: ServeOptions): Promise<HttpServer> {
  const scheme = options.tls ? 'https' : 'http'
  const listener: RequestListener = (request, response) => void handle(options, scheme, request, response)
  const server = options.tls
    ? createTlsServer(
        {
          cert: options.tls.certificate,
          key: options.tls.key,
          ...(options.tls.clientAuthority && {
            ca: options.tls.clientAuthority,
            requestCert: true,
            rejectUnauthorized: true,
          }),
        },
        listener,
      )
    : createServer(listener)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  const host = `127.0.0.1:${address.port}`
  return {
    host,
    origin: `${scheme}://${host}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

async function handle(
  { name, maxBodyBytes, record, answer }: ServeOptions,
  scheme: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url: target = '/', headers } = request
  const tooLong = maxBodyBytes !== undefined && Number(headers['content-length'] ?? 0) > maxBodyBytes
  const { body, complete } = tooLong ? { body: Buffer.alloc(0), complete: false } : await readBody(request)
  const received = { method, url: new URL(target, `${scheme}://${headers.host}`), headers, body, complete }
  const overrun = maxBodyBytes !== undefined && body.length > maxBodyBytes
  const reply = tooLong || overrun ? entityTooLarge : replyOf(answer, received)
  const { authorization } = headers
  const { status } = reply
  const line = `${method} ${target} ${status}`
  record({
    server: name,
    method,
    target,
    headers,
    authorization,
    body,
    bodyBytes: body.length,
    complete,
    status,
    line,
  })
  response.writeHead(status, { ...reply.headers, ...lengthOf(reply) })
  if (tooLong) {
    // Answered at once, and closed only after the rest was read: a reset would take the answer along.
    response.write(reply.body ?? '')
    await readBody(request)
    response.end()
    return
  }
  response.end(method === 'HEAD' ? undefined : reply.body)
}

function replyOf(answer: ServeOptions['answer'], received: ReceivedRequest): Reply {
  try {
    return answer(received)
  } catch (error) {
    if (error instanceof Refusal) return error.reply
    return {
      status: 500,
      headers: { 'Content-Type': 'text/plain' },
      body: `fault of the test server: ${String(error)}`,
    }
  }
}

function lengthOf({ status, headers, body }: Reply): Record<string, string> {
  if (status === 204 || headers?.['Content-Length'] !== undefined) return {}
  return { 'Content-Length': String(body === undefined ? 0 : Buffer.byteLength(body)) }
}

const entityTooLarge: Reply = {
  status: 413,
  headers: { 'Content-Type': 'text/html' },
  body: '<html><head><title>413 Request Entity Too Large</title></head></html>\r\n',
}

async function readBody(request: IncomingMessage): Promise<{ body: Buffer; complete: boolean }> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk)
  } catch {
    return { body: Buffer.concat(chunks), complete: false }
  }
  return { body: Buffer.concat(chunks), complete: request.complete }
}
