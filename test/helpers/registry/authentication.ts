/** Who may do what: Basic, and Bearer with its token server (Docker's token and OAuth2 forms). */

import { randomUUID } from 'node:crypto'
import { json, Refusal, type ReceivedRequest, type Reply } from './exchange.ts'
import type { BasicAuthentication, BearerAuthentication } from './options.ts'

/** What a request needs. Default of `actions`: the mere right to be here. */
export interface Access {
  readonly repository: string
  /** `pull`, `push`, `delete`. */
  readonly actions: readonly string[]
}

export interface Authenticator {
  /** Throws 401 with a challenge. */
  check(request: ReceivedRequest, access: readonly Access[]): void
  /** Answers a token request. */
  readonly token: ((request: ReceivedRequest) => Reply) | undefined
  /** Makes every token given out so far worthless. */
  expireTokens(): void
}

export const openToAll: Authenticator = {
  check: () => undefined,
  token: undefined,
  expireTokens: () => undefined,
}

export function basicAuthenticator({ username, password }: BasicAuthentication): Authenticator {
  return {
    ...openToAll,
    check({ headers }) {
      if (headers.authorization === basic(username, password)) return
      throw new Refusal(401, 'UNAUTHORIZED', 'authentication required', {
        'WWW-Authenticate': 'Basic realm="ocibuild tests, \\"quoted\\""',
      })
    },
  }
}

interface Token {
  /** `repository:action`. */
  readonly rights: ReadonlySet<string>
  uses: number
}

export const service = 'registry.test'

/** `realm`: the URL of the token server, asked for each challenge since a port is known late. */
export function bearerAuthenticator(
  options: BearerAuthentication,
  realm: (url: URL) => string,
): Authenticator {
  const tokens = new Map<string, Token>()
  const refreshTokens = new Set(options.identityToken === undefined ? [] : [options.identityToken])
  return {
    check({ headers, url }, access) {
      const sent = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
      const token = sent === undefined ? undefined : tokens.get(sent)
      const alive = token !== undefined && (token.uses -= 1) >= 0
      const wanted = access.flatMap(({ repository, actions }) =>
        actions.map((action) => `${repository}:${action}`),
      )
      if (alive && wanted.every((right) => token.rights.has(right))) return
      const scope = access
        .map(({ repository, actions }) => `repository:${repository}:${actions.join(',')}`)
        .join(' ')
      const error = alive ? ',error="insufficient_scope"' : sent === undefined ? '' : ',error="invalid_token"'
      throw new Refusal(401, 'UNAUTHORIZED', 'authentication required', {
        'WWW-Authenticate': `Bearer realm="${realm(url)}",service="${service}"${scope && `,scope="${scope}"`}${error}`,
      })
    },
    token: (request) => giveToken(options, tokens, refreshTokens, request),
    expireTokens: () => tokens.clear(),
  }
}

function giveToken(
  options: BearerAuthentication,
  tokens: Map<string, Token>,
  refreshTokens: Set<string>,
  request: ReceivedRequest,
): Reply {
  const { method, url, headers, body } = request
  if (method !== 'GET' && method !== 'POST') return { status: 405 }
  if (options.forms?.includes(method) === false) return { status: method === 'POST' ? 404 : 405 }
  const form = method === 'POST' ? new URLSearchParams(body.toString('utf8')) : url.searchParams
  if (form.get('service') !== service)
    return json(400, { error: 'invalid_request', error_description: 'service' })
  if (method === 'POST' && !form.get('client_id'))
    return json(400, { error: 'invalid_request', error_description: 'client_id' })
  const known = identify(options, refreshTokens, method, form, headers.authorization)
  if (known === 'wrong')
    return json(method === 'POST' ? 400 : 401, {
      error: 'invalid_grant',
      details: 'incorrect username or password',
    })
  const wanted = form
    .getAll('scope')
    .flatMap((scope) => scope.split(' '))
    .flatMap(rightsOf)
  const may = (right: string): boolean => allowed(options, known === 'user', right)
  if (options.denied === 'refuse' && !wanted.every(may))
    return json(403, { errors: [{ code: 'DENIED', message: 'requested access to the resource is denied' }] })
  const token = `access-${randomUUID()}`
  tokens.set(token, { rights: new Set(wanted.filter(may)), uses: options.uses ?? Infinity })
  const offline = form.get('access_type') === 'offline' || form.get('offline_token') === 'true'
  const refresh = known === 'user' && offline ? `refresh-${randomUUID()}` : undefined
  if (refresh !== undefined) refreshTokens.add(refresh)
  const field = method === 'POST' ? 'access_token' : (options.field ?? 'both')
  const expires = options.expiresInSeconds ?? 300
  return json(200, {
    ...(field !== 'access_token' && { token }),
    ...(field !== 'token' && { access_token: token }),
    ...(expires > 0 && { expires_in: expires, issued_at: new Date().toISOString() }),
    ...(refresh !== undefined && { refresh_token: refresh }),
    ...(method === 'POST' && { scope: wanted.filter(may).join(' '), token_type: 'Bearer' }),
  })
}

function identify(
  { username, password }: BearerAuthentication,
  refreshTokens: ReadonlySet<string>,
  method: 'GET' | 'POST',
  form: URLSearchParams,
  authorization: string | undefined,
): 'user' | 'anonymous' | 'wrong' {
  if (method === 'GET') {
    if (authorization === undefined) return 'anonymous'
    return username !== undefined && authorization === basic(username, password ?? '') ? 'user' : 'wrong'
  }
  if (form.get('grant_type') === 'refresh_token')
    return refreshTokens.has(form.get('refresh_token') ?? '') ? 'user' : 'wrong'
  if (form.get('grant_type') !== 'password' || username === undefined) return 'wrong'
  return form.get('username') === username && form.get('password') === password ? 'user' : 'wrong'
}

/** `repository:NAME:pull,push` as `NAME:pull` and `NAME:push`; other kinds of resource have no rights here. */
function rightsOf(scope: string): string[] {
  const [, name, actions = ''] = /^repository:(.+):([a-z,*]+)$/.exec(scope) ?? []
  return name === undefined ? [] : actions.split(',').map((action) => `${name}:${action}`)
}

function allowed({ anonymousPull, grants }: BearerAuthentication, user: boolean, right: string): boolean {
  const at = right.lastIndexOf(':')
  const [repository, action] = [right.slice(0, at), right.slice(at + 1)]
  if (!user && (anonymousPull === false || action !== 'pull')) return false
  return grants?.(repository, action) ?? true
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
