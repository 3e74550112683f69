/** The schema's image config, registries and node section. */

import * as v from 'valibot'
import * as words from './schema-words.ts'
import {
  flag,
  list,
  noRepeats,
  nullable,
  object,
  oneOf,
  optional,
  record,
  text,
  whole,
  type Report,
  type Schema,
} from './schema-tools.ts'
import type * as types from './spec-types.ts'

const clearable = <T>(schema: Schema<T>): Schema<T | null | undefined> => optional(nullable(schema))
const argv = clearable(list(words.string))
const userWords = 'a user like 1000, "1000:1000" or "node"'
const duration = optional(words.duration)

export const envEditSchema: Schema<types.EnvEdit> = object<types.EnvEdit>({
  prepend: optional(words.string),
  append: optional(words.string),
})

export const healthcheckSchema: Schema<types.HealthcheckWords> = object<types.HealthcheckWords>(
  {
    test: list(words.string),
    interval: duration,
    timeout: duration,
    startPeriod: duration,
    startInterval: duration,
    retries: optional(whole('a whole number', 0, 1_000_000)),
  },
  checkHealthTest,
)

export const configSchema: Schema<types.ConfigWords> = object<types.ConfigWords>({
  entrypoint: argv,
  cmd: argv,
  env: clearable(record(nullable(v.union([words.string, envEditSchema])), checkEnvNames)),
  workingDir: clearable(
    text('an absolute image path like "/app"', (value) => value === '' || value.startsWith('/')),
  ),
  user: clearable(
    v.union([text(userWords, /^(?:[^:\s]+(?::[^:\s]+)?)?$/), whole(userWords, 0, 4_294_967_294)]),
  ),
  exposedPorts: clearable(list(words.port, noRepeats('port'))),
  volumes: clearable(list(words.imagePath, noRepeats('volume'))),
  labels: clearable(record(nullable(words.string), checkKeys)),
  stopSignal: clearable(text('a signal like "SIGTERM" or "15"', /^(?:(?:SIG)?[A-Z][A-Z0-9+-]*|\d{1,2})?$/)),
  healthcheck: clearable(healthcheckSchema),
  author: clearable(words.string),
})

export const annotationsSchema: Schema<Readonly<Record<string, string | null>>> = record(
  nullable(words.string),
  checkKeys,
)

export const registrySchema: Schema<types.RegistryWords> = object<types.RegistryWords>({
  mirrors: optional(list(words.filled)),
  ca: optional(words.hostPath),
  clientCert: optional(words.hostPath),
  clientKey: optional(words.hostPath),
  insecure: optional(flag()),
})

export const nodeSchema: Schema<types.NodeWords> = object<types.NodeWords>({
  package: optional(words.filled),
  entry: optional(words.hostPath),
  dependencies: optional(oneOf(['installed', 'lockfile'])),
  include: optional(words.globs),
  exclude: optional(words.globs),
  allow: optional(words.hostPaths),
  writable: optional(list(words.imagePath)),
  workingDir: optional(words.imagePath),
  init: optional(flag()),
})

function checkEnvNames(value: unknown, report: Report): void {
  for (const key of Object.keys(value ?? {})) {
    if (key === '' || key.includes('=') || key.includes('\0')) {
      report(
        [key],
        `found the variable name ${JSON.stringify(key)}, wanted a name that is not empty, without "="`,
      )
    }
  }
}

function checkKeys(value: unknown, report: Report): void {
  if (Object.hasOwn(Object(value), '')) report([''], 'found an empty key')
}

function checkHealthTest(value: unknown, report: Report): void {
  const test: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'test') : undefined
  if (!Array.isArray(test)) return
  const [kind, ...rest]: unknown[] = test.filter((item) => item !== '' && item !== null && item !== undefined)
  if (kind === 'NONE' ? rest.length === 0 : (kind === 'CMD' || kind === 'CMD-SHELL') && rest.length > 0)
    return
  report(
    ['test'],
    `found ${JSON.stringify(test)}, wanted ["CMD", program, arguments…], ["CMD-SHELL", command] or ["NONE"]`,
  )
}
