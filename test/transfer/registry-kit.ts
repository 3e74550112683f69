/** A context of registries for tests: impatient, and with the credentials that are given. */

import { processEnvironment } from '../../src/environment.ts'
import type { CredentialStore, StoredCredential } from '../../src/registry/credentials/credential-store.ts'
import type { RegistryContext } from '../../src/registry/registry-context.ts'

export function registryContext(credential?: StoredCredential): RegistryContext {
  return {
    environment: { ...processEnvironment(), variables: {} },
    settingsFor: (host) => ({ host, mirrors: [], insecure: false }),
    credentialFor: async () => credential,
    limits: { attempts: 2, retryDelayMs: 1 },
  }
}

/** Has one credential for every host, and keeps nothing. */
export function fixedCredentials(credential?: StoredCredential): CredentialStore {
  return {
    find: async () => credential && { credential, origin: 'the test' },
    save: async () => 'nowhere',
    remove: async () => false,
  }
}

export const alice: StoredCredential = { kind: 'basic', username: 'alice', password: 's3cret' }
