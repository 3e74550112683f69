/** Has a CommonJS file load what it imports when that is first used. */

/** Loaded by every start, and used so often that to ask first would be felt. */
const eager = new Set(['node:fs', 'node:path'])

/**
 * `code` as esbuild writes it: each import is a variable of its own, `import_node_zlib`, and every use names it. They
 * become functions. None of our files does anything when it is loaded, so one that nothing is used of is not.
 */
export function lazyRequires(code) {
  const found = code.matchAll(/^var (import_\w+) = ((?:__toESM\()?require\("([^"]+)"\).*);$/gm)
  let lazy = code.replaceAll(/^require\("\..*;$/gm, '')
  for (const [line, name, load, module] of found) {
    if (eager.has(module)) continue
    lazy = lazy
      .replace(line, '')
      .replaceAll(new RegExp(`\\bnew ${name}(?=\\.)`, 'g'), `new (${name}())`)
      .replaceAll(new RegExp(`(?<![\\w$.])${name}(?=\\.)`, 'g'), `${name}()`)
      .concat(`var ${name}_;\nfunction ${name}() {\n  return ${name}_ ??= ${load};\n}\n`)
  }
  return lazy
}
