/** The package.json beside a config file. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, OciBuildError, systemErrorCode } from '../errors.ts'
import { isPlainObject } from './check-shape.ts'
import type { PackageJson } from './spec-types.ts'

/** Undefined where there is none. Throws `OCB-SPEC-PACKAGE-JSON` when it is no JSON object. */
export function readPackageJson(folder: string): PackageJson | undefined {
  const path = join(folder, 'package.json')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined
    throw unreadable(path, messageOf(error), error)
  }
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw unreadable(path, messageOf(error), error)
  }
  if (!isPlainObject(value)) throw unreadable(path, 'it holds no JSON object', undefined)
  const words: Record<string, unknown> = { ...value }
  // What is no string counts as absent: npm itself would refuse the file, and nothing here depends on it.
  for (const key of ['name', 'version', 'description', 'license', 'homepage']) {
    if (typeof words[key] !== 'string') delete words[key]
  }
  return words
}

/** The package's name without scope, lowered, as a repository; undefined when nothing usable is left. */
export function repositoryOfPackage(name: string | undefined): string | undefined {
  return name === undefined ? undefined : sanitiseName(name.replace(/^@[^/]*\//, ''))
}

/** Any name as a repository's component: lower case, other characters as `-`. */
export function sanitiseName(name: string): string | undefined {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/[._-]*[.][._-]*/g, '.')
    .replaceAll(/_{3,}/g, '__')
    .replaceAll(/[_-]*-[_-]*/g, '-')
    .replaceAll(/^[._-]+|[._-]+$/g, '')
  return plain === '' ? undefined : plain.slice(0, 200).replaceAll(/[._-]+$/g, '')
}

function unreadable(path: string, why: string, cause: unknown): OciBuildError {
  return new OciBuildError('OCB-SPEC-PACKAGE-JSON', {
    message: `cannot read ${path}: ${why}`,
    hint: 'repair package.json, or remove it',
    cause,
  })
}
