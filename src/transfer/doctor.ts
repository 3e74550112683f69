/** What stands between us and a registry: settings, credential, connection, authentication, and what it can do. */

import { basePath } from '../registry/api-paths.ts'
import type { CredentialStore, FoundCredential } from '../registry/credentials/credential-store.ts'
import type { HostSession } from '../registry/host-session.ts'
import type { RegistryContext } from '../registry/registry-context.ts'
import { hasStatus } from '../registry/registry-error.ts'
import { closeRegistries, sessionFor } from '../registry/sessions.ts'
import { attempt, type Check } from './check.ts'
import { probeReading, probeUploads, probeWriting } from './probe-repository.ts'

export interface DoctorOptions {
  readonly context: RegistryContext
  readonly credentials: CredentialStore
  /** Also pushes a small image with a zstd layer and an index by digest, and deletes them. Default false. */
  readonly write?: boolean | undefined
}

/** A report without secrets; ends early where nothing further can be learnt. Throws only `OCB-INTERRUPTED`. */
export async function examineRegistry(
  host: string,
  repository: string | undefined,
  { context, credentials, write = false }: DoctorOptions,
): Promise<readonly Check[]> {
  const checks: Check[] = []
  let found: FoundCredential | undefined
  let refusal: string | undefined
  // One context of its own, so that what is learnt is learnt now and from this host alone.
  const own: RegistryContext = {
    ...context,
    credentialFor: async (asked) => (asked === host ? found?.credential : undefined),
  }
  try {
    checks.push(await attempt('settings', async () => describeSettings(context, host)))
    if (checks.some(({ status }) => status === 'failed')) return checks
    const credential = await attempt('credential', async () => {
      found = await credentials.find(host, repository)
      if (found === undefined) return 'none found: the registry is spoken to as nobody (anonymous)'
      const kind = found.credential.kind === 'basic' ? 'user name and password' : 'identity token'
      return `${kind} from ${found.origin}`
    })
    checks.push(
      found === undefined && credential.status === 'ok' ? { ...credential, status: 'no' } : credential,
    )
    const session = sessionFor(own, host)
    const connection = await attempt('connection', async () => {
      const door = await knock(session)
      refusal = door.refusal
      return door.detail
    })
    checks.push(connection)
    if (connection.status === 'failed' && session.authorization().scheme === undefined) return checks
    if (repository === undefined) {
      checks.push(describeAuthorization(session, found && refusal))
      checks.push({ name: 'repository', status: 'skipped', detail: `name one to see more: ${host}/NAME` })
      return checks
    }
    checks.push(...(await probeReading(session, repository)))
    const uploads = await probeUploads(session, repository)
    checks.push(...uploads)
    const mayPush = uploads.some(({ name, status }) => name === 'push' && status === 'ok')
    if (mayPush && write) checks.push(...(await probeWriting(session, repository)))
    else {
      const detail = mayPush ? 'add --write to push something small and delete it' : 'needs the right to push'
      for (const name of ['zstd', 'index']) checks.push({ name, status: 'skipped', detail })
    }
    // Now that all was asked, the tokens tell their scopes.
    checks.splice(checks.indexOf(connection) + 1, 0, describeAuthorization(session, found && refusal))
    return checks
  } finally {
    await closeRegistries(own)
  }
}

function describeSettings(context: RegistryContext, host: string): string {
  const { mirrors, insecure, ca, clientCert } = context.settingsFor(host)
  const words = [
    mirrors.length > 0 && `mirrors ${mirrors.join(', ')}`,
    insecure && 'insecure: plain HTTP and unchecked certificates are allowed',
    ca !== undefined && `${ca.length} file${ca.length === 1 ? '' : 's'} of authorities of its own`,
    clientCert !== undefined && 'a client certificate',
  ].filter((word) => typeof word === 'string')
  return words.length === 0 ? 'none of its own' : words.join('; ')
}

/** GET /v2/; being refused there is an answer too, since repositories may be open all the same. */
async function knock(
  session: HostSession,
): Promise<{ readonly detail: string; readonly refusal?: string | undefined }> {
  const way = (url: URL | string): string =>
    new URL(url).protocol === 'http:' ? 'plain HTTP, nothing is encrypted' : 'HTTPS'
  try {
    const response = await session.ask({
      method: 'GET',
      target: basePath,
      scopes: [],
      wanted: [200],
      signal: session.signal,
    })
    return { detail: `${way(response.url)}; GET /v2/ was answered with 200` }
  } catch (error) {
    if (!hasStatus(error, 401, 403)) throw error
    return {
      detail: `${way(error.url)}; GET /v2/ was answered with ${error.status}`,
      refusal: error.message,
    }
  }
}

/** `refusal`: what the registry said to the credential that we have. */
function describeAuthorization(session: HostSession, refusal: string | undefined): Check {
  const { scheme, realm, service, credential, scopes } = session.authorization()
  const name = 'authentication'
  if (refusal !== undefined) {
    return { name, status: 'failed', detail: `the credential is refused: ${refusal}` }
  }
  if (scheme === undefined) return { name, status: 'ok', detail: 'the registry asked for nothing' }
  if (scheme === 'basic')
    return {
      name,
      status: 'ok',
      detail: `asked for user name and password (Basic); answered as ${credential}`,
    }
  const tokens =
    scopes.length === 0 ? 'no token with a scope' : `tokens for ${[...new Set(scopes)].join(' ')}`
  const detail = `asked for tokens (Bearer) of ${realm ?? 'nobody'}${service === undefined ? '' : `, service ${service}`}; answered as ${credential}; ${tokens}`
  return { name, status: 'ok', detail }
}
