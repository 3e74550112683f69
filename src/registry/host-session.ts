/** All talk with one host: connections, scheme, authorization, retries; a response comes out or a RegistryError. */

import { OciBuildError, throwIfAborted } from '../errors.ts'
import { createAuthorizer, type AuthorizationState } from './authorizer.ts'
import { createEndpoint } from './endpoint.ts'
import { openHttpClient, type HttpClient } from './http-client.ts'
import { exchange, type ExchangeRequest, type ExchangeResponse, type RequestBody } from './http-exchange.ts'
import { speaksPlainHttp } from './plain-http.ts'
import { dropBody } from './read-body.ts'
import { limitsOf, type RegistryContext, type RegistryLimits } from './registry-context.ts'
import { connectionError, isTlsStartFailure } from './connection-error.ts'
import { statusError } from './status-error.ts'
import { RegistryError } from './registry-error.ts'
import { withRetry } from './retry.ts'
import { covers, type Scope } from './scope.ts'
import { createSecrets } from './secrets.ts'

export interface SessionRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** A path of the API, or a URL that the registry gave. */
  readonly target: string | URL
  readonly scopes: readonly Scope[]
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: RequestBody | undefined
  /** Statuses that are answers; all others are errors. */
  readonly wanted: readonly number[]
  /** Default: the limits'. 1 where the caller tries again itself. */
  readonly attempts?: number | undefined
  /** Whether the response's body may stay open for long: it then takes a connection of those for blobs. */
  readonly long?: boolean | undefined
  readonly signal: AbortSignal | undefined
}

export interface HostSession {
  readonly host: string
  readonly limits: RegistryLimits
  /** The context's; every request also stops with its own. */
  readonly signal: AbortSignal | undefined
  /** The body must be read or dropped. Throws `RegistryError`, `OCB-INTERRUPTED`. */
  send(request: SessionRequest): Promise<ExchangeResponse>
  /** As `send`, and the body is dropped. */
  ask(request: SessionRequest): Promise<ExchangeResponse>
  /** Where a Location of the registry leads: its own address keeps our scheme. Undefined for what is no URL. */
  locate(location: string | undefined, from: URL): URL | undefined
  authorization(): AuthorizationState
  close(): Promise<void>
}

export function openSession(context: RegistryContext, host: string): HostSession {
  const { environment } = context
  const settings = context.settingsFor(host)
  const limits = limitsOf(context)
  const endpoint = createEndpoint(settings)
  const secrets = createSecrets()
  const clients = new Map<string, Promise<HttpClient>>()
  const statusContext = { host, nowMs: 0, maxRetryAfterMs: limits.maxRetryAfterMs, conceal: secrets.conceal }

  /** The host's own client carries its certificate; others (storage, token services) never get to see that. */
  const clientFor = async (url: URL, long: boolean): Promise<HttpClient> => {
    const own = url.host === endpoint.origin().host
    const key = `${own ? '' : url.host} ${long}`
    const other = own ? settings : context.settingsFor(url.host)
    const opened =
      clients.get(key) ??
      openHttpClient(environment, {
        timeouts: limits.timeouts,
        connections: limits.connections,
        tls: {
          ca: own ? settings.ca : [...(settings.ca ?? []), ...(other.ca ?? [])],
          cert: other.clientCert,
          key: other.clientKey,
          verify: !other.insecure,
        },
      })
    clients.set(key, opened)
    return await opened
  }

  const exchangeOnce = async (
    request: Pick<ExchangeRequest, 'method' | 'url' | 'headers' | 'authorization' | 'body'>,
    signal: AbortSignal | undefined,
    long = false,
  ): Promise<ExchangeResponse> =>
    await exchange(async (url) => await clientFor(url, long), {
      ...request,
      allowDowngrade: endpoint.allowsPlainHttp,
      idleMs: limits.timeouts.idleMs,
      commitMs: limits.commitMs,
      signal,
    })

  const refused = async (
    response: ExchangeResponse,
    request: { readonly method: string; readonly url: URL },
  ) => await statusError(response, request, { ...statusContext, nowMs: environment.wallClockMs() })

  const failed = (error: unknown, request: { readonly method: string; readonly url: URL }): unknown =>
    error instanceof OciBuildError ? error : connectionError(error, request, endpoint.settled)

  const authorizer = createAuthorizer({
    host,
    credential: async () => await context.credentialFor(host),
    secrets,
    now: environment.now,
    plainHttp: () => endpoint.allowsPlainHttp,
    refuse: refused,
    async send(request) {
      return await withRetry(
        { attempts: limits.attempts, delayMs: limits.retryDelayMs },
        context.signal,
        async () => {
          try {
            const response = await exchangeOnce(request, context.signal)
            if (response.status < 500 && response.status !== 429 && response.status !== 408) return response
            throw await refused(response, request)
          } catch (error) {
            throwIfAborted(context.signal)
            throw failed(error, request)
          }
        },
      )
    },
  })

  let looked: Promise<void> | undefined
  /** Most registries of this machine have no TLS, and to start it, only to be refused, takes 60 ms. */
  const look = async (): Promise<void> => {
    if (endpoint.isLocal && (await speaksPlainHttp(endpoint.origin()))) endpoint.fallBack('https:')
  }

  /** One attempt: the scheme is found out, and a 401 is answered. */
  const attempt = async (
    request: SessionRequest,
    signal: AbortSignal | undefined,
  ): Promise<ExchangeResponse> => {
    let scopes = request.scopes
    await (looked ??= look())
    for (let round = 1; ;) {
      const url =
        typeof request.target === 'string' ? new URL(request.target, endpoint.origin()) : request.target
      const own = url.host === endpoint.origin().host
      const authorization = own ? await authorizer.header(scopes) : undefined
      let response: ExchangeResponse
      try {
        const { method, headers = {}, body } = request
        response = await exchangeOnce({ method, url, headers, authorization, body }, signal, request.long)
      } catch (error) {
        throwIfAborted(signal)
        if (
          own &&
          !(error instanceof OciBuildError) &&
          isTlsStartFailure(error) &&
          endpoint.fallBack(url.protocol)
        )
          continue
        if (own) endpoint.reset()
        throw failed(error, { method: request.method, url })
      }
      if (own) endpoint.settle()
      if (response.status !== 401 || response.url.host !== url.host || !own || round === 3) return response
      const header = response.header('www-authenticate')
      const next = await authorizer.challenged(header, url, scopes, authorization)
      // A fresh token was refused, and nothing more is asked for.
      if (next === undefined || (round === 2 && covers(scopes, next) && authorization !== undefined)) {
        return response
      }
      await dropBody(response.body)
      scopes = next
      round += 1
    }
  }

  const session: HostSession = {
    host,
    limits,
    signal: context.signal,
    async send(request) {
      const signal = joinSignals(context.signal, request.signal)
      const policy = { attempts: request.attempts ?? limits.attempts, delayMs: limits.retryDelayMs }
      return await withRetry(policy, signal, async () => {
        const response = await attempt(request, signal)
        if (request.wanted.includes(response.status)) return response
        throw await refused(response, { method: request.method, url: response.url })
      })
    },
    async ask(request) {
      const response = await session.send(request)
      await dropBody(response.body)
      return response
    },
    locate(location, from) {
      let url: URL
      try {
        url = new URL(location ?? '', from)
      } catch {
        return undefined
      }
      if (location === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
      const origin = endpoint.origin()
      // Registries behind a proxy that ends TLS often take themselves for plain HTTP.
      if (url.host === origin.host) url.protocol = origin.protocol
      url.hash = ''
      return url
    },
    authorization: () => authorizer.describe(),
    async close() {
      const open = await Promise.allSettled(clients.values())
      clients.clear()
      await Promise.all(open.map(async (one) => one.status === 'fulfilled' && (await one.value.close())))
    },
  }
  return session
}

/** Aborted with either. */
export function joinSignals(
  first: AbortSignal | undefined,
  second: AbortSignal | undefined,
): AbortSignal | undefined {
  if (first === undefined || first === second) return second
  return second === undefined ? first : AbortSignal.any([first, second])
}

/** Whether a failure says that something is not there. */
export function isNotFound(error: unknown): error is RegistryError {
  return error instanceof RegistryError && error.status === 404
}
