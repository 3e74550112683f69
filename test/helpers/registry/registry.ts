/** A registry in this process, strict to distribution-spec v1.1.1, on real sockets of 127.0.0.1. */

import {
  basicAuthenticator,
  bearerAuthenticator,
  openToAll,
  type Access,
  type Authenticator,
} from './authentication.ts'
import { answerBlob, answerStorage } from './blobs.ts'
import { answerReferrers, answerTags } from './discovery.ts'
import { json, Refusal, type ReceivedRequest, type Reply } from './exchange.ts'
import { isName } from './grammar.ts'
import { serveHttp, type HttpServer, type RecordedRequest } from './http-server.ts'
import { answerManifest } from './manifests.ts'
import type { RegistryOptions } from './options.ts'
import { methodNotAllowed, type Service } from './service.ts'
import { RegistryState } from './state.ts'
import { answerUpload, startUpload } from './uploads.ts'

export type { RecordedRequest } from './http-server.ts'
export type { RegistryOptions } from './options.ts'

export interface TestRegistry {
  /** `127.0.0.1:PORT`, as it stands in references. */
  readonly host: string
  readonly origin: string
  readonly state: RegistryState
  /** In the order of their ends; every server of this registry. */
  readonly requests: readonly RecordedRequest[]
  /** `METHOD target STATUS` of each. */
  lines(): string[]
  forgetRequests(): void
  expireTokens(): void
  resetRateLimit(): void
  close(): Promise<void>
}

export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const state = options.state ?? options.mirrorOf?.state ?? new RegistryState()
  const requests: RecordedRequest[] = []
  const record = (request: RecordedRequest): void => void requests.push(request)
  const { tls, maxBodyBytes, authentication: asked } = options
  let taken = 0

  // The side servers are there first, since the registry's answers name them.
  const side = async (name: string, answer: (request: ReceivedRequest) => Reply): Promise<HttpServer> =>
    serveHttp({ name, tls, record, answer, maxBodyBytes })
  let service: Service = { options, state, uploadOrigin: undefined, storageOrigin: undefined }
  const uploads =
    options.uploadLocation === 'other-host'
      ? await side('uploads', (request) => answerUploadHost(service, request))
      : undefined
  const storage =
    options.blobs === 'other-host'
      ? await side('storage', (request) => answerStorage(service, request))
      : undefined
  service = { options, state, uploadOrigin: uploads?.origin, storageOrigin: storage?.origin }

  let tokenServer: HttpServer | undefined
  const authenticator = authenticatorOf(asked, () => tokenServer?.origin)
  if (asked?.kind === 'bearer' && asked.server === 'other')
    tokenServer = await side('token', (request) => answerToken(authenticator, request))

  const server = await serveHttp({
    name: 'registry',
    tls,
    maxBodyBytes,
    record,
    answer(request) {
      const { rateLimit } = options
      if (rateLimit && (taken += 1) > rateLimit.requests)
        throw new Refusal(429, 'TOOMANYREQUESTS', 'too many requests', {
          'Retry-After': rateLimit.retryAfter ?? '1',
        })
      return answerRegistry(service, authenticator, request)
    },
  })
  return {
    host: server.host,
    origin: server.origin,
    state,
    requests,
    lines: () => requests.map(({ line }) => line),
    forgetRequests: () => void requests.splice(0),
    expireTokens: () => authenticator.expireTokens(),
    resetRateLimit: () => void (taken = 0),
    async close() {
      await Promise.all([server, uploads, storage, tokenServer].map((each) => each?.close()))
    },
  }
}

function authenticatorOf(
  asked: RegistryOptions['authentication'],
  otherOrigin: () => string | undefined,
): Authenticator {
  if (asked === undefined) return openToAll
  if (asked.kind === 'basic') return basicAuthenticator(asked)
  return bearerAuthenticator(asked, (url) => `${otherOrigin() ?? url.origin}/token`)
}

function answerToken(authenticator: Authenticator, request: ReceivedRequest): Reply {
  return request.url.pathname === '/token' && authenticator.token
    ? authenticator.token(request)
    : { status: 404 }
}

function answerRegistry(service: Service, authenticator: Authenticator, request: ReceivedRequest): Reply {
  const { method, url } = request
  if (url.pathname === '/token' && authenticator.token) return authenticator.token(request)
  if (url.pathname === '/v2' || url.pathname === '/v2/') {
    authenticator.check(request, [])
    return json(200, {}, { 'Docker-Distribution-Api-Version': 'registry/2.0' })
  }
  const route = routeOf(url.pathname)
  if (!route) return { status: 404, headers: { 'Content-Type': 'text/plain' }, body: '404 page not found\n' }
  if (!isName(route.name)) throw new Refusal(400, 'NAME_INVALID', `not a name: ${route.name}`)
  authenticator.check(request, accessOf(request, route.name))
  const name = upstreamName(service.options, method, route.name)
  switch (route.kind) {
    case 'uploads':
      return route.rest === ''
        ? startUpload(service, request, name)
        : answerUpload(service, request, name, route.rest)
    case 'blobs':
      return answerBlob(service, request, name, route.rest)
    case 'manifests':
      return answerManifest(service, request, name, route.rest)
    case 'referrers':
      return answerReferrers(service, request, name, route.rest)
    default:
      return answerTags(service, request, name)
  }
}

interface Route {
  readonly name: string
  readonly kind: 'uploads' | 'blobs' | 'manifests' | 'referrers' | 'tags'
  readonly rest: string
}

function routeOf(path: string): Route | undefined {
  const uploads = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/.exec(path)
  if (uploads?.[1] !== undefined) return { name: uploads[1], kind: 'uploads', rest: uploads[2] ?? '' }
  const tags = /^\/v2\/(.+)\/tags\/list$/.exec(path)
  if (tags?.[1] !== undefined) return { name: tags[1], kind: 'tags', rest: '' }
  for (const kind of ['blobs', 'manifests', 'referrers'] as const) {
    const [, name, rest] = new RegExp(`^/v2/(.+)/${kind}/([^/]+)$`).exec(path) ?? []
    if (name !== undefined && rest !== undefined) return { name, kind, rest: decodeURIComponent(rest) }
  }
  return undefined
}

function accessOf({ method, url }: ReceivedRequest, name: string): Access[] {
  if (method === 'GET' || method === 'HEAD') return [{ repository: name, actions: ['pull'] }]
  if (method === 'DELETE' && !url.pathname.includes('/blobs/uploads/'))
    return [{ repository: name, actions: ['delete'] }]
  const from = url.searchParams.has('mount') ? url.searchParams.get('from') : null
  const own = { repository: name, actions: ['pull', 'push'] }
  return from !== null && isName(from) ? [own, { repository: from, actions: ['pull'] }] : [own]
}

/** A mirror is read-only and may hold the names below a path. */
function upstreamName({ mirrorOf }: RegistryOptions, method: string, name: string): string {
  if (!mirrorOf) return name
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(method)
  if (mirrorOf.prefix === undefined) return name
  if (!name.startsWith(`${mirrorOf.prefix}/`))
    throw new Refusal(404, 'NAME_UNKNOWN', `${name} is not mirrored`)
  return name.slice(mirrorOf.prefix.length + 1)
}

/** A host that only takes uploads, and knows nothing of the registry's users. */
function answerUploadHost(service: Service, request: ReceivedRequest): Reply {
  if (request.headers.authorization !== undefined)
    return { status: 400, headers: { 'Content-Type': 'text/plain' }, body: 'credentials of another host\n' }
  const route = routeOf(request.url.pathname)
  if (route?.kind !== 'uploads' || route.rest === '') return { status: 404 }
  return answerUpload(service, request, route.name, route.rest)
}
