/** Stands between a client and a registry and spoils what its plan says; all else passes as it is. */

import { createServer, request as startRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { followPlan, type Fault, type FaultAction } from './fault-plan.ts'
import { cutAfter, drained, endless, flipByte, pace, pause, stopAfter } from './fault-streams.ts'

export type { Fault, FaultAction } from './fault-plan.ts'
export { statusFault } from './fault-plan.ts'

export interface PassedRequest {
  /** `METHOD target`. */
  readonly line: string
  /** The fault that hit it. */
  readonly fault: FaultAction['kind'] | undefined
  readonly authorization: string | undefined
  /** When it came, of `performance.now()`. */
  readonly atMs: number
}

export interface FaultProxy {
  /** `127.0.0.1:PORT`; registries make their Locations of it, since the Host header passes. */
  readonly host: string
  readonly origin: string
  readonly requests: readonly PassedRequest[]
  /** Forgets the plan and its counts, and the requests. */
  follow(plan: readonly Fault[]): void
  close(): Promise<void>
}

/** `target`: an origin, `http://127.0.0.1:PORT`. */
export async function startFaultProxy(target: string, plan: readonly Fault[] = []): Promise<FaultProxy> {
  const requests: PassedRequest[] = []
  let choose = followPlan(plan)
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/', headers } = request
    const action = choose(method, url)?.action
    const { authorization } = headers
    const { socket } = request
    requests.push({ line: `${method} ${url}`, fault: action?.kind, authorization, atMs: performance.now() })
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    void spoil(target, request, response, action).catch(() => socket.destroy())
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port')
  const host = `127.0.0.1:${address.port}`
  return {
    host,
    origin: `http://${host}`,
    requests,
    follow(next) {
      choose = followPlan(next)
      requests.splice(0)
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

async function spoil(
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  action: FaultAction | undefined,
): Promise<void> {
  const { socket } = request
  switch (action?.kind) {
    case 'reset':
      socket.resetAndDestroy()
      return
    case 'garbage':
      socket.end('SSH-2.0-OpenSSH_9.2\r\n')
      return
    case 'stall':
      if (action.at === 'body') break
      if (action.at === 'headers') request.resume()
      return
    case 'answer':
      if (action.early !== true) await readAll(request)
      else response.setHeader('Connection', 'close')
      response.writeHead(action.status, {
        'Content-Length': Buffer.byteLength(action.body ?? ''),
        ...action.headers,
      })
      response.end(request.method === 'HEAD' ? undefined : action.body)
      return
    case 'redirect-to-itself': {
      await readAll(request)
      const url = new URL(request.url ?? '/', target)
      url.searchParams.set('hop', String(Number(url.searchParams.get('hop') ?? 0) + 1))
      response.writeHead(307, { Location: `${url.pathname}${url.search}`, 'Content-Length': 0 }).end()
      return
    }
    case 'endless':
      await readAll(request)
      response.writeHead(200, { 'Content-Type': action.contentType })
      await endless(response, action.prefix)
      return
    default:
  }
  await pass(target, request, response, action)
}

async function pass(
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  action: FaultAction | undefined,
): Promise<void> {
  const url = new URL(target)
  const { method, url: path, headers, socket } = request
  const upstream = startRequest({
    hostname: url.hostname,
    port: url.port,
    method,
    path,
    headers,
    agent: false,
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    upstream.on('response', resolve)
    upstream.on('error', reject)
  })
  answered.catch(() => undefined)
  response.on('close', () => upstream.destroy())

  if (action?.kind === 'cut-request') {
    await cutAfter(request, upstream, action.afterBytes)
    // A body that was shorter is all there: the registry acts on it, and its answer is lost.
    if (upstream.writableEnded) await answered
    upstream.destroy()
    socket.resetAndDestroy()
    return
  }
  let early = false
  const settled = answered.then(
    () => void (early = true),
    () => void (early = true),
  )
  for await (const chunk of action?.kind === 'alter-request' ? flipByte(request, action.at) : request) {
    // Who has its answer reads no more; the client's rest is swallowed, so that it sees that answer.
    if (!early && !upstream.write(chunk)) await Promise.race([drained(upstream), settled])
  }
  upstream.end()

  const answer = await answered
  if (action?.kind === 'lose-answer') {
    await readAll(answer)
    socket.resetAndDestroy()
    return
  }
  response.writeHead(answer.statusCode ?? 502, headersOf(answer, action))
  await sendBody(answer, response, action)
}

function headersOf(
  answer: IncomingMessage,
  action: FaultAction | undefined,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined) headers[name] = value
  delete headers['connection']
  delete headers['keep-alive']
  if (action?.kind === 'truncate-answer') headers['content-length'] = String(action.bytes)
  for (const [name, value] of Object.entries(action?.kind === 'headers' ? action.set : {})) {
    if (value === undefined) delete headers[name.toLowerCase()]
    else headers[name.toLowerCase()] = value
  }
  return headers
}

async function sendBody(
  answer: IncomingMessage,
  response: ServerResponse,
  action: FaultAction | undefined,
): Promise<void> {
  const write = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of chunks) if (!response.write(chunk)) await drained(response)
  }
  switch (action?.kind) {
    case 'stall':
      response.flushHeaders()
      return await write(stopAfter(answer, action.afterBytes ?? 0))
    case 'cut-answer':
      response.flushHeaders()
      await write(stopAfter(answer, action.afterBytes))
      // A reset throws away what the client has not read yet; let it read.
      await pause(30)
      response.socket?.resetAndDestroy()
      return
    case 'truncate-answer':
      await write(stopAfter(answer, action.bytes))
      break
    case 'alter-answer':
      await write(flipByte(answer, action.at))
      break
    case 'slow':
      await write(pace(answer, action.bytes, action.pauseMs))
      break
    default:
      await write(answer)
  }
  response.end()
}

async function readAll(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}
