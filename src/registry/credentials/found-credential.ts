/** A credential and the place that it was found in. */

import type { RegistryCredential } from '../registry-context.ts'

export type StoredCredential = NonNullable<RegistryCredential>

export interface FoundCredential {
  readonly credential: StoredCredential
  /** For people: a file, a helper, a variable. Never a secret. */
  readonly origin: string
}

/** What helpers and files write in the place of a user's name when the secret is an identity token. */
export const tokenUsername = '<token>'

export function basicOrToken(username: string, secret: string): StoredCredential {
  return username === tokenUsername
    ? { kind: 'identity-token', token: secret }
    : { kind: 'basic', username, password: secret }
}
