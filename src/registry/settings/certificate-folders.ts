/** Docker's and podman's `certs.d/HOST`: authorities (`*.crt`) and client certificates (`*.cert` beside `*.key`). */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../../environment.ts'
import { messageOf, OciBuildError, systemErrorCode } from '../../errors.ts'
import { hostNames } from './canonical-host.ts'

export interface FoundCertificates {
  /** PEM texts, those of the user's own folders first. */
  readonly ca: readonly string[]
  /** The first pair by folder and name. */
  readonly client: { readonly cert: string; readonly key: string } | undefined
}

/**
 * Reads all folders that a host has. `systemDir` is `/etc` but in tests. Throws `OCB-REGISTRY-SETTINGS` for a
 * certificate without its key, and for what cannot be read.
 */
export function readCertificateFolders(
  host: string,
  environment: Environment,
  systemDir?: string,
): FoundCertificates {
  const ca: string[] = []
  let client: FoundCertificates['client']
  for (const base of certificateFolders(environment, systemDir)) {
    for (const name of hostNames(host)) {
      // A colon cannot stand in a name on Windows: Docker leaves it out there.
      const folder = join(base, environment.hostPlatform === 'win32' ? name.replaceAll(':', '') : name)
      const names = list(folder)
      ca.push(...names.filter((file) => file.endsWith('.crt')).map((file) => read(join(folder, file))))
      const cert = client === undefined ? names.find((file) => file.endsWith('.cert')) : undefined
      if (cert !== undefined) client = readPair(folder, cert)
    }
  }
  return { ca, client }
}

/** Where the folders of hosts lie, as Docker, Docker Desktop, rootless Docker and podman document them. */
export function certificateFolders(environment: Environment, systemDir = '/etc'): readonly string[] {
  const { homeDir, variables, hostPlatform } = environment
  const config = variables['XDG_CONFIG_HOME'] || join(homeDir, '.config')
  const own = [join(config, 'containers'), join(config, 'docker'), join(homeDir, '.docker')]
  const shared =
    hostPlatform === 'win32'
      ? [join(variables['ProgramData'] ?? 'C:\\ProgramData', 'docker')]
      : [join(systemDir, 'containers'), join(systemDir, 'docker')]
  return [...own, ...shared].map((folder) => join(folder, 'certs.d'))
}

function readPair(folder: string, cert: string): { readonly cert: string; readonly key: string } {
  const key = `${cert.slice(0, -'.cert'.length)}.key`
  if (!existsSync(join(folder, key))) {
    throw new OciBuildError('OCB-REGISTRY-SETTINGS', {
      message: `${join(folder, cert)} is a client certificate without its key; wanted ${key} beside it`,
      hint: `put ${key} beside it, or name it .crt if it is that of an authority`,
    })
  }
  return { cert: read(join(folder, cert)), key: read(join(folder, key)) }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return []
    // Another user's folder holds nothing that is meant for this one.
    if (systemErrorCode(error) === 'EACCES') return []
    throw unreadable(folder, error)
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): OciBuildError {
  return new OciBuildError('OCB-REGISTRY-SETTINGS', {
    message: `cannot read ${path}, which holds certificates for a registry: ${messageOf(error)}`,
    hint: 'make it readable for this user, or remove it',
    cause: error,
  })
}
