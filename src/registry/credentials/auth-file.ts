/** Docker's `config.json` and podman's `auth.json`: one format, read with care and written with nothing lost. */

import { mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { writeFileAtomic } from '../../content/atomic-file.ts'
import { messageOf, OciBuildError, systemErrorCode } from '../../errors.ts'
import { matchingKeys } from './auth-keys.ts'
import { basicOrToken, tokenUsername, type StoredCredential } from './found-credential.ts'

type JsonObject = Readonly<Record<string, unknown>>

export interface AuthFile {
  readonly path: string
  /** All of it, as it stands in the file. */
  readonly members: JsonObject
}

/** Reads a file; undefined where there is none. Throws `OCB-REGISTRY-CREDENTIALS`. */
export function readAuthFile(path: string): AuthFile | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined
    throw unusable(path, `cannot be read: ${messageOf(error)}`)
  }
  if (text.trim() === '') return { path, members: {} }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own words quote the text, which holds secrets.
    throw unusable(path, 'is not JSON')
  }
  if (!isObject(value)) throw unusable(path, 'is not a JSON object')
  return { path, members: value }
}

/** The credential under `auths` for a repository, or for a whole host. Throws `OCB-REGISTRY-CREDENTIALS`. */
export function credentialIn(
  file: AuthFile,
  host: string,
  repository?: string,
): StoredCredential | undefined {
  const auths = objectIn(file, 'auths')
  for (const key of matchingKeys(Object.keys(auths), host, repository)) {
    const credential = readAuth(auths[key], `auths[${JSON.stringify(key)}]`, file.path)
    if (credential !== undefined) return credential
  }
  return undefined
}

export interface ConfiguredHelper {
  /** The X of `docker-credential-X`. */
  readonly name: string
  /** What the helper is asked for, where a key of `credHelpers` says it. */
  readonly key: string | undefined
  /** Of the file: `credHelpers["ghcr.io"]`, `credsStore`. */
  readonly where: string
}

/** The helper that a file names for a host: its own, else the one for all. */
export function helperIn(file: AuthFile, host: string, repository?: string): ConfiguredHelper | undefined {
  const helpers = objectIn(file, 'credHelpers')
  for (const key of matchingKeys(Object.keys(helpers), host, repository)) {
    const name = helpers[key]
    if (typeof name === 'string' && name !== '')
      return { name, key, where: `credHelpers[${JSON.stringify(key)}]` }
  }
  const { credsStore } = file.members
  if (typeof credsStore !== 'string' || credsStore === '') return undefined
  return { name: credsStore, key: undefined, where: 'credsStore' }
}

/** The file with a credential under `key`; other spellings of the same host are dropped. */
export function withCredential(
  file: AuthFile,
  host: string,
  key: string,
  credential: StoredCredential,
): AuthFile {
  const rest = withoutHost(file, host)?.members ?? file.members
  const auths = isObject(rest['auths']) ? rest['auths'] : {}
  return { path: file.path, members: { ...rest, auths: { ...auths, [key]: formatAuth(credential) } } }
}

/** The file without the keys of a whole host; undefined where it has none. Namespaces are left. */
export function withoutHost(file: AuthFile, host: string): AuthFile | undefined {
  const auths = objectIn(file, 'auths')
  const gone = new Set(matchingKeys(Object.keys(auths), host))
  if (gone.size === 0) return undefined
  const kept = Object.entries(auths).filter(([key]) => !gone.has(key))
  return { path: file.path, members: { ...file.members, auths: Object.fromEntries(kept) } }
}

/** Writes a file atomically, for its owner alone; a symlink stays and what it points at is replaced. */
export function writeAuthFile({ path, members }: AuthFile): void {
  let place = path
  try {
    place = realpathSync(path)
  } catch {
    // It is new.
  }
  try {
    mkdirSync(dirname(place), { recursive: true, mode: 0o700 })
    writeFileAtomic(place, `${JSON.stringify(members, null, '\t')}\n`, 0o600)
  } catch (error) {
    throw unusable(path, `cannot be written: ${messageOf(error)}`)
  }
}

function formatAuth(credential: StoredCredential): JsonObject {
  const encode = (text: string): string => Buffer.from(text).toString('base64')
  // As Docker does: the user's name is kept apart from the token that stands for the password.
  return credential.kind === 'identity-token'
    ? { auth: encode(`${tokenUsername}:`), identitytoken: credential.token }
    : { auth: encode(`${credential.username}:${credential.password}`) }
}

function readAuth(value: unknown, at: string, path: string): StoredCredential | undefined {
  if (!isObject(value)) return undefined
  const { auth, identitytoken, username, password } = value
  if (typeof identitytoken === 'string' && identitytoken !== '') {
    return { kind: 'identity-token', token: identitytoken }
  }
  if (typeof auth === 'string' && auth !== '') {
    // Docker has ended secrets in NUL bytes.
    const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '')
    const colon = text.indexOf(':')
    if (colon > 0) return basicOrToken(text.slice(0, colon), text.slice(colon + 1))
    throw unusable(path, `has an ${at}.auth that is not the base64 of USER:PASSWORD`)
  }
  if (typeof username === 'string' && username !== '' && typeof password === 'string') {
    return basicOrToken(username, password)
  }
  return undefined
}

function objectIn({ path, members }: AuthFile, key: string): JsonObject {
  const value = members[key]
  if (value === undefined || value === null) return {}
  if (isObject(value)) return value
  throw unusable(path, `has ${key} that is not an object`)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unusable(path: string, problem: string): OciBuildError {
  return new OciBuildError('OCB-REGISTRY-CREDENTIALS', {
    message: `the file of credentials ${path} ${problem}`,
    hint: 'mend the file, or name another folder in DOCKER_CONFIG',
  })
}
