/** The rules of image configs (image-spec v1.1.1 config.md). */

import type { Digest } from '../spec/digest.ts'
import type { Platform } from '../spec/platform.ts'
import { checkDigest } from './validate-descriptor.ts'
import {
  describeValue,
  isRecord,
  isStringList,
  type Findings,
  type ValidationCode,
} from './validate-finding.ts'

/** What the manifest's rules need of a config; undefined where it is unsound. */
export interface ConfigFacts {
  readonly platform: Platform | undefined
  /** Position by position; undefined where a diffID is unsound or its algorithm unknown. */
  readonly diffIds: readonly (Digest | undefined)[] | undefined
  /** Entries of the history that are a layer; undefined when there is no history. */
  readonly historyLayers: number | undefined
}

type JsonObject = Readonly<Record<string, unknown>>

// RFC 3339, section 5.6; the seconds may be a leap second.
const rfc3339 =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/
const signal = /^(?:SIG[A-Z0-9]+(?:[+-]\d+)?|[A-Z][A-Z0-9]*(?:[+-]\d+)?|\d{1,3})$/

export function checkConfig(config: JsonObject, where: string, findings: Findings): ConfigFacts {
  const add = (code: ValidationCode, message: string): void => findings.add(code, where, message)
  checkCreated(config['created'], 'created', add)
  for (const field of ['author', 'variant', 'os.version']) checkText(config, field, '', add)
  const features = config['os.features']
  if (features !== undefined && features !== null && !isStringList(features)) {
    add('OCB-VALIDATE-CONFIG', 'os.features is not a list of strings')
  }
  checkExecution(config['config'], add)
  return {
    platform: platformOf(config, add),
    diffIds: checkRootfs(config['rootfs'], where, findings),
    historyLayers: checkHistory(config['history'], add),
  }
}

type Add = (code: ValidationCode, message: string) => void

function platformOf(config: JsonObject, add: Add): Platform | undefined {
  const { os, architecture, variant } = config
  for (const [field, value] of Object.entries({ os, architecture })) {
    if (typeof value === 'string' && value !== '') continue
    add('OCB-VALIDATE-CONFIG', `${field} is ${describeValue(value)}; wanted a non-empty string`)
  }
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined
  const version = config['os.version']
  const features = config['os.features']
  return {
    os,
    architecture,
    variant: typeof variant === 'string' ? variant : undefined,
    'os.version': typeof version === 'string' ? version : undefined,
    'os.features': isStringList(features) ? features : undefined,
  }
}

function checkRootfs(
  rootfs: unknown,
  where: string,
  findings: Findings,
): readonly (Digest | undefined)[] | undefined {
  if (!isRecord(rootfs)) {
    findings.add('OCB-VALIDATE-CONFIG', where, `rootfs is ${describeValue(rootfs)}; wanted an object`)
    return undefined
  }
  if (rootfs['type'] !== 'layers') {
    const message = `rootfs.type is ${describeValue(rootfs['type'])}; wanted "layers"`
    findings.add('OCB-VALIDATE-CONFIG', where, message)
  }
  const diffIds: unknown = rootfs['diff_ids']
  if (!Array.isArray(diffIds)) {
    const message = `rootfs.diff_ids is ${describeValue(diffIds)}; wanted a list of digests`
    findings.add('OCB-VALIDATE-CONFIG', where, message)
    return undefined
  }
  return diffIds.map((value: unknown, i) => checkDigest(value, `${where} rootfs.diff_ids[${i}]`, findings))
}

function checkExecution(value: unknown, add: Add): void {
  // Docker writes null for what is not set, and every Go reader takes it as that.
  if (value === undefined || value === null) return
  if (!isRecord(value)) {
    add('OCB-VALIDATE-CONFIG', `config is ${describeValue(value)}; wanted an object`)
    return
  }
  for (const field of ['User', 'WorkingDir', 'StopSignal']) checkText(value, field, 'config.', add)
  for (const field of ['Entrypoint', 'Cmd']) {
    const list = value[field] ?? undefined
    if (list === undefined || isStringList(list)) continue
    add('OCB-VALIDATE-CONFIG', `config.${field} is ${describeValue(list)}; wanted a list of strings`)
  }
  const labels = value['Labels'] ?? undefined
  const labelsAreSound = isRecord(labels) && Object.values(labels).every((text) => typeof text === 'string')
  if (labels !== undefined && !labelsAreSound) {
    add('OCB-VALIDATE-CONFIG', 'config.Labels is not an object of strings')
  }
  checkEnv(value['Env'] ?? undefined, add)
  checkKeys(value['ExposedPorts'] ?? undefined, 'ExposedPorts', 'OCB-VALIDATE-PORTS', add, (key) =>
    isPort(key) ? undefined : 'wanted PORT, PORT/tcp or PORT/udp',
  )
  checkKeys(value['Volumes'] ?? undefined, 'Volumes', 'OCB-VALIDATE-VOLUMES', add, (key) =>
    key === '' ? 'wanted a path' : undefined,
  )
  const stop = value['StopSignal']
  if (typeof stop === 'string' && stop !== '' && !signal.test(stop)) {
    add(
      'OCB-VALIDATE-STOP-SIGNAL',
      `config.StopSignal is "${stop}"; wanted a name like SIGTERM or SIGRTMIN+3`,
    )
  }
}

function checkEnv(env: unknown, add: Add): void {
  if (env === undefined) return
  if (!Array.isArray(env)) {
    add('OCB-VALIDATE-ENV', `config.Env is ${describeValue(env)}; wanted a list of NAME=VALUE`)
    return
  }
  for (const [i, item] of env.entries()) {
    if (typeof item === 'string' && item.indexOf('=') > 0) continue
    add('OCB-VALIDATE-ENV', `config.Env[${i}] is ${describeValue(item)}; wanted NAME=VALUE`)
  }
}

/** A Go `map[string]struct{}`: the keys are the words, each value an object. */
function checkKeys(
  value: unknown,
  field: string,
  code: ValidationCode,
  add: Add,
  fault: (key: string) => string | undefined,
): void {
  if (value === undefined) return
  if (!isRecord(value)) {
    add(code, `config.${field} is ${describeValue(value)}; wanted an object`)
    return
  }
  for (const [key, item] of Object.entries(value)) {
    const wanted = fault(key)
    if (wanted !== undefined) add(code, `config.${field} has the key "${key}"; ${wanted}`)
    if (!isRecord(item)) add(code, `config.${field}["${key}"] is ${describeValue(item)}; wanted {}`)
  }
}

function isPort(text: string): boolean {
  // sctp is Docker's addition, written by real images and taken by all engines.
  const port = /^(\d{1,5})(?:\/(?:tcp|udp|sctp))?$/.exec(text)?.[1]
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535
}

function checkHistory(history: unknown, add: Add): number | undefined {
  if (history === undefined || history === null) return undefined
  if (!Array.isArray(history)) {
    add('OCB-VALIDATE-HISTORY', `history is ${describeValue(history)}; wanted a list`)
    return undefined
  }
  if (history.length === 0) return undefined
  let layers = 0
  for (const [i, entry] of history.entries()) {
    const place = `history[${i}]`
    if (!isRecord(entry)) {
      add('OCB-VALIDATE-HISTORY', `${place} is ${describeValue(entry)}; wanted an object`)
      continue
    }
    checkCreated(entry['created'], `${place}.created`, add)
    for (const field of ['created_by', 'author', 'comment']) {
      const text = entry[field]
      if (text === undefined || typeof text === 'string') continue
      add('OCB-VALIDATE-HISTORY', `${place}.${field} is ${describeValue(text)}; wanted a string`)
    }
    const empty = entry['empty_layer']
    if (empty !== undefined && typeof empty !== 'boolean') {
      add('OCB-VALIDATE-HISTORY', `${place}.empty_layer is ${describeValue(empty)}; wanted true or false`)
    }
    if (empty !== true) layers += 1
  }
  return layers
}

function checkCreated(value: unknown, field: string, add: Add): void {
  if (value === undefined || value === null) return
  if (typeof value === 'string' && isTime(value)) return
  add('OCB-VALIDATE-CREATED', `${field} is ${describeValue(value)}; wanted a time as RFC 3339 writes it`)
}

function isTime(text: string): boolean {
  if (!rfc3339.test(text)) return false
  // The pattern lets 31 days into every month.
  const [year, month, day] = text.slice(0, 10).split('-').map(Number)
  return day !== undefined && day <= new Date(Date.UTC(year ?? 0, month ?? 0, 0)).getUTCDate()
}

function checkText(object: JsonObject, field: string, prefix: string, add: Add): void {
  const value = object[field]
  if (value === undefined || value === null || typeof value === 'string') return
  add('OCB-VALIDATE-CONFIG', `${prefix}${field} is ${describeValue(value)}; wanted a string`)
}
