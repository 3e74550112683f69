/** Walks a value along the schema and tells every fault: the object meant is picked by its verb, so no union's noise. */

import * as v from 'valibot'
import { describeValue, joinWords } from './describe-value.ts'
import type { Fault, Path } from './fault.ts'
import { nearest } from './nearest.ts'
import { isPresent, ruleOf } from './schema-tools.ts'
import { quoteForString } from './quote-hint.ts'

export interface WalkOptions {
  /** The text of a scalar as it stands in the file, where the format keeps it (`0644` for the number 644). */
  readonly sourceOf?: ((path: Path) => string | undefined) | undefined
}

/** Words of the contract that come in a later release. */
const laterWords = new Set(['budgets', 'users', 'format', 'xattrs', 'capabilities', 'lock'])

/** All faults of a value, in the order in which it is written. */
export function checkShape(
  schema: v.GenericSchema,
  value: unknown,
  path: Path,
  options: WalkOptions,
): Fault[] {
  const faults: Fault[] = []
  const walk = (schema: v.GenericSchema, value: unknown, path: Path): void => {
    const wrapped = memberSchema(schema, 'wrapped')
    if (wrapped) {
      const absent = value === undefined || (value === null && schema.type === 'nullable')
      if (!absent) walk(wrapped, value, path)
      return
    }
    const before = faults.length
    const entries = memberSchemas(schema, 'entries')
    const union = schema.type === 'union' ? memberList(schema, 'options') : []
    if (entries) walkObject(entries, value, path)
    else if (union.length > 0) walkUnion(union, value, path)
    else if (schema.type === 'array') walkArray(schema, value, path)
    else if (schema.type === 'record') walkRecord(schema, value, path)
    else checkLeaf(schema, value, path)
    if (faults.length > before) return
    ruleOf(schema)?.(value, (below, message) => faults.push({ path: [...path, ...below], message }))
  }

  const walkObject = (
    entries: Readonly<Record<string, v.GenericSchema>>,
    value: unknown,
    path: Path,
  ): void => {
    if (!isPlainObject(value)) {
      faults.push({ path, message: `found ${describeValue(value)}, wanted an object` })
      return
    }
    for (const [key, item] of Object.entries(value)) {
      const schema = Object.hasOwn(entries, key) ? entries[key] : undefined
      if (schema) walk(schema, item, [...path, key])
      else if (item !== undefined) faults.push(unknownKey(key, Object.keys(entries), path))
    }
    for (const [key, schema] of Object.entries(entries)) {
      if (schema.type === 'optional' || value[key] !== undefined) continue
      faults.push({ path, message: `"${key}" is missing; wanted ${wantedOf(schema)}` })
    }
  }

  const walkArray = (schema: v.GenericSchema, value: unknown, path: Path): void => {
    const item = memberSchema(schema, 'item')
    if (!Array.isArray(value)) {
      faults.push({ path, message: `found ${describeValue(value)}, wanted a list${listHint(value, path)}` })
      return
    }
    for (const [index, member] of value.entries()) {
      if (item && isPresent(member)) walk(item, member, [...path, index])
    }
  }

  const walkRecord = (schema: v.GenericSchema, value: unknown, path: Path): void => {
    const item = memberSchema(schema, 'value')
    if (!isPlainObject(value)) {
      faults.push({ path, message: `found ${describeValue(value)}, wanted an object of names and values` })
      return
    }
    for (const [key, member] of Object.entries(value)) {
      if (item && member !== undefined) walk(item, member, [...path, key])
    }
  }

  const walkUnion = (union: readonly v.GenericSchema[], value: unknown, path: Path): void => {
    if (isPlainObject(value)) {
      const objects = union.filter((option) => memberSchemas(option, 'entries'))
      if (objects.length === 1 && objects[0]) walk(objects[0], value, path)
      else if (objects.length > 1) walkVerb(objects, value, path)
      else faults.push({ path, message: `found ${describeValue(value)}, wanted ${wantedOfAll(union)}` })
      return
    }
    if (
      Array.isArray(value) &&
      union.some((option) => option.type === 'array' && faultsOf(option, []) === 0)
    ) {
      const schema = union.find((option) => option.type === 'array')
      if (schema) walk(schema, value, path)
      return
    }
    const fitting = union.find((option) => option.type === typeof value || faultsOf(option, value) === 0)
    if (fitting) walk(fitting, value, path)
    else {
      const strings = union.some((option) => option.type === 'string')
      const hint = strings
        ? quoteForString(value, path, wantedOfAll(union), options.sourceOf?.(path))
        : undefined
      faults.push({ path, message: `found ${describeValue(value)}, wanted ${hint ?? wantedOfAll(union)}` })
    }
  }

  const walkVerb = (objects: readonly v.GenericSchema[], value: object, path: Path): void => {
    const verbs = objects.map((option) => verbOf(option))
    const seen = verbs.filter((verb) => Object.hasOwn(value, verb) && Reflect.get(value, verb) !== undefined)
    const verb = seen[0]
    const schema = objects[verbs.indexOf(verb ?? '')]
    const fields = schema && memberSchemas(schema, 'entries')
    if (schema && fields) {
      const others = seen.filter((word) => word !== verb && !Object.hasOwn(fields, word))
      if (others.length === 0) walk(schema, value, path)
      else {
        const all = joinWords(
          [verb ?? '', ...others].map((word) => `"${word}"`),
          'and',
        )
        faults.push({
          path,
          message: `found ${all} in one entry; wanted one of them: write an entry for each`,
        })
      }
      return
    }
    const near = Object.keys(value)
      .map((key) => ({ key, verb: nearest(key, verbs) }))
      .find((pair) => pair.verb !== undefined)
    const kinds = verbs.includes('entries') ? 'a layer (entries) or an entry' : 'an entry'
    const words = joinWords(
      verbs.filter((word) => word !== 'entries'),
      'or',
    )
    const meant = near ? `; did you mean "${near.verb}" for "${near.key}"?` : ''
    faults.push({ path, message: `found ${describeValue(value)}, wanted ${kinds} with ${words}${meant}` })
  }

  const checkLeaf = (schema: v.GenericSchema, value: unknown, path: Path): void => {
    const issue = v.safeParse(schema, value, { abortEarly: true }).issues?.[0]
    if (issue === undefined) return
    if (issue.type === 'raw_check') {
      // Parsers of other rooms know later words too (`docker-daemon:`), and say so in the one phrase of the house.
      const later = issue.message.includes('in a later release')
      faults.push({ path, message: issue.message, later })
      return
    }
    const quoted =
      schema.type === 'string'
        ? quoteForString(value, path, issue.message, options.sourceOf?.(path))
        : undefined
    faults.push({ path, message: `found ${describeValue(value)}, wanted ${quoted ?? issue.message}` })
  }

  walk(schema, value, path)
  return faults
}

function faultsOf(schema: v.GenericSchema, value: unknown): number {
  return v.is(schema, value) ? 0 : 1
}

/** A string where a list is wanted: what was meant, command lines cut at their spaces. */
function listHint(value: unknown, path: Path): string {
  if (typeof value !== 'string' || value === '') return ''
  const isCommand = ['entrypoint', 'cmd'].includes(String(path.at(-1))) && /^[\w@%+=:,./ -]+$/.test(value)
  const words = isCommand ? value.trim().split(/ +/) : [value]
  return `: write [${words.map((word) => JSON.stringify(word)).join(', ')}]`
}

function unknownKey(key: string, known: readonly string[], path: Path): Fault {
  if (laterWords.has(key)) {
    const message = `"${key}" comes in a later release of ocibuild`
    return { path: [...path, key], message, atKey: true, later: true }
  }
  const near = nearest(key, known)
  const wanted = near ? `did you mean "${near}"?` : `wanted one of ${joinWords(known, 'or')}`
  return { path: [...path, key], message: `unknown key "${key}"; ${wanted}`, atKey: true }
}

/** What a value of the schema looks like, in words. */
function wantedOf(schema: v.GenericSchema): string {
  const options = memberList(schema, 'options')
  if (options.length > 0) return wantedOfAll(options)
  if (schema.type === 'array') return 'a list'
  if (schema.type === 'record' || schema.type === 'strict_object') return 'an object'
  const wrapped = memberSchema(schema, 'wrapped')
  if (wrapped) return wantedOf(wrapped)
  return v.safeParse(schema, Symbol('none')).issues?.[0]?.message ?? 'a value'
}

function wantedOfAll(union: readonly v.GenericSchema[]): string {
  return joinWords([...new Set(union.map((option) => wantedOf(option)))], 'or')
}

function verbOf(schema: v.GenericSchema): string {
  return Object.keys(memberSchemas(schema, 'entries') ?? {})[0] ?? ''
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// A schema is data too; its parts are looked at as such, since valibot's generic type does not name them.
function memberSchema(
  schema: v.GenericSchema,
  key: 'wrapped' | 'item' | 'value',
): v.GenericSchema | undefined {
  const part: unknown = Reflect.get(schema, key)
  return isSchema(part) ? part : undefined
}

function memberSchemas(
  schema: v.GenericSchema,
  key: 'entries',
): Readonly<Record<string, v.GenericSchema>> | undefined {
  const part: unknown = Reflect.get(schema, key)
  if (!isPlainObject(part)) return undefined
  const found: Record<string, v.GenericSchema> = {}
  for (const [name, item] of Object.entries(part)) if (isSchema(item)) found[name] = item
  return found
}

function memberList(schema: v.GenericSchema, key: 'options'): readonly v.GenericSchema[] {
  const part: unknown = Reflect.get(schema, key)
  return Array.isArray(part) ? part.filter((item): item is v.GenericSchema => isSchema(item)) : []
}

function isSchema(value: unknown): value is v.GenericSchema {
  return isPlainObject(value) && value['kind'] === 'schema'
}
