/**
 * Ignore files in Docker's syntax (Docker's build reference, ".dockerignore file"): anchored at the root, `*`, `?`,
 * `[]`, `**`, `!` to take back, `#` comments; the last pattern that matches decides; a matched folder is its tree.
 */

import { posix } from 'node:path'
import { OciBuildError, messageOf } from '../errors.ts'
import type { Rule } from './rules.ts'

/** Compiles the text of an ignore file; `file` is its name, for labels. Throws `OCB-COPY-IGNORE-FILE`. */
export function parseIgnoreFile(text: string, file: string): readonly Rule[] {
  const rules: Rule[] = []
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    if (line.startsWith('#')) continue
    const shown = line.trim()
    const negated = shown.startsWith('!')
    const pattern = cleanPattern(negated ? shown.slice(1).trim() : shown)
    // `.` is ignored by Docker "for historical reasons"; a lone `/` names nothing either.
    if (pattern === undefined) {
      if (negated && shown.slice(1).trim() === '')
        throw invalid(file, index + 1, shown, 'it takes back nothing')
      continue
    }
    const label = `${file}:${index + 1} "${shown}"`
    let regex: RegExp
    try {
      regex = new RegExp(`^${translate(pattern)}$`, 'su')
    } catch (error) {
      throw invalid(file, index + 1, shown, messageOf(error))
    }
    rules.push({ label, negated, regex, ...reachOf(pattern) })
  }
  return rules
}

/** The pattern without `./`, leading and trailing `/`, `..` folded; undefined when it names nothing. */
function cleanPattern(text: string): string | undefined {
  if (text === '') return undefined
  const clean = posix.normalize(text).replace(/^\/+/, '').replace(/\/+$/, '')
  return clean === '' || clean === '.' ? undefined : clean
}

/** Go's filepath.Match with `**` for any number of folders, as a regular expression. */
function translate(pattern: string): string {
  let regex = ''
  const characters = Array.from(pattern)
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? ''
    if (character === '*' && characters[index + 1] === '*') {
      while (characters[index + 1] === '*') index += 1
      if (characters[index + 1] === '/') index += 1
      regex += index + 1 === characters.length ? '.*' : '(?:.*/)?'
    } else if (character === '*') {
      regex += '[^/]*'
    } else if (character === '?') {
      regex += '[^/]'
    } else if (character === '[') {
      const end = classEnd(characters, index)
      if (end === -1) throw new Error('a [ without ]')
      regex += translateClass(characters.slice(index + 1, end))
      index = end
    } else if (character === '\\') {
      index += 1
      const escaped = characters[index]
      if (escaped === undefined) throw new Error('it ends in \\')
      regex += quote(escaped)
    } else {
      regex += quote(character)
    }
  }
  return regex
}

/** Where a character class ends; its first character may be `]` only when escaped. */
function classEnd(characters: readonly string[], start: number): number {
  for (let index = start + 1; index < characters.length; index += 1) {
    if (characters[index] === '\\') index += 1
    else if (characters[index] === ']') return index
  }
  return -1
}

/** `[a-z]`, `[^a-z]`: never a `/`. */
function translateClass(inner: readonly string[]): string {
  const negated = inner[0] === '^'
  const members = (negated ? inner.slice(1) : inner)
    .join('')
    .replaceAll(
      /\\(.)|([[\]&~|(){}^$.*+?/])/gsu,
      (_, escaped: string | undefined, plain: string | undefined) => quote(escaped ?? plain ?? '', true),
    )
  if (members === '') throw new Error('an empty []')
  return negated ? `[^/${members}]` : `(?!/)[${members}]`
}

function quote(character: string, inClass = false): string {
  if (inClass) return /[\\\]^-]/.test(character) ? `\\${character}` : character === '[' ? '\\[' : character
  return /[.*+?^${}()|[\]\\/]/.test(character) ? `\\${character}` : character
}

function reachOf(pattern: string): Pick<Rule, 'fixed' | 'depth'> {
  const names = pattern.split('/')
  const wild = names.findIndex((name) => /[*?[\\]/.test(name))
  return {
    fixed: names.slice(0, wild === -1 ? names.length : wild).join('/'),
    depth: pattern.includes('**') ? Infinity : names.length,
  }
}

function invalid(file: string, line: number, pattern: string, why: string): OciBuildError {
  return new OciBuildError('OCB-COPY-IGNORE-FILE', {
    message: `${file}:${line} "${pattern}" is not a pattern: ${why}`,
    hint: "use Docker's syntax: *, **, ?, [a-z], and ! to take back",
  })
}
