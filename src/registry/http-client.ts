/** Connection pools, one per proxy, with the timeouts of the house. undici is loaded when a client is opened. */

import { Readable } from 'node:stream'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Agent, Dispatcher, ProxyAgent } from 'undici'
import type { ByteStream } from '../content/store.ts'
import type { Environment } from '../environment.ts'
import { proxyFor } from './proxy.ts'
import { trustedAuthorities } from './trusted-authorities.ts'

export interface HttpTimeouts {
  /** Until the connection stands. */
  readonly connectMs: number
  /** Until the response's headers are here. */
  readonly headersMs: number
  /** Between two pieces of a body, either way. */
  readonly idleMs: number
}

export const defaultTimeouts: HttpTimeouts = { connectMs: 15_000, headersMs: 60_000, idleMs: 60_000 }

export interface TlsOptions {
  /** PEM texts, trusted beside the system's. */
  readonly ca?: readonly string[] | undefined
  /** PEM text of the client's certificate. */
  readonly cert?: string | undefined
  /** PEM text of its key. */
  readonly key?: string | undefined
  /** Default true. */
  readonly verify?: boolean | undefined
}

export interface HttpClientOptions {
  readonly timeouts?: HttpTimeouts | undefined
  /** How many connections to one origin there are at once; further requests wait. Default: no bound. */
  readonly connections?: number | undefined
  readonly tls?: TlsOptions | undefined
}

export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod
  readonly headers: Readonly<Record<string, string>>
  /** A stream needs a `content-length` among the headers. */
  readonly body?: Uint8Array | string | ByteStream | undefined
  readonly signal: AbortSignal | undefined
  /** In place of the client's own. */
  readonly headersMs?: number | undefined
}

export interface HttpClient {
  /** One exchange; redirects are not followed. The body must be read or dumped. Throws what undici throws. */
  request(url: URL, request: HttpRequest): Promise<Dispatcher.ResponseData>
  /** Drops all connections. */
  close(): Promise<void>
}

export async function openHttpClient(
  environment: Environment,
  options: HttpClientOptions = {},
): Promise<HttpClient> {
  const undici = await import('undici')
  const { timeouts = defaultTimeouts, connections, tls } = options
  const pools = new Map<string, Agent | ProxyAgent>()
  const common = {
    headersTimeout: timeouts.headersMs,
    bodyTimeout: timeouts.idleMs,
    ...(connections !== undefined && { connections }),
  }
  let secureContext: SecureContext | undefined

  const open = (url: URL, proxy: URL | undefined): Agent | ProxyAgent => {
    const connect = {
      timeout: timeouts.connectMs,
      // One context for all connections: reading some hundred authorities takes longer than a handshake.
      ...(url.protocol === 'https:' && { secureContext: (secureContext ??= secure(environment, tls)) }),
      ...(tls?.verify === false && { rejectUnauthorized: false }),
    }
    if (proxy === undefined) return new undici.Agent({ ...common, connect })
    return new undici.ProxyAgent({
      ...common,
      uri: `${proxy.protocol}//${proxy.host}`,
      ...(proxy.username !== '' && { token: basicToken(proxy) }),
      requestTls: connect,
      // A proxy is not the host: it gets neither the client's certificate nor less scrutiny.
      proxyTls: {
        timeout: timeouts.connectMs,
        ...(proxy.protocol === 'https:' && { ca: [...trustedAuthorities(environment), ...(tls?.ca ?? [])] }),
      },
      // Proxies for plain HTTP want the whole URL; many refuse CONNECT to port 80.
      proxyTunnel: url.protocol === 'https:',
    })
  }
  return {
    async request(url, { method, headers, body, signal, headersMs }) {
      const proxy = proxyFor(url, environment.variables)
      const key = `${url.protocol} ${proxy?.href ?? ''}`
      const pool = pools.get(key) ?? open(url, proxy)
      pools.set(key, pool)
      return await pool.request({
        // The user info of a URL travels as a header that the caller makes, never in the request line.
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers,
        signal: signal ?? null,
        ...(body !== undefined && { body: toBody(body) }),
        ...(headersMs !== undefined && { headersTimeout: headersMs }),
      })
    },
    async close() {
      await Promise.all(Array.from(pools.values(), (pool) => pool.destroy()))
    },
  }
}

function secure(environment: Environment, tls: TlsOptions | undefined): SecureContext {
  return createSecureContext({
    ca: [...trustedAuthorities(environment), ...(tls?.ca ?? [])],
    ...(tls?.cert !== undefined && { cert: tls.cert }),
    ...(tls?.key !== undefined && { key: tls.key }),
  })
}

// undici takes any async iterable; its types name only Node.js's own streams.
function toBody(body: Uint8Array | string | ByteStream): Uint8Array | string | Readable {
  return typeof body === 'string' || body instanceof Uint8Array
    ? body
    : Readable.from(body, { objectMode: false })
}

/** The `Basic` credentials of a URL's user info. */
export function basicToken(url: URL): string {
  const user = decodeURIComponent(url.username)
  const password = decodeURIComponent(url.password)
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
