/** Registries in a build: spoken to by the spec's settings, loaded when the first one is needed. */

import type { CacheFolder } from '../cache/cache-folder.ts'
import { openSeenBlobs } from '../cache/seen-blobs.ts'
import type { Environment } from '../environment.ts'
import { OciBuildError } from '../errors.ts'
import type { Reporter } from '../events.ts'
import type { RegistryContext } from '../registry/registry-context.ts'
import type { CreateContextOptions } from '../registry/create-context.ts'

export interface Registries {
  /** Sets what the spec says of registries; before the first `context`. `folder` is what its paths are relative to. */
  configure(words: CreateContextOptions['fromSpec'], folder: string): void
  /** Throws `OCB-NETWORK-OFFLINE` under `--offline`. */
  context(): Promise<RegistryContext>
  close(): Promise<void>
}

export function createRegistries(
  environment: Environment,
  reporter: Reporter,
  cache: CacheFolder,
  offline: boolean,
): Registries {
  let configured: Pick<CreateContextOptions, 'fromSpec' | 'folder'> = {}
  let opened: Promise<RegistryContext> | undefined
  const open = async (): Promise<RegistryContext> => {
    const { createRegistryContext } = await import('../registry/create-context.ts')
    const seenBlobs = openSeenBlobs(cache.seenDir)
    return createRegistryContext({ environment, reporter, signal: reporter.signal, seenBlobs, ...configured })
  }
  return {
    configure(words, folder) {
      configured = { fromSpec: words, folder }
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
