/** The image config's execution parameters: the base's, and the spec's words over them (contract, Inheritance). */

import type { ConfigSpec, EnvSpec } from '../config/resolved-spec.ts'
import type { ExecutionConfig } from '../spec/image-config.ts'

/** Of the machine that made the base, or instructions to a Dockerfile: not of this image. */
const droppedKeys = new Set([
  'OnBuild',
  'Hostname',
  'Domainname',
  'Image',
  'AttachStdin',
  'AttachStdout',
  'AttachStderr',
])

/** What a PATH without any is extended from: Docker's and containerd's default. */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** `metadataLabels` lie between the base's labels and the spec's own. */
export function inheritConfig(
  base: ExecutionConfig | undefined,
  spec: ConfigSpec,
  metadataLabels: Readonly<Record<string, string>>,
): ExecutionConfig {
  const kept = Object.entries(base ?? {}).filter(([key, value]) => !droppedKeys.has(key) && value !== null)
  const result: Record<string, unknown> = Object.fromEntries(kept)
  const set = (key: string, value: unknown): void => {
    if (value === undefined) return
    if (isEmpty(value)) delete result[key]
    else result[key] = value
  }
  set('Env', spec.env === null ? null : inheritEnv(base?.Env ?? [], spec.env ?? {}))
  if (spec.entrypoint !== undefined) {
    set('Entrypoint', spec.entrypoint)
    // The base's cmd holds arguments for the base's entrypoint.
    delete result['Cmd']
  }
  set('Cmd', spec.cmd)
  set('WorkingDir', spec.workingDir)
  set('User', spec.user)
  set('StopSignal', spec.stopSignal)
  set('Healthcheck', spec.healthcheck)
  set('ExposedPorts', unite(base?.ExposedPorts, spec.exposedPorts))
  set('Volumes', unite(base?.Volumes, spec.volumes))
  set('Labels', inheritLabels(base?.Labels ?? {}, metadataLabels, spec.labels))
  return result
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** In the base's order, replaced in place, new ones after, null removes. */
function inheritEnv(base: readonly string[], spec: EnvSpec): readonly string[] {
  const env = new Map<string, string>()
  for (const item of base) {
    const equals = item.indexOf('=')
    if (equals > 0) env.set(item.slice(0, equals), item.slice(equals + 1))
  }
  for (const [name, value] of Object.entries(spec)) {
    if (value === null) {
      env.delete(name)
    } else if (typeof value === 'string') {
      env.set(name, value)
    } else {
      const inherited = env.get(name) ?? (name === 'PATH' ? defaultPath : '')
      env.set(name, `${value.prepend ?? ''}${inherited}${value.append ?? ''}`)
    }
  }
  return Array.from(env, ([name, value]) => `${name}=${value}`)
}

/** `[]` and null clear what the base has; anything else is added to it. */
function unite(
  base: Readonly<Record<string, object>> | undefined,
  spec: readonly string[] | null | undefined,
): Readonly<Record<string, object>> | undefined {
  if (spec === undefined) return undefined
  if (spec === null || spec.length === 0) return {}
  return { ...base, ...Object.fromEntries(spec.map((key) => [key, {}])) }
}

function inheritLabels(
  base: Readonly<Record<string, string>>,
  metadata: Readonly<Record<string, string>>,
  spec: Readonly<Record<string, string | null>> | null | undefined,
): Readonly<Record<string, string>> {
  const labels = new Map<string, string>()
  if (spec !== null) {
    for (const [key, value] of Object.entries(base)) {
      // These say what the base is; of this image they would be false.
      if (!key.startsWith('org.opencontainers.image.')) labels.set(key, value)
    }
  }
  for (const [key, value] of Object.entries(metadata)) labels.set(key, value)
  for (const [key, value] of Object.entries(spec ?? {})) {
    if (value === null) labels.delete(key)
    else labels.set(key, value)
  }
  return Object.fromEntries(labels)
}
