/** Credentials in environment variables: `OCIBUILD_REGISTRY_USERNAME` and `_PASSWORD`, for one host with `_HOST` behind. */

import { OciBuildError } from '../../errors.ts'
import { hostNames } from '../settings/canonical-host.ts'
import { basicOrToken, type FoundCredential } from './found-credential.ts'

type Variables = Readonly<Record<string, string | undefined>>

/**
 * The pair of a host (`_GHCR_IO`: upper case, all but letters and digits as `_`), else, where `anyHost`, the pair
 * without a host. The user name `<token>` makes the password an identity token. Throws `OCB-USAGE-CREDENTIALS` when
 * only half of a pair is set.
 */
export function environmentCredential(
  host: string,
  variables: Variables,
  anyHost: boolean,
): FoundCredential | undefined {
  const suffixes = hostNames(host).map((name) => `_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`)
  for (const suffix of anyHost ? [...suffixes, ''] : suffixes) {
    const userKey = `OCIBUILD_REGISTRY_USERNAME${suffix}`
    const passwordKey = `OCIBUILD_REGISTRY_PASSWORD${suffix}`
    const username = variables[userKey] || undefined
    const password = variables[passwordKey] || undefined
    if (username === undefined && password === undefined) continue
    if (username === undefined || password === undefined) {
      const [set, missing] = username === undefined ? [passwordKey, userKey] : [userKey, passwordKey]
      throw new OciBuildError('OCB-USAGE-CREDENTIALS', {
        message: `${set} is set for ${host}, but ${missing} is not or is empty`,
        hint: `set ${missing} too, or unset ${set}`,
      })
    }
    return { credential: basicOrToken(username, password), origin: `${userKey} in the environment` }
  }
  return undefined
}
