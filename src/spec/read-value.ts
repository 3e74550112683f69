/** Small readers that turn JSON of others into typed values, naming the place in the document that is wrong. */

import { OciBuildError, messageOf } from '../errors.ts'

/** The largest document that is parsed, in bytes (distribution-spec v1.1.1, Pushing Manifests, asks for at least this). */
export const maxDocumentBytes: number = 4 * 1024 * 1024
/** Real documents nest some ten deep; what is encoded again later is walked by recursion. */
const maxDepth = 100

export type JsonObject = Readonly<Record<string, unknown>>

/** An `OCB-DOCUMENT-INVALID`: `at` is the path in the document, `manifest.layers[0].size`. */
export function invalidDocument(at: string, message: string, cause?: unknown): OciBuildError {
  return new OciBuildError('OCB-DOCUMENT-INVALID', {
    message: `${at}: ${message}`,
    hint: 'build or fetch the image again; what is stored does not follow image-spec',
    cause,
  })
}

/**
 * Decodes a document: UTF-8 JSON of at most 4 MiB and a hundred levels. A value that is not bytes is returned as it is.
 * Throws `OCB-DOCUMENT-INVALID`, `OCB-DOCUMENT-TOO-LARGE`.
 */
export function decodeDocument(input: unknown, at: string): unknown {
  if (!(input instanceof Uint8Array)) return input
  if (input.length > maxDocumentBytes) throw documentTooLarge(at, input.length)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(input))
  } catch (error) {
    throw invalidDocument(at, `not JSON: ${messageOf(error).slice(0, 200)}`, error)
  }
  checkDepth(value, at)
  return value
}

export function documentTooLarge(what: string, size: number): OciBuildError {
  return new OciBuildError('OCB-DOCUMENT-TOO-LARGE', {
    message: `${what} has ${size} bytes; a document may have at most ${maxDocumentBytes}`,
    hint: 'check that the reference names an image',
  })
}

function checkDepth(root: unknown, at: string): void {
  let level: unknown[] = [root]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw invalidDocument(at, `nested deeper than ${maxDepth} levels`)
    const next: unknown[] = []
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue
      for (const child of Object.values(value)) if (typeof child === 'object') next.push(child)
    }
    level = next
  }
}

export function readObject(value: unknown, at: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(at, value, 'an object')
  return Object.fromEntries(Object.entries(value))
}

export function readString(value: unknown, at: string): string {
  if (typeof value !== 'string') throw wrong(at, value, 'a string')
  return value
}

export function readBoolean(value: unknown, at: string): boolean {
  if (typeof value !== 'boolean') throw wrong(at, value, 'true or false')
  return value
}

/** An integer that JavaScript holds exactly. */
export function readInteger(value: unknown, at: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrong(at, value, 'a whole number')
  return value
}

/** A number of bytes. */
export function readSize(value: unknown, at: string): number {
  const size = readInteger(value, at)
  if (size < 0) throw wrong(at, value, 'a number of bytes, 0 or more')
  return size
}

type Read<T> = (value: unknown, at: string) => T

export function readList<T>(value: unknown, at: string, read: Read<T>): readonly T[] {
  if (!Array.isArray(value)) throw wrong(at, value, 'a list')
  return value.map((item: unknown, position) => read(item, `${at}[${position}]`))
}

export function readMap<T>(value: unknown, at: string, read: Read<T>): Readonly<Record<string, T>> {
  const members = Object.entries(readObject(value, at))
  return Object.fromEntries(members.map(([key, item]) => [key, read(item, `${at}[${JSON.stringify(key)}]`)]))
}

export function readStrings(value: unknown, at: string): readonly string[] {
  return readList(value, at, readString)
}

export function readStringMap(value: unknown, at: string): Readonly<Record<string, string>> {
  return readMap(value, at, readString)
}

/**
 * The members of an object that are there, each read by its reader. `null` counts as absent: writers in Go put it
 * in the place of empty lists and maps.
 */
export function readMembers<Readers extends Readonly<Record<string, Read<unknown>>>>(
  object: JsonObject,
  at: string,
  readers: Readers,
): { readonly [Key in keyof Readers]?: ReturnType<Readers[Key]> } {
  const members: { -readonly [Key in keyof Readers]?: ReturnType<Readers[Key]> } = {}
  for (const key in readers) {
    const value = object[key]
    if (value === undefined || value === null) continue
    const read: Read<unknown> = readers[key] ?? readString
    Object.assign(members, { [key]: read(value, `${at}.${key}`) })
  }
  return members
}

function wrong(at: string, value: unknown, wanted: string): OciBuildError {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value)
  return invalidDocument(at, `found ${text.length > 80 ? `${text.slice(0, 80)}…` : text}, wanted ${wanted}`)
}
