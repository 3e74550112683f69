/** What the registry's stores are told from outside: settings, credentials and what is known of blobs elsewhere. */

import type { Environment } from '../environment.ts'
import type { Reporter } from '../events.ts'
import type { Digest } from '../spec/digest.ts'
import { defaultTimeouts, type HttpTimeouts } from './http-client.ts'

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

/** How patient and how greedy the stores are; tests are less patient. */
export interface RegistryLimits {
  /** Of one request, and of one upload. Default 5. */
  readonly attempts: number
  /** The first wait between attempts. Default 500. */
  readonly retryDelayMs: number
  /** A registry that asks to wait longer is not waited for. Default 60,000. */
  readonly maxRetryAfterMs: number
  readonly timeouts: HttpTimeouts
  /** Until a registry has stored what was sent to it. Default 300,000. */
  readonly commitMs: number
  /** Connections to one host that read blobs, and as many again for all else. Default 6. */
  readonly connections: number
  /** A chunk of an upload that cannot be sent as one; smaller where a 413 asks for it. Default 16 MiB. */
  readonly chunkBytes: number
  /** Streams up to this are held in memory while they are sent, larger ones in a temporary file. Default 4 MiB. */
  readonly memoryBytes: number
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
  readonly limits?: Partial<RegistryLimits> | undefined
  /** Called when a blob is known to lie in a repository. */
  readonly seenBlob?: ((host: string, repository: string, digest: Digest) => void) | undefined
}

/** The limits of a context, with the defaults for those it does not set. */
export function limitsOf(context: RegistryContext): RegistryLimits {
  return {
    attempts: 5,
    retryDelayMs: 500,
    maxRetryAfterMs: 60_000,
    timeouts: defaultTimeouts,
    commitMs: 300_000,
    connections: 6,
    chunkBytes: 16 * 1024 * 1024,
    memoryBytes: 4 * 1024 * 1024,
    ...context.limits,
  }
}
