/** `${env.X}` and its kin in strings of YAML and JSON specs, and in `content` with `template: true` anywhere. */

import type { Platform } from '../spec/platform.ts'
import { isPlainObject } from './check-shape.ts'
import type { Fault, Path } from './fault.ts'
import { nearest } from './nearest.ts'

/** What `${…}` may name. */
export interface Variables {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly args: Readonly<Record<string, string | undefined>>
  readonly git: Readonly<Record<string, string | boolean | undefined>>
  readonly package: { readonly name?: string | undefined; readonly version?: string | undefined }
  /** Only in layers. */
  readonly platform?: Platform | undefined
}

export type Scope = 'strings' | 'templates'

const gitNames = ['commit', 'shortCommit', 'branch', 'branchSlug', 'tag', 'version', 'dirty']
const platformNames = ['os', 'architecture', 'variant']

/**
 * A copy of the value with its variables filled in: in all strings (`strings`; `content` only beside
 * `template: true`), or in such a `content` alone (`templates`: specs that are programs). Faults are added to
 * `faults`, and the string stays as it was.
 */
export function interpolate(
  value: unknown,
  scope: Scope,
  variables: Variables,
  faults: Fault[],
  path: Path,
): unknown {
  if (typeof value === 'string') return scope === 'strings' ? fill(value, variables, faults, path) : value
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => interpolate(item, scope, variables, faults, [...path, index]))
  }
  if (!isPlainObject(value)) return value
  const isEntry = path.includes('layers')
  return Object.fromEntries(
    defined(value).map(([key, item]) => {
      const below = [...path, key]
      if (isEntry && key === 'content' && typeof item === 'string') {
        return [key, value['template'] === true ? fill(item, variables, faults, below) : item]
      }
      return [key, interpolate(item, scope, variables, faults, below)]
    }),
  )
}

/** `{ append: undefined }` is no append entry: what is undefined is not there. */
function defined(value: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== undefined)
}

function fill(text: string, variables: Variables, faults: Fault[], path: Path): string {
  if (!text.includes('${')) return text
  return text.replaceAll(/\$\$\{|\$\{([^}]*)(\}?)/g, (match, inside: string | undefined, end: string) => {
    if (inside === undefined) return '${'
    const result = end === '' ? { fault: `"${match}" is not closed with "}"` } : evaluate(inside, variables)
    if ('value' in result) return result.value
    faults.push({ path, message: `${result.fault}; write $\${ for a literal \${` })
    return match
  })
}

function evaluate(
  inside: string,
  variables: Variables,
): { readonly value: string } | { readonly fault: string } {
  const cut = inside.indexOf(':-')
  const name = cut === -1 ? inside : inside.slice(0, cut)
  const found = lookUp(name, variables)
  if ('fault' in found) return found
  if (cut !== -1) return { value: found.value ? found.value : inside.slice(cut + 2) }
  if (found.value !== undefined) return { value: found.value }
  return { fault: `\${${name}} is not set and has no default: set it, or write \${${name}:-default}` }
}

function lookUp(
  name: string,
  variables: Variables,
): { readonly value: string | undefined } | { readonly fault: string } {
  const dot = name.indexOf('.')
  const group = name.slice(0, dot)
  const key = name.slice(dot + 1)
  if (dot > 0 && key !== '') {
    if (group === 'env') return { value: variables.env[key] }
    if (group === 'args')
      return { value: Object.hasOwn(variables.args, key) ? variables.args[key] : undefined }
    if (group === 'git' && gitNames.includes(key)) {
      const value = variables.git[key]
      return { value: value === undefined ? undefined : String(value) }
    }
    if (group === 'package' && key === 'name') return { value: variables.package.name }
    if (group === 'package' && key === 'version') return { value: variables.package.version }
    if (group === 'platform' && platformNames.includes(key)) return ofPlatform(key, variables.platform)
  }
  const known = [
    'env.NAME',
    'args.NAME',
    ...gitNames.map((word) => `git.${word}`),
    'package.name',
    'package.version',
    ...platformNames.map((word) => `platform.${word}`),
  ]
  const near = nearest(name, known)
  const help = near
    ? `did you mean \${${near}}?`
    : 'known are env.NAME, args.NAME, git.…, package.name, package.version and, in layers, platform.…'
  return { fault: `unknown variable \${${name}}; ${help}` }
}

function ofPlatform(
  key: string,
  platform: Platform | undefined,
): { readonly value: string | undefined } | { readonly fault: string } {
  if (platform === undefined) return { fault: `\${platform.${key}} has a value in layers only` }
  if (key === 'os') return { value: platform.os }
  if (key === 'architecture') return { value: platform.architecture }
  // A platform without variant has an empty one: an error would make the variable useless beside others.
  return { value: platform.variant ?? '' }
}
