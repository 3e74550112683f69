/** The words that settings of registries are written in, read from what a file holds; every fault at once. */

import type { Problem } from '../../errors.ts'

/** One host's settings as a user writes them; the config's schema has the same words. */
export interface RegistryWords {
  /** HOST[/PATH] prefixes that are asked first. Absent members (`undefined`, `false`, …) are dropped. */
  readonly mirrors?: readonly (string | undefined | null | false)[] | undefined
  /** Paths of PEM files, relative to the file that names them. */
  readonly ca?: string | undefined
  readonly clientCert?: string | undefined
  readonly clientKey?: string | undefined
  readonly insecure?: boolean | undefined
}

export type RegistriesWords = Readonly<Record<string, RegistryWords>>

const paths = ['ca', 'clientCert', 'clientKey'] as const
const keys: readonly string[] = ['mirrors', ...paths, 'insecure']
const host = String.raw`(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[a-fA-F0-9:]+\])(?::\d{1,5})?`
const hostGrammar = new RegExp(`^${host}$`)
const mirrorGrammar = new RegExp(`^${host}(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$`)

/**
 * Reads a map of hosts to settings, as it stands under `registries` of a spec and in the user's own file. `at` is the
 * path of the map in its document. Faults are added to `problems`; what is right is returned.
 */
export function readRegistriesWords(value: unknown, at: string, problems: Problem[]): RegistriesWords {
  if (value === undefined || value === null) return {}
  if (!isObject(value)) {
    problems.push({ path: at, message: `found ${describe(value)}, wanted a map of registry hosts` })
    return {}
  }
  const words: Record<string, RegistryWords> = {}
  for (const [name, settings] of Object.entries(value)) {
    const path = `${at}[${JSON.stringify(name)}]`
    if (!hostGrammar.test(name)) {
      problems.push({
        path,
        message: `found the host ${describe(name)}, wanted HOST[:PORT]${bareHost(name)}`,
      })
    } else words[name] = readWords(settings, path, problems)
  }
  return words
}

function readWords(value: unknown, at: string, problems: Problem[]): RegistryWords {
  if (value === undefined || value === null) return {}
  if (!isObject(value)) {
    problems.push({ path: at, message: `found ${describe(value)}, wanted ${keys.join(', ')}` })
    return {}
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) {
      problems.push({ path: `${at}.${key}`, message: `is not known; wanted one of ${keys.join(', ')}` })
    }
  }
  const words: { -readonly [Key in keyof RegistryWords]: RegistryWords[Key] } = {}
  for (const key of paths) {
    const path = value[key]
    if (path === undefined || path === null) continue
    if (typeof path === 'string' && path !== '') words[key] = path
    else
      problems.push({
        path: `${at}.${key}`,
        message: `found ${describe(path)}, wanted the path of a PEM file`,
      })
  }
  const { insecure } = value
  if (typeof insecure === 'boolean') words.insecure = insecure
  else if (insecure !== undefined && insecure !== null) {
    problems.push({ path: `${at}.insecure`, message: `found ${describe(insecure)}, wanted true or false` })
  }
  if (value['mirrors'] !== undefined && value['mirrors'] !== null) {
    words.mirrors = readMirrors(value['mirrors'], `${at}.mirrors`, problems)
  }
  if ((words.clientCert === undefined) !== (words.clientKey === undefined)) {
    const missing = words.clientCert === undefined ? 'clientCert' : 'clientKey'
    problems.push({ path: `${at}.${missing}`, message: 'is missing; clientCert and clientKey go together' })
  }
  return words
}

function readMirrors(value: unknown, at: string, problems: Problem[]): readonly string[] {
  if (!Array.isArray(value)) {
    problems.push({ path: at, message: `found ${describe(value)}, wanted a list of HOST[/PATH]` })
    return []
  }
  const members: readonly unknown[] = value
  const mirrors: string[] = []
  for (const [index, member] of members.entries()) {
    if (member === undefined || member === null || member === false || member === '') continue
    const text = typeof member === 'string' ? member.replace(/\/+$/, '') : ''
    if (mirrorGrammar.test(text)) mirrors.push(text)
    else {
      const path = `${at}[${index}]`
      problems.push({
        path,
        message: `found ${describe(member)}, wanted HOST[:PORT][/PATH]${bareHost(member)}`,
      })
    }
  }
  return mirrors
}

function bareHost(value: unknown): string {
  const bare = typeof value === 'string' ? /^https?:\/\/([^/]+)/.exec(value)?.[1] : undefined
  return bare === undefined ? '' : ` without a scheme: ${bare}`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return value === null ? 'nothing' : 'an object'
  const text = JSON.stringify(value) ?? typeof value
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
