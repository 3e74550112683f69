/** The grammars of single words: modes, times, durations, ports, names and tags; and what they mean. */

import { OciBuildError } from '../errors.ts'
import type { Compression, ModeSpec, MtimeSpec } from './resolved-spec.ts'

/** Up to 7777, which is all that a tar holds; a zero before it is a habit. */
export const modePattern: RegExp = /^0?[0-7]{1,4}$/
/** distribution-spec v1.1.1, Pulling manifests: `<reference>` as a tag. */
export const tagPattern: RegExp = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
export const sha256Pattern: RegExp = /^(?:sha256:)?[a-fA-F0-9]{64}$/
export const portPattern: RegExp = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/
export const ownerPattern: RegExp = /^[^:\s/]+(?::[^:\s/]+)?$/

/** The largest time that 33 bits, the width of a ustar header's field, hold. */
export const maxSeconds = 8_589_934_591

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const hostPart = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\\[[0-9a-fA-F:]+\\])(?::\\d+)?'
const namePattern = new RegExp(`^(?:(?:${hostPart})/)?${component}(?:/${component})*$`)

/** Whether a text is a repository's name, with or without a host, without tag and digest. */
export function isRepositoryName(value: string): boolean {
  return value.length <= 255 && namePattern.test(value)
}

/** Whether an image path is absolute and stays below the root. */
export function isImagePath(value: string): boolean {
  return value.startsWith('/') && !value.includes('\0') && !value.split('/').includes('..')
}

export function parseMode(value: string): ModeSpec
export function parseMode(value: string | undefined): ModeSpec | undefined
export function parseMode(value: string | undefined): ModeSpec | undefined {
  if (value === undefined || value === 'preserve') return value
  return Number.parseInt(value, 8)
}

/** Octal digits alone; `preserve` has no meaning where no host file stands behind. */
export function parseFixedMode(value: string | undefined): number | undefined {
  return value === undefined ? undefined : Number.parseInt(value, 8)
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

/** Seconds since the epoch of an RFC 3339 time, fractions cut off; undefined when it is none, or lies before 1970. */
export function parseTime(value: string): number | undefined {
  if (!rfc3339.test(value)) return undefined
  // The engine rolls the 30th of February over into March.
  const [year = 0, month = 0, day = 0] = value.slice(0, 10).split('-').map(Number)
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined
  const milliseconds = Date.parse(value.replace(' ', 'T').toUpperCase())
  return Number.isNaN(milliseconds) || milliseconds < 0 ? undefined : Math.floor(milliseconds / 1000)
}

export function isTimeWord(words: readonly string[]): (value: string) => boolean {
  return (value) => words.includes(value) || parseTime(value) !== undefined
}

export function parseMtime(value: string | number | undefined): MtimeSpec {
  if (value === undefined || value === 'content') return 'content'
  if (value === 'epoch' || value === 'preserve') return value
  return typeof value === 'number' ? value : (parseTime(value) ?? 'content')
}

const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

/** Nanoseconds of a duration as Go writes them (`1m30s`, `500ms`); undefined when it is none. */
export function parseDuration(value: string): number | undefined {
  if (value === '0') return 0
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(value)) return undefined
  let sum = 0
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    sum += Number(amount) * (nanoseconds[unit ?? ''] ?? 0)
  }
  return Math.round(sum)
}

/** `3000/tcp`. */
export function formatPort(value: number | string): string {
  const text = String(value)
  return text.includes('/') ? text : `${text}/tcp`
}

export function isPort(value: string): boolean {
  const port = Number(portPattern.exec(value)?.[1] ?? 0)
  return port >= 1 && port <= 65_535
}

type OneCompression = string | { readonly type: string; readonly level?: number | undefined }

/**
 * Parses one compression, or a list of gzip and zstd in any order (as text with a comma between): gzip with its twin.
 * Throws `OCB-SPEC-COMPRESSION`.
 */
export function parseCompressions(value: OneCompression | readonly OneCompression[]): Compression {
  const words = typeof value === 'string' ? value.split(',') : 'length' in value ? value : [value]
  const [first, second, ...more] = words.map((word) => parseCompression(word))
  if (first === undefined) return parseCompression('gzip')
  if (second === undefined) return first
  const pair = [first, second]
  const gzip = pair.find((one) => one.type === 'gzip')
  const twin = pair.find((one) => one.type === 'zstd')
  if (gzip && twin && more.length === 0) return { ...gzip, twin }
  throw new OciBuildError('OCB-SPEC-COMPRESSION', {
    message: `found ${JSON.stringify(value)}, wanted one compression, or gzip and zstd for an index with both`,
    hint: 'write it like ["gzip", "zstd"], on the command line gzip,zstd',
  })
}

/** `none`, `gzip:5`, `gzip:5,zstd:3`: what `parseCompressions` reads. */
export function formatCompressions(compression: Compression): string {
  if (compression.type === 'none') return 'none'
  const text = `${compression.type}:${compression.level}`
  const twin = compression.type === 'gzip' ? compression.twin : undefined
  return twin === undefined ? text : `${text},${twin.type}:${twin.level}`
}

/** Parses `TYPE[:LEVEL]` or `{ type, level }`. Throws `OCB-SPEC-COMPRESSION`. */
export function parseCompression(
  value: string | { readonly type: string; readonly level?: number | undefined },
): Compression {
  const [type = '', digits] = typeof value === 'string' ? value.split(':') : [value.type]
  const level = typeof value === 'string' ? (digits === undefined ? undefined : Number(digits)) : value.level
  const extra = typeof value === 'string' && (value.split(':').length > 2 || digits === '')
  const inRange = (max: number): boolean =>
    level === undefined || (Number.isInteger(level) && level >= 1 && level <= max)
  if (!extra && type === 'gzip' && inRange(9)) return { type, level: level ?? 5 }
  if (!extra && type === 'zstd' && inRange(19)) return { type, level: level ?? 3 }
  if (!extra && type === 'none' && level === undefined) return { type }
  throw new OciBuildError('OCB-SPEC-COMPRESSION', {
    message: `found ${JSON.stringify(value)}, wanted gzip (levels 1 to 9), zstd (1 to 19) or none`,
    hint: 'write it like gzip, gzip:9, zstd:3 or none',
  })
}
