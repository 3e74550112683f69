/** The settings of each registry: the spec's over the user's file's, and what Docker and podman know of certificates. */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Environment } from '../../environment.ts'
import { messageOf, OciBuildError, type Problem } from '../../errors.ts'
import type { RegistrySettings } from '../registry-context.ts'
import { canonicalHost } from './canonical-host.ts'
import { readCertificateFolders } from './certificate-folders.ts'
import { readRegistriesWords, type RegistriesWords, type RegistryWords } from './registry-words.ts'
import { readSettingsFile } from './settings-file.ts'

export interface RegistrySettingsOptions {
  readonly environment: Environment
  /** `registries` of the spec. */
  readonly fromSpec?: Readonly<Record<string, RegistryWords>> | null | undefined
  /** What paths in `fromSpec` are relative to: the config file's folder; absolute. Default: the environment's cwd. */
  readonly cwd?: string | undefined
  /** Default `/etc`. */
  readonly systemDir?: string | undefined
}

/**
 * Reads the user's file now, and a host's certificates when the host is first asked for. Each key of the spec wins
 * over the same key of the file; authorities of `certs.d` are added to `ca`, a client certificate from there counts
 * where none is named. Throws `OCB-SPEC-REGISTRIES`; the function throws it too, and `OCB-REGISTRY-SETTINGS`.
 */
export async function createRegistrySettings(
  options: RegistrySettingsOptions,
): Promise<(host: string) => RegistrySettings> {
  const { environment, fromSpec, cwd = environment.cwd } = options
  const problems: Problem[] = []
  const spec = readRegistriesWords(fromSpec, 'registries', problems)
  if (problems.length > 0) {
    throw new OciBuildError('OCB-SPEC-REGISTRIES', {
      message: 'the settings of registries are wrong',
      hint: 'write them like registries: { HOST: { mirrors: [], ca, clientCert, clientKey, insecure } }',
      problems,
    })
  }
  const file = await readSettingsFile(environment)
  const places: readonly Place[] = [
    { registries: spec, folder: cwd, name: 'the spec' },
    ...(file === undefined ? [] : [{ registries: file.registries, folder: file.folder, name: file.path }]),
  ]
  const known = new Map<string, RegistrySettings>()
  return (host) => {
    const canonical = canonicalHost(host)
    const settings = known.get(canonical) ?? resolveHost(canonical, places, options)
    known.set(canonical, settings)
    return settings
  }
}

interface Place {
  readonly registries: RegistriesWords
  readonly folder: string
  readonly name: string
}

function resolveHost(
  host: string,
  places: readonly Place[],
  { environment, systemDir }: RegistrySettingsOptions,
): RegistrySettings {
  const words = places.flatMap((place) => {
    const found = Object.entries(place.registries).filter(([name]) => canonicalHost(name) === host)
    return found.map(([name, settings]) => ({ place, name, settings }))
  })
  const text = (key: 'ca' | 'clientCert' | 'clientKey'): string | undefined => {
    const from = words.find(({ settings }) => settings[key] !== undefined)
    const path = from?.settings[key]
    if (from === undefined || path === undefined) return undefined
    return readPem(
      resolve(from.place.folder, path),
      `registries[${JSON.stringify(from.name)}].${key}`,
      from.place.name,
    )
  }
  const mirrors = words.find(({ settings }) => settings.mirrors !== undefined)?.settings.mirrors ?? []
  const insecure = words.find(({ settings }) => settings.insecure !== undefined)?.settings.insecure ?? false
  const found = readCertificateFolders(host, environment, systemDir)
  const ca = text('ca')
  const allCa = [...(ca === undefined ? [] : [ca]), ...found.ca]
  return {
    host,
    mirrors: mirrors.filter((mirror) => typeof mirror === 'string'),
    insecure,
    ca: allCa.length === 0 ? undefined : allCa,
    clientCert: text('clientCert') ?? found.client?.cert,
    clientKey: text('clientKey') ?? found.client?.key,
  }
}

function readPem(path: string, key: string, where: string): string {
  let problem: string
  try {
    const text = readFileSync(path, 'utf8')
    if (text.includes('-----BEGIN ')) return text
    problem = 'is not PEM: it has no "-----BEGIN" line'
  } catch (error) {
    problem = `cannot be read: ${messageOf(error)}`
  }
  throw new OciBuildError('OCB-SPEC-REGISTRIES', {
    message: `${key} in ${where} names ${path}, which ${problem}`,
    hint: `let ${key} name a PEM file, relative to the file it is written in`,
  })
}
