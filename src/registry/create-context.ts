/** What speaking to registries needs, put together from the environment, the user's files and the spec. */

import type { Environment } from '../environment.ts'
import type { Reporter } from '../events.ts'
import type { Digest } from '../spec/digest.ts'
import { createCredentialStore, type CredentialStore } from './credentials/credential-store.ts'
import type { RegistryContext } from './registry-context.ts'
import { createRegistrySettings, type RegistrySettingsOptions } from './settings/registry-settings.ts'

export interface CreateContextOptions {
  readonly environment: Environment
  readonly reporter?: Reporter | undefined
  readonly signal?: AbortSignal | undefined
  /** `registries` of the spec, and the folder its paths are relative to. */
  readonly fromSpec?: RegistrySettingsOptions['fromSpec']
  readonly folder?: string | undefined
  /** Default: a store over the environment. */
  readonly credentials?: CredentialStore | undefined
  /** Where blobs were seen before; mounts are tried from there. */
  readonly seenBlobs?:
    | {
        repositories(host: string, digest: Digest): readonly string[]
        remember(host: string, repository: string, digest: Digest): void
      }
    | undefined
}

/** Throws `OCB-SPEC-REGISTRIES` and `OCB-REGISTRY-SETTINGS`; credentials are looked for when a host asks for them. */
export async function createRegistryContext(options: CreateContextOptions): Promise<RegistryContext> {
  const { environment, reporter, signal, fromSpec, folder, seenBlobs } = options
  const settingsFor = await createRegistrySettings({ environment, fromSpec, cwd: folder })
  const credentials = options.credentials ?? createCredentialStore({ environment, reporter })
  return {
    environment,
    reporter,
    signal,
    settingsFor,
    credentialFor: async (host) => (await credentials.find(host))?.credential,
    cachedRepositories: seenBlobs && ((host, digest) => seenBlobs.repositories(host, digest)),
    seenBlob: seenBlobs && ((host, repository, digest) => seenBlobs.remember(host, repository, digest)),
  }
}
