/** Who we are to one host: learns from its challenges, gets tokens, keeps them until they expire. */

import { OciBuildError } from '../errors.ts'
import { parseChallenges, type Challenge } from './challenge.ts'
import { readUrl, redactUrl } from './redact-url.ts'
import type { RegistryCredential } from './registry-context.ts'
import { covers, formatScope, joinScopes, parseScopes, type Scope } from './scope.ts'
import { basicHeader, type Secrets } from './secrets.ts'
import { requestToken, type RefuseTokenResponse, type SendTokenRequest, type TokenService } from './token.ts'

export interface AuthorizerOptions {
  /** For messages. */
  readonly host: string
  readonly credential: () => Promise<RegistryCredential>
  readonly send: SendTokenRequest
  readonly refuse: RefuseTokenResponse
  readonly secrets: Secrets
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Whether a token service may be asked over plain HTTP. */
  readonly plainHttp: () => boolean
}

export interface Authorizer {
  /** The `Authorization` for these scopes as far as the host's ways are known; undefined before it asked. */
  header(scopes: readonly Scope[]): Promise<string | undefined>
  /**
   * Takes in a 401. The scopes to try again with, or undefined when another try cannot help. `used` is the header
   * that was refused. Throws `OCB-REGISTRY-PROTOCOL` for a token service that may not be asked.
   */
  challenged(
    header: string | undefined,
    origin: URL,
    scopes: readonly Scope[],
    used: string | undefined,
  ): Promise<readonly Scope[] | undefined>
  /** What the host asked for last, for a person to read: scheme, service and scopes of the tokens held. */
  describe(): AuthorizationState
}

export interface AuthorizationState {
  readonly scheme: 'bearer' | 'basic' | undefined
  /** Redacted. */
  readonly realm?: string | undefined
  readonly service?: string | undefined
  readonly credential: 'basic' | 'identity-token' | 'anonymous' | 'unknown'
  readonly scopes: readonly string[]
}

interface HeldToken {
  readonly scopes: readonly Scope[]
  readonly header: string
  readonly expiresAtMs: number
}

/** The token specification's default, and the least that clients may expect. */
const defaultLifeSeconds = 60

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { secrets, now } = options
  let way:
    | { readonly scheme: 'basic' }
    | { readonly scheme: 'bearer'; readonly service: TokenService }
    | undefined
  let credential: Promise<RegistryCredential> | undefined
  let known: RegistryCredential
  let held: readonly HeldToken[] = []
  const underway = new Map<string, Promise<HeldToken>>()

  const credentialOnce = async (): Promise<RegistryCredential> => {
    credential ??= options.credential()
    try {
      known = await credential
    } catch (error) {
      credential = undefined
      throw error
    }
    if (known?.kind === 'basic') {
      secrets.add(known.password)
      secrets.add(basicHeader(known.username, known.password).slice('Basic '.length))
    } else if (known !== undefined) secrets.add(known.token)
    return known
  }

  const getToken = async (service: TokenService, scopes: readonly Scope[]): Promise<HeldToken> => {
    const wanted = await credentialOnce()
    const startedMs = now()
    const token = await requestToken(service, scopes, wanted, options.send, options.refuse)
    secrets.add(token.value)
    if (wanted?.kind === 'identity-token' && token.refreshToken !== undefined) {
      credential = Promise.resolve({ kind: 'identity-token', token: token.refreshToken })
      secrets.add(token.refreshToken)
    }
    const lifeMs = (token.expiresInSeconds ?? defaultLifeSeconds) * 1000
    // Some margin for the way of the request that carries it.
    const expiresAtMs = startedMs + lifeMs - Math.min(10_000, lifeMs / 10)
    return { scopes, header: `Bearer ${token.value}`, expiresAtMs }
  }

  const bearer = async (service: TokenService, scopes: readonly Scope[]): Promise<string> => {
    held = held.filter(({ expiresAtMs }) => expiresAtMs > now())
    const found = held.find((token) => covers(token.scopes, scopes))
    if (found !== undefined) return found.header
    const key = scopes.map(formatScope).join(' ')
    const running = underway.get(key) ?? getToken(service, scopes).finally(() => underway.delete(key))
    underway.set(key, running)
    const token = await running
    if (!held.includes(token)) held = [...held, token]
    return token.header
  }

  return {
    async header(scopes) {
      if (way?.scheme === 'bearer') return await bearer(way.service, joinScopes(scopes))
      if (way?.scheme !== 'basic') return undefined
      const wanted = await credentialOnce()
      return wanted?.kind === 'basic' ? basicHeader(wanted.username, wanted.password) : undefined
    },

    async challenged(header, origin, scopes, used) {
      const challenges = parseChallenges(header ?? '')
      const token = challenges.find(({ scheme }) => scheme === 'bearer')
      if (token !== undefined) {
        way = { scheme: 'bearer', service: readService(options, token, origin) }
        // A host that forgot one token has likely forgotten all; another request may have renewed them already.
        const forgotten = token.parameters['error'] !== 'insufficient_scope'
        if (forgotten && held.some((one) => one.header === used)) held = []
        held = held.filter((one) => one.header !== used)
        return joinScopes([...scopes, ...parseScopes(token.parameters['scope'] ?? '')])
      }
      if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined
      way = { scheme: 'basic' }
      const wanted = await credentialOnce()
      if (wanted?.kind === 'identity-token') throw identityRefused(options.host)
      return wanted === undefined || used !== undefined ? undefined : scopes
    },

    describe() {
      return {
        scheme: way?.scheme,
        ...(way?.scheme === 'bearer' && {
          realm: redactUrl(way.service.realm),
          service: way.service.service,
        }),
        credential: credential === undefined ? 'unknown' : (known?.kind ?? 'anonymous'),
        scopes: held.flatMap((token) => token.scopes.map(formatScope)),
      }
    },
  }
}

function readService(options: AuthorizerOptions, challenge: Challenge, origin: URL): TokenService {
  const text = challenge.parameters['realm'] ?? ''
  const realm = readUrl(text, origin)
  const bad = (seen: string): OciBuildError =>
    new OciBuildError('OCB-REGISTRY-PROTOCOL', {
      message: `${options.host} asks for a token from ${seen}`,
      hint: 'check the address of the registry, and its settings for authentication',
    })
  if (text === '' || realm === undefined || (realm.protocol !== 'http:' && realm.protocol !== 'https:')) {
    throw bad('what is no http or https URL')
  }
  if (realm.protocol === 'http:' && !options.plainHttp()) throw bad(`${redactUrl(realm)}, over plain HTTP`)
  realm.username = ''
  realm.password = ''
  realm.hash = ''
  return { realm, service: challenge.parameters['service'] }
}

function identityRefused(host: string): OciBuildError {
  return new OciBuildError('OCB-REGISTRY-AUTH', {
    message: `${host} asks for a user name and a password, and an identity token is all there is for it`,
    hint: `log in again: ocibuild login ${host}`,
  })
}
