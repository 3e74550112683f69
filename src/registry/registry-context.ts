/** What the registry's stores are told from outside: settings, credentials and what is known of blobs elsewhere. */

import type { Environment } from '../environment.ts'
import type { Reporter } from '../events.ts'
import type { Digest } from '../spec/digest.ts'

/** What a host is spoken to with; undefined is anonymous. */
export type RegistryCredential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, as `docker login` stores it. */
  | { readonly kind: 'identity-token'; readonly token: string }
  | undefined

/** The settings of one host, resolved. */
export interface RegistrySettings {
  /** As in references: `docker.io`, `localhost:5000`. */
  readonly host: string
  /** `art.corp/hub`: host and path prefix, tried in order before the host, for pulls only. */
  readonly mirrors: readonly string[]
  /** Plain HTTP is allowed and a TLS certificate is not verified. */
  readonly insecure: boolean
  /** PEM texts, added to the system's trust. */
  readonly ca?: readonly string[] | undefined
  /** PEM texts. */
  readonly clientCert?: string | undefined
  readonly clientKey?: string | undefined
}

export interface RegistryContext {
  readonly environment: Environment
  readonly settingsFor: (host: string) => RegistrySettings
  readonly credentialFor: (host: string) => Promise<RegistryCredential>
  /** Warnings; progress stays with callers. */
  readonly reporter?: Reporter | undefined
  readonly signal?: AbortSignal | undefined
  /** Repositories of `host` in which the blob was seen; mounts are tried from them. */
  readonly cachedRepositories?: ((host: string, digest: Digest) => readonly string[]) | undefined
  /** Called when a blob is known to lie in a repository. */
  readonly seenBlob?: ((host: string, repository: string, digest: Digest) => void) | undefined
}
