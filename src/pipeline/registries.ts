/** Registries in a build: spoken to by the spec's settings, loaded when the first one is needed. */

import type { CacheFolder } from '../cache/cache-folder.ts'
import { openSeenBlobs } from '../cache/seen-blobs.ts'
import type { Environment } from '../environment.ts'
import { OciBuildError } from '../errors.ts'
import type { Reporter } from '../events.ts'
import type { RegistryContext } from '../registry/registry-context.ts'
import type { CreateContextOptions } from '../registry/create-context.ts'

export interface Registries {
  /** Sets what the spec says of registries; before the first `context`. */
  configure(settings: RegistryWords): void
  /** Throws `OCB-NETWORK-OFFLINE` under `--offline`. */
  context(): Promise<RegistryContext>
  close(): Promise<void>
}

export interface RegistryWords {
  readonly fromSpec: CreateContextOptions['fromSpec']
  /** What paths of the settings are relative to. */
  readonly folder: string
  /** The hosts that are pushed to: what the variables say without a host is for them. Empty: for every host. */
  readonly pushHosts: readonly string[]
}

export function createRegistries(
  environment: Environment,
  reporter: Reporter,
  cache: CacheFolder,
  offline: boolean,
): Registries {
  let configured: RegistryWords | undefined
  let opened: Promise<RegistryContext> | undefined
  const open = async (): Promise<RegistryContext> => {
    const { createRegistryContext } = await import('../registry/create-context.ts')
    const { createCredentialStore } = await import('../registry/credentials/credential-store.ts')
    const { fromSpec, folder, pushHosts = [] } = configured ?? {}
    // A push's password must not go to the registry of the base.
    const hosts = pushHosts.length > 0 ? pushHosts : undefined
    return createRegistryContext({
      environment,
      reporter,
      signal: reporter.signal,
      fromSpec,
      folder,
      credentials: createCredentialStore({ environment, reporter, hosts }),
      seenBlobs: openSeenBlobs(cache.seenDir),
    })
  }
  return {
    configure(settings) {
      configured = settings
    },
    context() {
      if (offline) {
        throw new OciBuildError('OCB-NETWORK-OFFLINE', {
          message: 'a registry is needed, and --offline forbids the network',
          hint: 'build once without --offline, so that the cache has what is needed',
        })
      }
      opened ??= open()
      return opened
    },
    async close() {
      if (opened === undefined) return
      const { closeRegistries } = await import('../registry/sessions.ts')
      await closeRegistries(await opened)
    },
  }
}
