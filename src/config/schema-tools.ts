/** How the schema is written: objects that match their types key by key, words with a grammar, rules across fields. */

import * as v from 'valibot'
import { messageOf, OciBuildError } from '../errors.ts'
import { joinWords } from './describe-value.ts'

export type Schema<T> = v.GenericSchema<T>

/** One schema for each key of a type, no more and no fewer: the compiler keeps the two in step. */
type Shape<T> = {
  readonly [Key in keyof Required<T> as `x-${string}` extends Key ? never : Key]: Schema<T[Key]>
}

/** Tells of a fault at a path below the value that the rule was given. */
export type Report = (path: readonly (string | number)[], message: string) => void
export type Rule = (value: unknown, report: Report) => void

const rules = new WeakMap<object, Rule>()

/**
 * An object without other keys. Where several objects may stand in one place the first key of each, its verb,
 * tells them apart.
 */
export function object<T extends object>(shape: Shape<T>, rule?: Rule): Schema<T> {
  const entries: Record<string, v.GenericSchema> = { ...shape }
  const schema = v.strictObject(entries)
  if (rule) rules.set(schema, rule)
  // That the shape's output is T is what its type says; valibot's own inference cannot carry a generic T.
  return schema as unknown as Schema<T>
}

/** What must hold across the fields of an object that is right field by field. */
export function ruleOf(schema: object): Rule | undefined {
  return rules.get(schema)
}

/** Optional, `undefined` counting as absent. */
export function optional<T>(schema: Schema<T>): Schema<T | undefined> {
  return v.optional(schema)
}

export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return v.nullable(schema)
}

/** An array whose `undefined`, `null`, `false` and `''` members are dropped before the others are checked. */
export function list<T>(
  item: Schema<T>,
  rule?: Rule,
): Schema<readonly (T | undefined | null | false | '')[]> {
  const schema = v.array(item)
  if (rule) rules.set(schema, rule)
  return schema
}

export function record<T>(value: Schema<T>, rule?: Rule): Schema<Readonly<Record<string, T>>> {
  const schema = v.record(v.string(), value)
  if (rule) rules.set(schema, rule)
  return schema
}

/** A string of a grammar. `wanted` ends the sentence "found …, wanted …". */
export function text(wanted: string, test?: RegExp | ((value: string) => boolean)): Schema<string> {
  const schema = v.string(wanted)
  if (test === undefined) return schema
  const passes = typeof test === 'function' ? test : (value: string): boolean => test.test(value)
  return v.pipe(schema, v.check(passes, wanted))
}

/** A string that a parser must take; what the parser throws is the message. */
export function parsed(wanted: string, parse: (value: string) => unknown): Schema<string> {
  return v.pipe(
    v.string(wanted),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      try {
        parse(dataset.value)
      } catch (error) {
        const hint = error instanceof OciBuildError && error.hint !== undefined ? `; ${error.hint}` : ''
        addIssue({ message: `${messageOf(error)}${hint}` })
      }
    }),
  )
}

export function whole(wanted: string, min: number, max: number): Schema<number> {
  return v.pipe(v.number(wanted), v.integer(wanted), v.minValue(min, wanted), v.maxValue(max, wanted))
}

export function flag(): Schema<boolean> {
  return v.boolean('true or false')
}

export function oneOf<const Words extends readonly string[]>(words: Words): Schema<Words[number]> {
  return v.picklist(
    words,
    joinWords(
      words.map((word) => JSON.stringify(word)),
      'or',
    ),
  )
}

/** A rule that says where an array repeats itself. */
export function noRepeats(what: string): Rule {
  return (value, report) => {
    if (!Array.isArray(value)) return
    const seen = new Map<unknown, number>()
    for (const [index, item] of value.entries()) {
      if (!isPresent(item)) continue
      const first = seen.get(item)
      if (first === undefined) seen.set(item, index)
      else
        report(
          [index],
          `found the ${what} ${JSON.stringify(item)} a second time; it stands at [${first}] too`,
        )
    }
  }
}

/** Whether an array's member counts. */
export function isPresent<T>(item: T): item is Exclude<T, undefined | null | false | ''> {
  return item !== undefined && item !== null && item !== false && item !== ''
}

/** The members of an array that count. */
export function present<T>(
  items: readonly T[] | null | undefined,
): Exclude<T, undefined | null | false | ''>[] {
  return (items ?? []).filter((item) => isPresent(item))
}
