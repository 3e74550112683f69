/** `include` and `exclude`: globs relative to the copied folder. */

import picomatch from 'picomatch'
import { OciBuildError, messageOf } from '../errors.ts'
import type { Rule } from './rules.ts'

const special = /[*?[\]{}\\]/

/** Whether a text has characters that mean something in a glob. */
export function isGlob(text: string): boolean {
  return /[*?[{]/.test(text)
}

/**
 * Compiles globs: `*`, `**`, `?`, `[]`, `{}`, dot files match, case-sensitive; `!glob` takes back what an earlier
 * one matched. `key` is `include` or `exclude`, for labels. Throws `OCB-SPEC-GLOB`.
 */
export function compileGlobs(globs: readonly string[], key: string, at: string): readonly Rule[] {
  return globs.map((text) => {
    const negated = text.startsWith('!')
    const glob = normaliseGlob(negated ? text.slice(1) : text)
    return { label: `${key} "${text}"`, negated, regex: compileGlob(glob, `${at}.${key}`), ...reachOf(glob) }
  })
}

/** One glob over whole paths. */
export function compileGlob(glob: string, at: string): RegExp {
  try {
    return picomatch.makeRe(glob, { dot: true, nonegate: true, noextglob: true })
  } catch (error) {
    throw new OciBuildError('OCB-SPEC-GLOB', {
      message: `${at} ${JSON.stringify(glob.slice(0, 200))} is not a glob: ${messageOf(error)}`,
      hint: 'use *, **, ?, [] and {}',
      cause: error,
    })
  }
}

/** Without `./`, `/` before and after: all stand for the same tree. */
function normaliseGlob(glob: string): string {
  const trimmed = glob.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '')
  return trimmed === '.' || trimmed === '' ? '**' : trimmed
}

/** How far below the folder a glob can match. */
function reachOf(glob: string): Pick<Rule, 'fixed' | 'depth'> {
  const names = glob.split('/')
  const wild = names.findIndex((name) => special.test(name))
  const deep = glob.includes('**') || /\{[^}]*\/|\[[^\]]*\//.test(glob)
  return {
    fixed: names.slice(0, wild === -1 ? names.length : wild).join('/'),
    depth: deep ? Infinity : names.length,
  }
}
