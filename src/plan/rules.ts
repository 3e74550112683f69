/** Ordered patterns of which the last that matches decides: ignore files, include and exclude. */

export interface Rule {
  /** For messages and `plan`: `.dockerignore:3 "dist"`. */
  readonly label: string
  /** `!pattern`: takes back what an earlier one matched. */
  readonly negated: boolean
  /** Tells of a path (with `/`, neither leading nor trailing) as a whole. */
  readonly regex: RegExp
  /** The leading names without wildcards: `src/lib` of `src/lib/*.js`. */
  readonly fixed: string
  /** How many names deep it can match: `Infinity` with `**`. */
  readonly depth: number
}

/** Per rule, 1 when a directory or one of its parents matched: a pattern that matches a directory holds for its tree. */
export type Matched = Uint8Array

/** The position of the last rule that holds for a path, -1 when none does. */
export function lastMatch(rules: readonly Rule[], path: string, parent: Matched | undefined): number {
  for (let index = rules.length - 1; index >= 0; index -= 1) {
    if (parent?.[index] === 1 || rules[index]?.regex.test(path) === true) return index
  }
  return -1
}

/** Every rule that holds for a directory. */
export function allMatches(rules: readonly Rule[], path: string, parent: Matched | undefined): Matched {
  const matched = new Uint8Array(rules.length)
  for (const [index, rule] of rules.entries()) {
    if (parent?.[index] === 1 || rule.regex.test(path)) matched[index] = 1
  }
  return matched
}

/** What holds for everything below a directory because of the directory and its parents; undefined for the root. */
export function matchesOf(rules: readonly Rule[], directory: string): Matched | undefined {
  if (directory === '') return undefined
  const slash = directory.lastIndexOf('/')
  const parent = matchesOf(rules, slash === -1 ? '' : directory.slice(0, slash))
  return allMatches(rules, directory, parent)
}

/** Whether a rule could match something below a directory. */
export function mayMatchBelow(rule: Rule, directory: string): boolean {
  const { fixed, depth } = rule
  if (directory === '') return true
  if (depth !== Infinity && directory.split('/').length >= depth) return false
  return (
    fixed === '' ||
    fixed === directory ||
    fixed.startsWith(`${directory}/`) ||
    directory.startsWith(`${fixed}/`)
  )
}

/** Whether a rule after position `last` that says the opposite could match below a directory. */
export function mayChangeBelow(rules: readonly Rule[], last: number, directory: string): boolean {
  const negated = rules[last]?.negated ?? true
  for (let index = last + 1; index < rules.length; index += 1) {
    const rule = rules[index]
    if (rule !== undefined && rule.negated !== negated && mayMatchBelow(rule, directory)) return true
  }
  return false
}
