/** A script of package.json as words, where it needs no shell: the one command that it runs, and its variables. */

export interface ScriptWords {
  readonly env: Readonly<Record<string, string>>
  /** The program and its arguments. */
  readonly words: readonly string[]
}

/** Why a script is more than one command: `"&&" needs a shell`. */
export interface NeedsShell {
  readonly why: string
}

const assignment = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s

/** Programs that only set variables, or only replace the shell, before the one that they are given. */
const wrappers: ReadonlySet<string> = new Set(['cross-env', 'env', 'exec'])

/** Reads what `sh -c` would run, as far as it is one command whose words stand as they are written. */
export function parseScript(script: string): ScriptWords | NeedsShell {
  const split = splitWords(script)
  if ('why' in split) return split
  const env: Record<string, string> = {}
  let rest = split.words
  for (;;) {
    const [word = '', ...after] = rest
    const [, name, value] = assignment.exec(word) ?? []
    if (name !== undefined && value !== undefined) env[name] = value
    else if (!wrappers.has(word) || after.length === 0) break
    rest = after
  }
  return rest.length === 0 ? { why: 'it runs no command' } : { env, words: rest }
}

/**
 * The script that a command of a package manager runs: `build` of `npm run build`; undefined for every other command.
 * Arguments after the name are not followed.
 */
export function scriptRunBy(words: readonly string[]): string | undefined {
  const [program = '', first, second, ...more] = words
  if (!/^(?:npm|pnpm|yarn|bun)$/.test(program) || first === undefined) return undefined
  if (first === 'run' || first === 'run-script') return more.length === 0 ? second : undefined
  return second === undefined && (first === 'start' || program !== 'npm') ? first : undefined
}

const operators = new Set(['&', '|', ';', '<', '>', '(', ')', '\n'])

function splitWords(text: string): { readonly words: readonly string[] } | NeedsShell {
  const words: string[] = []
  let word = ''
  let open = false
  let quote = ''
  const characters = Array.from(text.trim())
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? ''
    if (quote !== '' && character === quote) quote = ''
    else if (quote === "'") word += character
    else if (character === '$' || character === '`')
      return { why: `${JSON.stringify(character)} needs a shell` }
    else if (character === '\\') {
      index += 1
      word += characters[index] ?? ''
      open = true
    } else if (quote !== '') word += character
    else if (character === '"' || character === "'") {
      quote = character
      open = true
    } else if (operators.has(character)) {
      const twice = characters[index + 1] === character ? character : ''
      return { why: `${JSON.stringify(character + twice)} needs a shell` }
    } else if (/[*?[{~#]/.test(character) && (character !== '~' || word === '')) {
      return { why: `${JSON.stringify(character)} needs a shell` }
    } else if (/\s/.test(character)) {
      if (open || word !== '') words.push(word)
      word = ''
      open = false
    } else word += character
  }
  if (quote !== '') return { why: `a ${quote} is not closed` }
  if (open || word !== '') words.push(word)
  return { words }
}
