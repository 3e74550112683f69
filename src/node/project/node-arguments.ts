/** The arguments of `node`: which of them is the program, and what is loaded before it. */

export interface NodeArguments {
  /** As it is written; undefined where none is named. */
  readonly entry: string | undefined
  /** Modules of `--require`, `--import` and `--loader`. */
  readonly preloads: readonly string[]
  /** Files that must be there: `--env-file`. */
  readonly envFiles: readonly string[]
}

/** Options of Node.js whose value is a word of its own. */
const preloading = new Set(['-r', '--require', '--import', '--loader', '--experimental-loader'])
const valued = new Set([...preloading, '--env-file', '--env-file-if-exists', '-C', '--conditions', '--title'])
const noProgram = new Set(['-e', '--eval', '-p', '--print', '-pe', '-i', '--interactive', '--test', '--run'])

/** Reads the words after `node` (nodejs.org/api/cli). */
export function parseNodeArguments(words: readonly string[]): NodeArguments {
  const preloads: string[] = []
  const envFiles: string[] = []
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? ''
    if (word === '--') return { entry: words[index + 1], preloads, envFiles }
    if (!word.startsWith('-') || word === '-') return { entry: word, preloads, envFiles }
    const equals = word.indexOf('=')
    const option = equals === -1 ? word : word.slice(0, equals)
    if (noProgram.has(option)) break
    const takesNext = equals === -1 && valued.has(option)
    if (takesNext) index += 1
    const value = takesNext ? words[index] : equals === -1 ? undefined : word.slice(equals + 1)
    if (value !== undefined && preloading.has(option)) preloads.push(value)
    if (value !== undefined && option === '--env-file') envFiles.push(value)
  }
  return { entry: undefined, preloads, envFiles }
}

/** The package of a module that is named as a package: `dotenv` of `dotenv/config`; undefined for paths and builtins. */
export function packageOf(specifier: string): string | undefined {
  if (/^[./]|^node:|^[a-z]+:\/\/|^data:/.test(specifier)) return undefined
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0]
}
