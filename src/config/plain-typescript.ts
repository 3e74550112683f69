/** Runs a TypeScript file that is JavaScript as it stands: most configs are, and a compiler takes longer than a build. */

import { createRequire } from 'node:module'
import { Script } from 'node:vm'

/** What the file may import, by specifier. */
export type Importable = Readonly<Record<string, Readonly<Record<string, unknown>>>>

const imports = /^import\s+(\{[^{}]*\}|[\w$]+)\s+from\s+(['"])([\w:./-]+)\2\s*;?\s*$/
/** Between imports: nothing, or a comment. */
const skipped = /^(?:\s+|\/\/.*|\/\*[^]*?\*\/)*/

/**
 * Words that only a module has, or CommonJS; and a `<` that might open type arguments: `f<T>(x)` is JavaScript too, and
 * another thing.
 */
const beyond =
  /\b(?:import|require|module|exports|__dirname|__filename)\b|[\w$)\]]<|[\w$)\]]\s+<[^=;]*>\s*[(`]/

/**
 * A function that runs `source`, a file of the folder or URL `path`, and gives its default export. undefined: it takes
 * more than this, by its syntax, or by what it imports: `importable` and Node.js's own modules.
 */
export function plainTypeScript(
  source: string,
  path: string,
  importable: Importable,
): (() => Promise<unknown>) | undefined {
  const code = asFunction(source, importable)
  if (code === undefined) return undefined
  let run: unknown
  try {
    run = new Script(code, { filename: path, columnOffset: -opening.length }).runInThisContext()
  } catch {
    return undefined
  }
  if (typeof run !== 'function') return undefined
  const load = (specifier: string): unknown => importable[specifier] ?? createRequire(path)(specifier)
  return async () => {
    const exported: { value?: unknown } = {}
    await Reflect.apply(run, undefined, [load, exported])
    return exported.value
  }
}

// On the file's first line, so that errors name its lines.
const opening = `(async function (ocibuildLoad, ocibuildExported) { 'use strict'; `

/** The same text, its lines where they were, as a function of what loads and what takes the export. */
function asFunction(source: string, importable: Importable): string | undefined {
  let head = ''
  let rest = source
  for (;;) {
    const [space = ''] = skipped.exec(rest) ?? []
    head += space
    rest = rest.slice(space.length)
    if (!rest.startsWith('import')) break
    const statement = /^import[^'"]*(['"])[^'"]*\1[^\n]*/.exec(rest)?.[0] ?? ''
    const binding = bindingOf(statement, importable)
    if (binding === undefined) return undefined
    head += binding
    rest = rest.slice(statement.length)
  }
  // What is commented out says nothing.
  const words = rest.replaceAll(/^[ \t]*\/\/.*/gm, (comment) => ' '.repeat(comment.length))
  const exported = [...words.matchAll(/\bexport\b/g)]
  const before = rest.slice(0, exported[0]?.index)
  const value = /^export\s+default\s+(?!(?:async\s+)?(?:function|class)\b)/.exec(
    rest.slice(before.length),
  )?.[0]
  if (exported.length !== 1 || value === undefined || beyond.test(words)) return undefined
  if (before !== '' && !before.endsWith('\n')) return undefined
  const lines = value.replaceAll(/[^\n]/g, '')
  return `${opening}${head}${before}ocibuildExported.value = ${lines}${rest.slice(before.length + value.length)}\n})`
}

/** An import as a declaration; undefined for one that only a compiler knows, or of what is not there. */
function bindingOf(statement: string, importable: Importable): string | undefined {
  const [, names = '', , specifier = ''] = imports.exec(statement) ?? []
  const known = importable[specifier]
  if (known === undefined && !specifier.startsWith('node:')) return undefined
  const declaration = `${names.replaceAll(/\bas\b/g, ':')} = ocibuildLoad(${JSON.stringify(specifier)});`
  if (!names.startsWith('{')) return known === undefined ? `const ${declaration}` : undefined
  const words = names
    .slice(1, -1)
    .split(',')
    .map((word) => word.trim().split(/\s/)[0] ?? '')
  const lacks = (word: string): boolean =>
    word === 'default' || (known !== undefined && !Object.hasOwn(known, word))
  return words.some((word) => word !== '' && lacks(word)) ? undefined : `const ${declaration}`
}
