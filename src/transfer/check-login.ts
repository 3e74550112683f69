/** Whether a registry lets somebody in. */

import { basePath } from '../registry/api-paths.ts'
import type { StoredCredential } from '../registry/credentials/credential-store.ts'
import type { RegistryContext } from '../registry/registry-context.ts'
import { hasStatus } from '../registry/registry-error.ts'
import { closeRegistries, sessionFor } from '../registry/sessions.ts'

/**
 * Asks the registry's front door with a credential. False: it let us in without asking who we are, so that nothing
 * is known of the credential. Throws `OCB-REGISTRY-AUTH` when the credential is refused, and what requests throw.
 */
export async function checkLogin(
  host: string,
  credential: StoredCredential,
  context: RegistryContext,
): Promise<boolean> {
  const own: RegistryContext = { ...context, credentialFor: async () => credential }
  try {
    const session = sessionFor(own, host)
    await session.ask({
      method: 'GET',
      target: basePath,
      scopes: [],
      wanted: [200],
      signal: context.signal,
    })
    return session.authorization().scheme !== undefined
  } catch (error) {
    if (!hasStatus(error, 401, 403)) throw error
    throw error.with({
      code: 'OCB-REGISTRY-AUTH',
      message: `${host} refused the user name and the password or token: ${error.message}`,
      hint: 'check both; many registries want an access token in the place of the password',
    })
  } finally {
    await closeRegistries(own)
  }
}
