/** Which ignore file speaks for a copy, and which of its patterns. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemErrorCode } from '../errors.ts'
import { unreadable } from './host-file.ts'
import { parseIgnoreFile } from './ignore-rules.ts'
import type { Rule } from './rules.ts'

/**
 * The patterns for a copy from `root`: `.ociignore`'s; where there is none and the root itself is copied,
 * `.dockerignore`'s, which was written for a builder that sends the whole root. Throws `OCB-COPY-IGNORE-FILE`.
 */
export function readIgnoreRules(root: string, copiesRoot: boolean): readonly Rule[] {
  return readRules(root, '.ociignore') ?? (copiesRoot ? readRules(root, '.dockerignore') : undefined) ?? []
}

/** Without the patterns that hide `path` as a whole: a path named outright is never ignored. */
export function rulesForNamed(rules: readonly Rule[], path: string): readonly Rule[] {
  const names = path === '' ? [] : path.split('/')
  const parents = names.map((_, index) => names.slice(0, index + 1).join('/'))
  return rules.filter((rule) => rule.negated || !parents.some((parent) => rule.regex.test(parent)))
}

function readRules(root: string, name: string): readonly Rule[] | undefined {
  const path = join(root, name)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'EISDIR') return undefined
    throw unreadable(path, error)
  }
  return parseIgnoreFile(text, name)
}
