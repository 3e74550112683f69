/** One connection pool per proxy, with the timeouts of the house. undici is loaded when the first request is made. */

import type { Agent, Dispatcher, ProxyAgent } from 'undici'
import type { Environment } from '../environment.ts'
import { proxyFor } from './proxy.ts'
import { trustedAuthorities } from './trusted-authorities.ts'

export interface HttpTimeouts {
  /** Until the connection stands. */
  readonly connectMs: number
  /** Until the response's headers are here. */
  readonly headersMs: number
  /** Between two pieces of the body. */
  readonly idleMs: number
}

export const defaultTimeouts: HttpTimeouts = { connectMs: 15_000, headersMs: 60_000, idleMs: 60_000 }

export interface HttpGetOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal | undefined
}

export interface HttpClient {
  /** One GET; redirects are not followed. The body must be read or dumped. Throws what undici throws. */
  get(url: URL, options: HttpGetOptions): Promise<Dispatcher.ResponseData>
  /** Drops all connections. */
  close(): Promise<void>
}

export async function openHttpClient(
  environment: Environment,
  timeouts: HttpTimeouts = defaultTimeouts,
): Promise<HttpClient> {
  const undici = await import('undici')
  const pools = new Map<string, Agent | ProxyAgent>()
  const common = { headersTimeout: timeouts.headersMs, bodyTimeout: timeouts.idleMs }
  let authorities: string[] | undefined

  const open = (url: URL, proxy: URL | undefined): Agent | ProxyAgent => {
    const ca = url.protocol === 'https:' ? (authorities ??= [...trustedAuthorities(environment)]) : undefined
    const tls = { timeout: timeouts.connectMs, ...(ca && { ca }) }
    if (proxy === undefined) return new undici.Agent({ ...common, connect: tls })
    return new undici.ProxyAgent({
      ...common,
      uri: `${proxy.protocol}//${proxy.host}`,
      ...(proxy.username !== '' && { token: basicToken(proxy) }),
      requestTls: tls,
      proxyTls: tls,
      // Proxies for plain HTTP want the whole URL; many refuse CONNECT to port 80.
      proxyTunnel: url.protocol === 'https:',
    })
  }
  return {
    async get(url, { headers, signal }) {
      const proxy = proxyFor(url, environment.variables)
      const key = `${url.protocol} ${proxy?.href ?? ''}`
      const pool = pools.get(key) ?? open(url, proxy)
      pools.set(key, pool)
      // The user info of a URL travels as a header that the caller makes, never in the request line.
      const bare = new URL(url)
      bare.username = ''
      bare.password = ''
      return await undici.request(bare, { method: 'GET', headers, dispatcher: pool, signal: signal ?? null })
    },
    async close() {
      await Promise.all(Array.from(pools.values(), (pool) => pool.destroy()))
    },
  }
}

/** The `Basic` credentials of a URL's user info. */
export function basicToken(url: URL): string {
  const user = decodeURIComponent(url.username)
  const password = decodeURIComponent(url.password)
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
