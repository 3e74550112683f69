/** The one definition of a spec: its types are checked against it, specs are checked by it, the JSON schema is made of it. */

import * as v from 'valibot'
import { isRepositoryName } from './grammar.ts'
import { layersSchema } from './schema-entries.ts'
import { annotationsSchema, configSchema, nodeSchema, registrySchema } from './schema-image.ts'
import {
  flag,
  list,
  noRepeats,
  nullable,
  object,
  oneOf,
  optional,
  parsed,
  record,
  type Schema,
} from './schema-tools.ts'
import * as words from './schema-words.ts'
import type { BuildSpec, ImageWords, MultiSpec } from './spec-types.ts'

const prepare = optional(list(words.filled))
const registries = optional(nullable(record(registrySchema)))

export const buildSpecSchema: Schema<BuildSpec> = object<BuildSpec>({
  name: optional(parsed('a repository like "team/app"', checkName)),
  tags: optional(list(words.tag, noRepeats('tag'))),
  base: optional(words.reference),
  platforms: optional(list(words.platform, noRepeats('platform'))),
  root: optional(words.hostPath),
  prepare,
  layers: optional(layersSchema),
  config: optional(nullable(configSchema)),
  annotations: optional(nullable(annotationsSchema)),
  metadata: optional(oneOf(['auto', 'package', 'none'])),
  created: optional(words.created),
  compression: optional(words.compressions),
  index: optional(flag()),
  formatVersion: optional(v.literal(1, 'the number 1')),
  registries,
  outputs: optional(list(words.output, noRepeats('output'))),
  node: optional(v.union([v.literal(true, 'true or an object'), nodeSchema])),
})

/** An image of several, by itself: every key may be null, and what it lacks comes from `defaults`. */
export const imageWordsSchema: Schema<ImageWords> = nullableKeys(buildSpecSchema)

export const multiSpecSchema: Schema<MultiSpec> = object<MultiSpec>({
  images: record(imageWordsSchema),
  prepare,
  defaults: optional(buildSpecSchema),
  registries,
})

function nullableKeys(schema: Schema<BuildSpec>): Schema<ImageWords> {
  const entries: Record<string, v.GenericSchema> = {}
  if (!('entries' in schema) || typeof schema.entries !== 'object') return schema
  for (const [key, value] of Object.entries(schema.entries ?? {}))
    entries[key] = v.optional(v.nullable(value))
  return v.strictObject(entries)
}

function checkName(value: string): void {
  if (isRepositoryName(value)) return
  const tag = /^(.+[^/]):([\w][\w.-]*)$/.exec(value)
  if (tag?.[1] !== undefined && isRepositoryName(tag[1])) {
    throw new Error(
      `found "${value}", wanted a repository without tag: write "${tag[1]}" and put "${tag[2]}" in tags`,
    )
  }
  const lowered = value.toLowerCase()
  const better = lowered !== value && isRepositoryName(lowered) ? `: "${lowered}"` : ', like "team/app"'
  throw new Error(`found "${value}", wanted a repository in lower case, without tag and digest${better}`)
}
