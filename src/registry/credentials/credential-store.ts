/** Where credentials come from and go to: variables, Docker's and podman's files, credential helpers. */

import { join, resolve } from 'node:path'
import type { Environment } from '../../environment.ts'
import type { Reporter } from '../../events.ts'
import { canonicalHost } from '../settings/canonical-host.ts'
import {
  credentialIn,
  helperIn,
  readAuthFile,
  withCredential,
  withoutHost,
  writeAuthFile,
  type AuthFile,
  type ConfiguredHelper,
} from './auth-file.ts'
import { dockerKey, readKey } from './auth-keys.ts'
import { eraseFromHelper, getFromHelper, helperMissing, storeInHelper } from './credential-helper.ts'
import { environmentCredential } from './environment-credential.ts'
import type { FoundCredential, StoredCredential } from './found-credential.ts'

export type { FoundCredential, StoredCredential } from './found-credential.ts'

export interface CredentialStoreOptions {
  readonly environment: Environment
  /**
   * The hosts that `OCIBUILD_REGISTRY_USERNAME` and `_PASSWORD` without a host are for, so that a build's password
   * does not go to the registry of its base. Default: every host.
   */
  readonly hosts?: readonly string[] | undefined
  readonly reporter?: Pick<Reporter, 'warn'> | undefined
}

export interface CredentialStore {
  /**
   * The first credential for a host, or for a repository there (podman's files know namespaces). Throws
   * `OCB-USAGE-CREDENTIALS`, `OCB-REGISTRY-CREDENTIALS`, `OCB-REGISTRY-CREDENTIAL-HELPER`; messages hold no secret.
   */
  find(host: string, repository?: string): Promise<FoundCredential | undefined>
  /** Stores a credential through the helper that is configured, else in the file; returns where. Throws as `find`. */
  save(host: string, credential: StoredCredential): Promise<string>
  /** Forgets what `save` stores. False where nothing was stored there. Throws as `find`. */
  remove(host: string): Promise<boolean>
}

/** A store over the environment. Files and helpers are read when they are asked. */
export function createCredentialStore(options: CredentialStoreOptions): CredentialStore {
  const { environment, reporter } = options
  const hosts = options.hosts?.map(canonicalHost)
  return {
    async find(host, repository) {
      const anyHost = hosts === undefined || hosts.includes(canonicalHost(host))
      const fromVariables = environmentCredential(host, environment.variables, anyHost)
      if (fromVariables !== undefined) return fromVariables
      for (const path of authFiles(environment)) {
        const file = readAuthFile(path)
        const found = file && (await findInFile(file, host, repository, environment, reporter))
        if (found !== undefined) return found
      }
      return undefined
    },

    async save(host, credential) {
      const { file, helper } = writePlace(host, environment)
      if (helper === undefined) {
        writeAuthFile(withCredential(file, host, dockerKey(host), credential))
        return file.path
      }
      await storeInHelper(helper.name, serverOf(helper, host), credential, environment)
      return describeHelper(helper, file)
    },

    async remove(host) {
      const { file, helper } = writePlace(host, environment)
      const erased =
        helper !== undefined && (await eraseFromHelper(helper.name, serverOf(helper, host), environment))
      const without = withoutHost(file, host)
      if (without !== undefined) writeAuthFile(without)
      return erased || without !== undefined
    },
  }
}

async function findInFile(
  file: AuthFile,
  host: string,
  repository: string | undefined,
  environment: Environment,
  reporter: Pick<Reporter, 'warn'> | undefined,
): Promise<FoundCredential | undefined> {
  const helper = helperIn(file, host, repository)
  if (helper !== undefined) {
    const answer = await getFromHelper(helper.name, serverOf(helper, host), environment)
    if (answer === 'missing') {
      if (helper.key !== undefined) throw helperMissing(helper.name)
      // A desktop's config often lies in containers and virtual machines that lack its helper.
      reporter?.warn(
        'OCB-CREDENTIAL-HELPER-MISSING',
        `${file.path} names the credential helper docker-credential-${helper.name}, which is not installed`,
        `install it, or take credsStore out of ${file.path}`,
      )
    } else if (answer !== undefined) return { credential: answer, origin: describeHelper(helper, file) }
  }
  const credential = credentialIn(file, host, repository)
  return credential && { credential, origin: file.path }
}

/**
 * The files in the order they are asked: those that a variable names, Docker's, podman's (containers-auth.json(5)).
 */
export function authFiles({ variables, homeDir, hostPlatform, cwd }: Environment): readonly string[] {
  const { DOCKER_CONFIG: docker, REGISTRY_AUTH_FILE: podman, XDG_RUNTIME_DIR: runtime } = variables
  const config = variables['XDG_CONFIG_HOME'] || join(homeDir, '.config')
  const files = [
    docker && join(docker, 'config.json'),
    podman,
    !docker && join(homeDir, '.docker', 'config.json'),
    hostPlatform === 'linux' && runtime && join(runtime, 'containers', 'auth.json'),
    join(config, 'containers', 'auth.json'),
    join(homeDir, '.config', 'containers', 'auth.json'),
  ]
  return [...new Set(files.flatMap((file) => (file ? [resolve(cwd, file)] : [])))]
}

function writePlace(
  host: string,
  environment: Environment,
): { readonly file: AuthFile; readonly helper: ConfiguredHelper | undefined } {
  // Docker's own file or, where a variable names one, that.
  const [path = ''] = authFiles(environment)
  const file = readAuthFile(path) ?? { path, members: {} }
  return { file, helper: helperIn(file, host) }
}

function serverOf(helper: ConfiguredHelper, host: string): string {
  // A key with a namespace is what the helper's entry goes by.
  return helper.key !== undefined && readKey(helper.key).namespace !== '' ? helper.key : dockerKey(host)
}

function describeHelper({ name, where }: ConfiguredHelper, file: AuthFile): string {
  return `docker-credential-${name} (${where} of ${file.path})`
}
