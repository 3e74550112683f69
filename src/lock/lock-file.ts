/** `oci.lock` on disk. */

import { readFileSync } from 'node:fs'
import { writeFileAtomic } from '../content/atomic-file.ts'
import { findJsonFault } from '../config/json-fault.ts'
import { messageOf, OciBuildError, systemErrorCode } from '../errors.ts'
import { formatLock } from './format-lock.ts'
import { lockFileName, type Lock } from './lock.ts'
import { LockFault, parseLock } from './parse-lock.ts'

/**
 * Reads the lock; undefined where there is no file. Throws `OCB-LOCK-INVALID` with the position of what is damaged, and
 * for a lock of a newer version.
 */
export async function readLockFile(file: string): Promise<Lock | undefined> {
  let text: string
  try {
    text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw new OciBuildError('OCB-LOCK-INVALID', {
      message: `cannot read ${file}: ${systemErrorCode(error) ?? messageOf(error)}`,
      hint: 'make the file readable',
      cause: error,
    })
  }
  try {
    return parseLock(parseJson(text))
  } catch (error) {
    throw error instanceof LockFault ? await invalidLock(file, text, error) : error
  }
}

/** Writes the lock, atomically, where its text differs from what is there. Gives whether it did. */
export function writeLockFile(file: string, lock: Lock): boolean {
  const text = formatLock(lock)
  try {
    if (readFileSync(file, 'utf8') === text) return false
  } catch {
    // Missing or unreadable: written, or failing for a reason of its own.
  }
  writeFileAtomic(file, text)
  return true
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (/^(?:<{7}|={7}|>{7})/m.test(text)) throw new LockFault([], 'it has the marks of a git merge conflict')
    throw new LockFault([], `not JSON: ${messageOf(error)}`)
  }
}

async function invalidLock(file: string, text: string, fault: LockFault): Promise<OciBuildError> {
  const { line, column } = await positionOf(text, fault)
  const path = formatPath(fault)
  const at = path === '' ? '' : ` ${path}:`
  return new OciBuildError('OCB-LOCK-INVALID', {
    message: `${file}:${line}:${column} is not a lock that can be obeyed:${at} ${fault.message}`,
    hint: fault.newer
      ? `use the release of ocibuild that wrote ${lockFileName}, or write it anew with ocibuild lock`
      : `take ${lockFileName} from version control, or write it anew with ocibuild lock`,
    problems: [{ path, file, line, column, message: fault.message }],
    cause: fault,
  })
}

async function positionOf(text: string, { at }: LockFault): Promise<{ line: number; column: number }> {
  if (isJson(text)) {
    const { parseYaml } = await import('../config/source-positions.ts')
    return parseYaml(text).positionOf(at) ?? { line: 1, column: 1 }
  }
  const before = text.slice(0, findJsonFault(text)).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function formatPath({ at }: LockFault): string {
  return at
    .map((key, index) => (/^\w+$/.test(key) ? `${index === 0 ? '' : '.'}${key}` : `["${key}"]`))
    .join('')
}
