/** What a 401 asks for: the WWW-Authenticate header (RFC 9110, section 11.6.1). */

export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const scheme = new RegExp(`^(${token})(?=[ \\t,]|$)[ \\t]*`)
const parameter = new RegExp(`^(${token})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|([^",\\s]+))[ \\t]*`)
/** A header longer than this is not looked at further. */
const maxLength = 8192

/** All challenges of one or more headers, in their order; parsing ends where the text is malformed. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  let rest = header.slice(0, maxLength)
  for (;;) {
    rest = rest.replace(/^[ \t,]+/, '')
    if (rest === '') return challenges
    const pair = parameter.exec(rest)
    const current = challenges.at(-1)
    if (pair !== null && current !== undefined) {
      const [whole, name = '', quoted, bare] = pair
      current.parameters[name.toLowerCase()] ??= quoted?.replace(/\\(.)/g, '$1') ?? bare ?? ''
      rest = rest.slice(whole.length)
      continue
    }
    const begin = scheme.exec(rest)
    if (begin === null) return challenges
    challenges.push({ scheme: (begin[1] ?? '').toLowerCase(), parameters: {} })
    rest = rest.slice(begin[0].length)
  }
}
