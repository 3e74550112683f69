/** Writes `schemas/oci.config.schema.json` from the schema in the code: `npx jiti scripts/write-schema.ts`. */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { compressionObjectSchema } from '../src/config/schema-words.ts'
import { entrySchemas, layerSchema } from '../src/config/schema-entries.ts'
import {
  configSchema,
  envEditSchema,
  healthcheckSchema,
  nodeSchema,
  registrySchema,
} from '../src/config/schema-image.ts'
import { buildSpecSchema, imageWordsSchema, multiSpecSchema } from '../src/config/schema.ts'

/** By the names of their types, whose docs describe their fields. */
const definitions: Readonly<Record<string, v.GenericSchema>> = {
  BuildSpec: buildSpecSchema,
  MultiSpec: multiSpecSchema,
  ImageWords: imageWordsSchema,
  LayerWords: layerSchema,
  ...entrySchemas,
  CompressionObject: compressionObjectSchema,
  ConfigWords: configSchema,
  EnvEdit: envEditSchema,
  HealthcheckWords: healthcheckSchema,
  RegistryWords: registrySchema,
  NodeWords: nodeSchema,
}
const typeFiles = ['../src/config/spec-types.ts', '../src/config/entry-types.ts']

type Json = Readonly<Record<string, unknown>>

/** The schema's text, as it stands in the file. Throws when a field has no doc. */
export function makeSchemaText(): string {
  const docs = readDocs()
  const converted: unknown = toJsonSchema(v.union([buildSpecSchema, multiSpecSchema]), {
    definitions,
    // Grammars are checked by ocibuild itself: `${…}` may stand for any part of a string.
    errorMode: 'ignore',
    overrideSchema: ({ valibotSchema }) => (valibotSchema.type === 'custom' ? { not: {} } : undefined),
  })
  const found = memberOf(tidy(converted), '$defs')
  const described: Record<string, unknown> = {}
  for (const name of Object.keys(definitions)) {
    const definition = memberOf(found, name)
    described[name] = describe(definition, docs.get(name === 'ImageWords' ? 'BuildSpec' : name), name)
  }
  const several = { anyOf: [{ required: ['images'] }, { required: ['defaults'] }] }
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'ocibuild config file',
    description: 'A build spec of ocibuild: one image, or several under "images".',
    type: 'object',
    if: several,
    // oxlint-disable-next-line unicorn/no-thenable -- JSON schema's own word
    then: { $ref: '#/$defs/MultiSpec' },
    else: { $ref: '#/$defs/BuildSpec' },
    $defs: described,
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

/** Interface name → field → doc. */
function readDocs(): Map<string, Map<string, string>> {
  const docs = new Map<string, Map<string, string>>()
  for (const file of typeFiles) {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8')
    for (const [, name = '', body = ''] of text.matchAll(/^export interface (\w+) \{\n(.*?)^\}/gms)) {
      const fields = new Map<string, string>()
      for (const [, doc = '', key = ''] of body.matchAll(/\/\*\* (.*?) \*\/\s+readonly (\w+)\??:/gs)) {
        fields.set(key, doc.replaceAll(/\s*\n\s*\* ?/g, ' '))
      }
      docs.set(name, fields)
    }
  }
  return docs
}

function describe(definition: Json, docs: ReadonlyMap<string, string> | undefined, name: string): Json {
  const properties: Record<string, unknown> = {}
  for (const [key, property] of Object.entries(memberOf(definition, 'properties'))) {
    const description = docs?.get(key)
    if (description === undefined) throw new Error(`${name}.${key} has no doc`)
    const shape = isObject(property) ? property : {}
    // Draft 7 reads nothing beside a $ref.
    properties[key] = { description, ...('$ref' in shape ? { allOf: [shape] } : shape) }
  }
  const isTop = name === 'BuildSpec' || name === 'MultiSpec'
  return {
    ...definition,
    properties: isTop ? { $schema: { type: 'string' }, ...properties } : properties,
    ...(isTop ? { patternProperties: { '^x-': {} } } : {}),
  }
}

/** Drops what JSON cannot hold (functions), and lets arrays have the members that are dropped. */
function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => tidy(item))
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, tidy(item)])
  const node: Record<string, unknown> = Object.fromEntries(entries)
  const { anyOf, ...rest } = node
  if (node['type'] === 'array' && isObject(node['items'])) node['items'] = withDropped(node['items'])
  if (!Array.isArray(anyOf)) return node
  const kept: unknown[] = anyOf.filter((option) => !isObject(option) || option['not'] === undefined)
  const [first] = kept
  return kept.length === 1 && isObject(first) ? { ...rest, ...first } : { ...rest, anyOf: kept }
}

function withDropped(items: Json): Json {
  const options = Array.isArray(items['anyOf']) ? items['anyOf'] : [items]
  return { anyOf: [...options, { enum: [null, false, ''] }] }
}

function memberOf(value: unknown, key: string): Json {
  const found: unknown = isObject(value) ? value[key] : undefined
  if (!isObject(found)) throw new Error(`wanted an object at ${key}`)
  return found
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const target = fileURLToPath(new URL('../schemas/oci.config.schema.json', import.meta.url))
if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, makeSchemaText())
