/** What commands need to speak with registries: settings, credentials, a place for archives; let go of at the end. */

import { resolve } from 'node:path'
import { Writable } from 'node:stream'
import { openCacheFolder } from '../cache/cache-folder.ts'
import { defaultCacheDir } from '../environment.ts'
import { createReporter, type EventListener, type Reporter } from '../events.ts'
import { createCredentialStore, type CredentialStore } from '../registry/credentials/credential-store.ts'
import type { RegistryContext } from '../registry/registry-context.ts'
import { closeRegistries } from '../registry/sessions.ts'
import { createRegistrySettings } from '../registry/settings/registry-settings.ts'
import type { PlaceContext } from '../transfer/places.ts'
import type { CliContext } from './context.ts'
import { createPaint } from './paint.ts'
import { formatWarning } from './print-error.ts'

export interface RegistrySession {
  readonly places: PlaceContext & { readonly registries: RegistryContext }
  readonly credentials: CredentialStore
  readonly reporter: Reporter
}

export interface RegistrySessionOptions {
  /** The hosts that OCIBUILD_REGISTRY_USERNAME and _PASSWORD are for. Default: every host. */
  readonly hosts?: readonly string[] | undefined
  /** Default: warnings are printed, all else is dropped. */
  readonly onEvent?: EventListener | undefined
}

/** Opens it for as long as `use` takes. Throws `OCB-SPEC-REGISTRIES`, and what `use` throws. */
export async function withRegistries<T>(
  context: CliContext,
  use: (session: RegistrySession) => Promise<T>,
  options: RegistrySessionOptions = {},
): Promise<T> {
  const { environment, signal } = context
  const { cwd } = environment
  const printWarnings: EventListener = (event) => {
    if (event.type === 'warning') {
      context.stderr(formatWarning(event.warning, createPaint(context.colors)))
    }
  }
  const reporter = createReporter(options.onEvent ?? printWarnings, signal, environment.now)
  const credentials = createCredentialStore({ environment, hosts: options.hosts, reporter })
  const registries: RegistryContext = {
    environment,
    settingsFor: await createRegistrySettings({ environment }),
    credentialFor: async (host) => (await credentials.find(host))?.credential,
    reporter,
    signal,
  }
  const cacheDir = resolve(cwd, defaultCacheDir(environment))
  const fallbackDir = environment.tempDir
  const cache = openCacheFolder(cacheDir, { keep: true, nowMs: environment.wallClockMs(), fallbackDir })
  try {
    const places: RegistrySession['places'] = {
      cwd,
      environment,
      spoolDir: cache.runDir,
      registries,
      signal,
      get stdout() {
        const { rawStdout } = context
        return rawStdout instanceof Writable ? rawStdout : undefined
      },
    }
    return await use({ places, credentials, reporter })
  } finally {
    await closeRegistries(registries)
    cache.close()
  }
}
