/** A company's proxy: CONNECT for tunnels, absolute URIs for plain HTTP; Basic authentication where asked for. */

import { createServer, request as startRequest } from 'node:http'
import { connect, type Socket } from 'node:net'

export interface ForwardedRequest {
  /** `CONNECT host:port` or `GET http://…`. */
  readonly line: string
  /** Whether Proxy-Authorization was sent. */
  readonly authorized: boolean
  /** Whether an Authorization header lay open to the proxy. */
  readonly authorization: string | undefined
  readonly status: number
}

export interface ForwardProxy {
  /** `http://127.0.0.1:PORT`, without credentials. */
  readonly origin: string
  /** The same with the credentials in it. */
  readonly url: string
  readonly requests: readonly ForwardedRequest[]
  close(): Promise<void>
}

export interface ForwardProxyOptions {
  /** Default: everybody may use it. */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Where a host name leads, `registry.corp:443` → `127.0.0.1:PORT`; others as they are. */
  readonly hosts?: Readonly<Record<string, string>> | undefined
}

export async function startForwardProxy(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const { username, password = '', hosts = {} } = options
  const requests: ForwardedRequest[] = []
  const tunnels = new Set<Socket>()
  const wanted =
    username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const refuses = (sent: string | undefined): boolean => wanted !== undefined && sent !== wanted

  const server = createServer((request, response) => {
    const { method = 'GET', url: target = '', headers } = request
    const { 'proxy-authorization': sent, 'proxy-connection': _, authorization, ...rest } = headers
    const note = (status: number): void =>
      void requests.push({
        line: `${method} ${target}`,
        authorized: sent !== undefined,
        authorization,
        status,
      })
    const url = URL.canParse(target) ? new URL(target) : undefined
    if (url === undefined || refuses(sent)) {
      const status = url === undefined ? 400 : 407
      note(status)
      response.writeHead(status, { 'Proxy-Authenticate': 'Basic realm="proxy"', 'Content-Length': 0 }).end()
      request.resume()
      return
    }
    const [host, port] = addressOf(hosts, url.hostname, url.port || '80')
    const onward = { ...rest, ...(authorization !== undefined && { authorization }) }
    const path = `${url.pathname}${url.search}`
    const upstream = startRequest({ host, port, method, path, headers: onward, agent: false })
    upstream.on('response', (answer) => {
      note(answer.statusCode ?? 502)
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    upstream.on('error', () => {
      note(502)
      if (!response.headersSent) response.writeHead(502, { 'Content-Length': 0 })
      response.end()
    })
    request.pipe(upstream)
  })
  server.on('connect', (request, client: Socket, head: Buffer) => {
    const target = request.url ?? ''
    const { 'proxy-authorization': sent, authorization } = request.headers
    const note = (status: number): void =>
      void requests.push({ line: `CONNECT ${target}`, authorized: sent !== undefined, authorization, status })
    tunnels.add(client)
    client.on('error', () => undefined)
    client.on('close', () => tunnels.delete(client))
    if (refuses(sent)) {
      note(407)
      client.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="proxy"\r\nContent-Length: 0\r\n\r\n',
      )
      return
    }
    const at = target.lastIndexOf(':')
    const [host, port] = addressOf(hosts, target.slice(0, at), target.slice(at + 1))
    const upstream = connect({ host, port: Number(port) }, () => {
      note(200)
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      upstream.write(head)
      client.pipe(upstream).pipe(client)
    })
    upstream.on('close', () => client.destroy())
    client.on('close', () => upstream.destroy())
    upstream.on('error', () => {
      note(502)
      client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port')
  const host = `127.0.0.1:${address.port}`
  const userInfo =
    username === undefined ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`
  return {
    origin: `http://${host}`,
    url: `http://${userInfo}${host}`,
    requests,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        for (const tunnel of tunnels) tunnel.destroy()
        server.closeAllConnections()
      }),
  }
}

function addressOf(hosts: Readonly<Record<string, string>>, host: string, port: string): [string, string] {
  const [mapped = '', mappedPort = ''] = (hosts[`${host}:${port}`] ?? '').split(':')
  return mapped === '' ? [host.replace(/^\[|\]$/g, ''), port] : [mapped, mappedPort]
}
