/** Where a registry of a reference is reached: address, scheme, and the falling back to plain HTTP. */

import { isLoopback } from './proxy.ts'
import type { RegistrySettings } from './registry-context.ts'
import { readUrl } from './redact-url.ts'

/** Docker's registry has another name than its references (the same in every client). */
const apiHosts: ReadonlyMap<string, string> = new Map([['docker.io', 'registry-1.docker.io']])

export interface Endpoint {
  /** `https://registry-1.docker.io/`: scheme and address as they stand now. */
  origin(): URL
  /** Whether the host may be spoken to over plain HTTP. */
  readonly allowsPlainHttp: boolean
  /** Whether it is on this machine. */
  readonly isLocal: boolean
  /** The host answered: the scheme holds from now on. */
  settle(): void
  /** TLS did not start. True: the scheme is http now, try again. `tried` is the scheme that failed. */
  fallBack(tried: string): boolean
  readonly settled: boolean
  /** Neither scheme worked: the next attempt begins with TLS again, since the host may only have been starting. */
  reset(): void
}

export function createEndpoint(settings: RegistrySettings): Endpoint {
  const address = apiHosts.get(settings.host) ?? settings.host
  const secure = readUrl(`https://${address}/`)
  const isLocal = secure !== undefined && isLoopbackHost(secure.hostname)
  const allowsPlainHttp = settings.insecure || isLocal
  let scheme: 'https:' | 'http:' = 'https:'
  let settled = false
  return {
    allowsPlainHttp,
    isLocal,
    origin: () => new URL(`${scheme}//${address}/`),
    settle: () => void (settled = true),
    fallBack(tried) {
      if (tried === 'https:' && scheme === 'http:') return true
      if (!allowsPlainHttp || settled || tried !== 'https:') return false
      scheme = 'http:'
      return true
    },
    reset() {
      if (!settled) scheme = 'https:'
    },
    get settled() {
      return settled
    },
  }
}

/** `localhost`, `127.0.0.0/8`, `[::1]`: traffic does not leave the machine. */
function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  return host === 'localhost' || isLoopback(host)
}
