/** The schema's words: what a single string or number of a spec may be. */

import * as v from 'valibot'
import { parsePlatform } from '../spec/platform.ts'
import { parseReference } from '../spec/parse-reference.ts'
import { parseSource } from './parse-source.ts'
import {
  isImagePath,
  isPort,
  isTimeWord,
  maxSeconds,
  modePattern,
  ownerPattern,
  parseCompression,
  parseCompressions,
  parseDuration,
  sha256Pattern,
  tagPattern,
} from './grammar.ts'
import {
  isPresent,
  list,
  noRepeats,
  object,
  oneOf,
  optional,
  parsed,
  text,
  whole,
  type Report,
  type Schema,
} from './schema-tools.ts'
import type { CompressionObject, CompressionWords, List } from './spec-types.ts'

export const string: Schema<string> = text('a string')
export const filled: Schema<string> = text('a string that is not empty', (value) => value !== '')
export const hostPath: Schema<string> = text('a path', (value) => value !== '' && !value.includes('\0'))
export const hostPaths: Schema<List<string>> = list(hostPath)
export const globs: Schema<List<string>> = list(text('a glob', (value) => value !== ''))

export const imagePath: Schema<string> = parsed('an absolute image path like "/app"', checkImagePath)
export const octalMode: Schema<string> = text('a mode as a string of octal digits, like "0644"', modePattern)
export const anyMode: Schema<string> = text(
  'a mode as a string of octal digits, like "0644", or "preserve"',
  (value) => value === 'preserve' || modePattern.test(value),
)
const ownerWords = 'an owner like 1000, "1000:1000" or "node:node"'
export const owner: Schema<string | number> = v.union([
  text(ownerWords, ownerPattern),
  whole(ownerWords, 0, 4_294_967_294),
])
const timeWords = 'an RFC 3339 time like "2024-01-31T12:00:00Z", or whole seconds since 1970'
const mtimeWords = `"content", "epoch", "preserve", ${timeWords}`
export const mtime: Schema<string | number> = v.union([
  text(mtimeWords, isTimeWord(['content', 'epoch', 'preserve'])),
  whole(mtimeWords, 0, maxSeconds),
])
const createdWords = `"git", "epoch", ${timeWords}`
export const created: Schema<string | number> = v.union([
  text(createdWords, isTimeWord(['git', 'epoch'])),
  whole(createdWords, 0, maxSeconds),
])
export const sha256: Schema<string> = text('a sha256 of 64 hex digits', sha256Pattern)
export const url: Schema<string> = text('an http or https URL', isHttpUrl)
export const duration: Schema<string> = text(
  'a duration like "30s", "1m30s" or "500ms"',
  (value) => parseDuration(value) !== undefined,
)
const portWords = 'a port from 1 to 65535, like 3000, "3000/tcp" or "53/udp"'
export const port: Schema<number | string> = v.union([whole(portWords, 1, 65_535), text(portWords, isPort)])
export const tag: Schema<string> = text(
  'a tag: up to 128 letters, digits, "_", "." and "-", not beginning with "." or "-"',
  tagPattern,
)
export const reference: Schema<string> = parsed('a reference like "node:22-slim" or "oci:DIR"', parseSource)
export const output: Schema<string> = parsed('an output like "oci:dist/image" or "registry"', (value) =>
  parseReference(value, 'out'),
)
export const platform: Schema<string> = parsed('a platform like "linux/amd64"', (value) => {
  if (parsePlatform(value).os === 'windows')
    throw new Error(`found "${value}"; windows images cannot be built yet`)
})
/** Platforms that something is only for. */
export const onlyPlatforms: Schema<List<string> | undefined> = optional(list(platform, noRepeats('platform')))

export const compressionObjectSchema: Schema<CompressionObject> = object<CompressionObject>(
  {
    type: oneOf(['gzip', 'zstd', 'none']),
    level: optional(whole('a level: 1 to 9 for gzip, 1 to 19 for zstd', 1, 19)),
  },
  checkLevel,
)

/** Of a layer; levels are checked with their type. */
export const compression: Schema<CompressionWords> = v.union([
  parsed('a compression like "gzip", "gzip:9", "zstd" or "none"', parseCompression),
  compressionObjectSchema,
])

/** Of the spec: also gzip and zstd together. */
export const compressions: Schema<CompressionWords | List<CompressionWords>> = v.union([
  parsed('a compression like "gzip", "gzip:9", "zstd" or "none"', parseCompressions),
  compressionObjectSchema,
  list(compression, checkPair),
])

function checkPair(value: unknown, report: Report): void {
  if (!Array.isArray(value)) return
  const types = value.filter((item) => isPresent(item)).map((item: unknown) => typeOf(item))
  if (types.length < 2 || types.toSorted().join(' ') === 'gzip zstd') return
  report([], `found ${types.join(' and ')}, wanted gzip and zstd, or one compression`)
}

function typeOf(word: unknown): string {
  if (typeof word === 'string') return word.replace(/:.*/, '')
  return typeof word === 'object' && word !== null && 'type' in word ? String(word.type) : ''
}

function checkLevel(value: unknown, report: Report): void {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('level' in value)) return
  const { type, level } = value
  if (typeof level !== 'number') return
  if (type === 'gzip' && level > 9) report(['level'], `found the number ${level}, wanted 1 to 9 for gzip`)
  if (type === 'none') report(['level'], 'found a level, wanted none for the type "none"')
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol)
}

function checkImagePath(value: string): void {
  if (isImagePath(value)) return
  const better = `/${value.replace(/^(?:\.?\/)+/, '')}`
  const hint =
    isImagePath(better) && value !== '' ? `: write ${JSON.stringify(better)}` : ' without "..", like "/app"'
  throw new Error(`found ${JSON.stringify(value)}, wanted an absolute image path${hint}`)
}
