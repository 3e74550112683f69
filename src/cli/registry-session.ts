/** What commands need to speak with registries: settings, credentials, a place for archives; let go of at the end. */

import { resolve } from 'node:path'
import { Writable } from 'node:stream'
import { openCacheFolder } from '../cache/cache-folder.ts'
import { openSeenBlobs } from '../cache/seen-blobs.ts'
import { defaultCacheDir } from '../environment.ts'
import type { EventListener, Reporter } from '../events.ts'
import { createRegistryContext } from '../registry/create-context.ts'
import { createCredentialStore, type CredentialStore } from '../registry/credentials/credential-store.ts'
import type { RegistryContext } from '../registry/registry-context.ts'
import { closeRegistries } from '../registry/sessions.ts'
import type { Reference } from '../spec/reference.ts'
import type { PlaceContext } from '../transfer/places.ts'
import { createCliReporter } from './cli-reporter.ts'
import type { CliContext } from './context.ts'

export interface RegistrySession {
  readonly places: PlaceContext
  readonly credentials: CredentialStore
  readonly reporter: Reporter
}

export interface RegistrySessionOptions {
  /** The hosts that OCIBUILD_REGISTRY_USERNAME and _PASSWORD are for. Default: every host. */
  readonly hosts?: readonly string[] | undefined
  /** Default: warnings are printed, all else is dropped. */
  readonly onEvent?: EventListener | undefined
}

/**
 * Opens it for as long as `use` takes. `references` are what the command is about: podman's files may have a credential
 * for a part of a registry, and the last of a host counts. Throws `OCB-SPEC-REGISTRIES`, and what `use` throws.
 */
export async function withRegistries<T>(
  context: CliContext,
  references: readonly Reference[],
  use: (session: RegistrySession) => Promise<T>,
  options: RegistrySessionOptions = {},
): Promise<T> {
  const { environment, signal } = context
  const { cwd } = environment
  const reporter = createCliReporter(context, options.onEvent)
  const credentials = createCredentialStore({ environment, hosts: options.hosts, reporter })
  const cacheDir = resolve(cwd, defaultCacheDir(environment))
  const fallbackDir = environment.tempDir
  const cache = openCacheFolder(cacheDir, { keep: true, nowMs: environment.wallClockMs(), fallbackDir })
  try {
    const seenBlobs = openSeenBlobs(cache.seenDir)
    const general = await createRegistryContext({ environment, reporter, signal, seenBlobs, credentials })
    const repositories = repositoriesOf(references)
    const registries: RegistryContext = {
      ...general,
      credentialFor: async (host) => (await credentials.find(host, repositories.get(host)))?.credential,
    }
    const places: PlaceContext = {
      cwd,
      environment,
      spoolDir: cache.runDir,
      registries,
      signal,
      openStdout() {
        const { rawStdout } = context
        // Nobody reads an archive on a terminal.
        const isTerminal = 'isTTY' in rawStdout && rawStdout.isTTY === true
        return rawStdout instanceof Writable && !isTerminal ? rawStdout : undefined
      },
    }
    try {
      return await use({ places, credentials, reporter })
    } finally {
      await closeRegistries(registries)
    }
  } finally {
    cache.close()
  }
}

function repositoriesOf(references: readonly Reference[]): ReadonlyMap<string, string> {
  return new Map(
    references.flatMap((reference) =>
      reference.transport === 'docker' ? [[reference.host, reference.repository] as const] : [],
    ),
  )
}
