/** Asks a token service for a Bearer token: GET with Basic, or POST as OAuth2, as Docker's registry specifies both. */

import type { OciBuildError } from '../errors.ts'
import { decodeDocument, readObject } from '../spec/read-value.ts'
import type { ExchangeRequest, ExchangeResponse, RequestBody } from './http-exchange.ts'
import { readBody } from './read-body.ts'
import { redactUrl } from './redact-url.ts'
import { protocolError, type RegistryError } from './registry-error.ts'
import { basicHeader } from './secrets.ts'
import type { RegistryCredential } from './registry-context.ts'
import { formatScope, type Scope } from './scope.ts'

export interface TokenService {
  readonly realm: URL
  readonly service: string | undefined
}

export interface Token {
  readonly value: string
  /** Undefined: the service did not say; the specification's 60 s hold. */
  readonly expiresInSeconds: number | undefined
  /** Replaces the identity token that was used. */
  readonly refreshToken: string | undefined
}

type TokenRequest = Pick<ExchangeRequest, 'method' | 'url' | 'headers' | 'authorization' | 'body'>
/** One request with retries; resolves with any status that no retry helps against. */
export type SendTokenRequest = (request: TokenRequest) => Promise<ExchangeResponse>
/** Makes the error of an unwanted response. */
export type RefuseTokenResponse = (
  response: ExchangeResponse,
  request: TokenRequest,
) => Promise<RegistryError>

const clientId = 'ocibuild'
const maxTokenBytes = 1024 * 1024

/**
 * A token for the scopes. Anonymous and Basic use GET, and Basic falls back to POST where GET is no method of the
 * service; identity tokens use POST. Throws `OCB-REGISTRY-AUTH` and the like, `OCB-REGISTRY-PROTOCOL`.
 */
export async function requestToken(
  service: TokenService,
  scopes: readonly Scope[],
  credential: RegistryCredential,
  send: SendTokenRequest,
  refuse: RefuseTokenResponse,
): Promise<Token> {
  let request =
    credential?.kind === 'identity-token'
      ? post(service, scopes, { grant_type: 'refresh_token', refresh_token: credential.token })
      : get(service, scopes, credential)
  let response = await send(request)
  if (credential?.kind === 'basic' && (response.status === 404 || response.status === 405)) {
    response.body.on('error', () => {}).destroy()
    const { username, password } = credential
    request = post(service, scopes, { grant_type: 'password', username, password })
    response = await send(request)
  }
  if (response.status !== 200) throw explain(await refuse(response, request))
  return await readToken(response, request.method)
}

/** OAuth2 refuses a grant with 400 (RFC 6749, section 5.2). */
function explain(error: RegistryError): RegistryError {
  if (error.status !== 400 && error.status !== 401) return error
  const message = `the token service refused the credentials: ${error.message}`
  return error.with({ code: 'OCB-REGISTRY-AUTH', message })
}

function get(service: TokenService, scopes: readonly Scope[], credential: RegistryCredential): TokenRequest {
  const url = new URL(service.realm)
  if (service.service !== undefined) url.searchParams.set('service', service.service)
  for (const scope of scopes) url.searchParams.append('scope', formatScope(scope))
  return {
    method: 'GET',
    url,
    headers: {},
    ...(credential?.kind === 'basic' && {
      authorization: basicHeader(credential.username, credential.password),
    }),
  }
}

function post(
  service: TokenService,
  scopes: readonly Scope[],
  grant: Readonly<Record<string, string>>,
): TokenRequest {
  const form = new URLSearchParams({ ...grant, client_id: clientId })
  if (service.service !== undefined) form.set('service', service.service)
  if (scopes.length > 0) form.set('scope', scopes.map(formatScope).join(' '))
  return {
    method: 'POST',
    url: service.realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: bodyOf(Buffer.from(form.toString())),
  }
}

/** Bytes at hand as a body. */
export function bodyOf(bytes: Uint8Array): RequestBody {
  return {
    size: bytes.length,
    async *open() {
      if (bytes.length > 0) yield bytes
    },
  }
}

async function readToken(response: ExchangeResponse, method: string): Promise<Token> {
  const bytes = await readBody(response.body, maxTokenBytes)
  const bad = (seen: string): OciBuildError =>
    protocolError(method, redactUrl(response.url), response.status, seen)
  if (bytes === undefined) throw bad(`with more than ${maxTokenBytes} bytes in place of a token`)
  let object: ReturnType<typeof readObject>
  try {
    object = readObject(decodeDocument(bytes, 'token'), 'token')
  } catch {
    // What came may hold a token, so nothing of it is shown.
    throw bad('what came is no JSON object')
  }
  const value = [object['token'], object['access_token']].find((one) => typeof one === 'string' && one !== '')
  if (typeof value !== 'string' || !/^[\u0021-\u007e]+$/.test(value)) throw bad('there is no token in it')
  const seconds = object['expires_in']
  const refresh = object['refresh_token']
  return {
    value,
    expiresInSeconds: typeof seconds === 'number' && seconds > 0 ? seconds : undefined,
    refreshToken: typeof refresh === 'string' && refresh !== '' ? refresh : undefined,
  }
}
