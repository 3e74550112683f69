/** The files that a config is made of: itself and what it imports by a relative path. */

import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** More than any config has; one that imports a whole project is not followed to its ends. */
const maxFiles = 200
const endings = ['', '.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json', '/index.ts', '/index.js']

/** Absolute paths, the config's own first. What is not written as a plain string is not found. */
export function configFiles(file: string): readonly string[] {
  const found = new Set([file])
  // The set grows while it is walked.
  for (const path of found) {
    if (!/\.[cm]?[jt]s$/.test(path) || found.size >= maxFiles) continue
    for (const name of importsOf(path)) {
      const target = resolve(dirname(path), name)
      // `./x.js` is how TypeScript writes `./x.ts`.
      const candidates = [
        ...endings.map((ending) => target + ending),
        target.replace(/\.([cm]?)js$/, '.$1ts'),
      ]
      const there = candidates.find((one) => statSync(one, { throwIfNoEntry: false })?.isFile() === true)
      if (there !== undefined) found.add(there)
    }
  }
  return Array.from(found)
}

function importsOf(path: string): readonly string[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return []
  }
  const words = text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])(\.{1,2}\/[^'"\n]+)\1/g)
  return Array.from(words, ([, , name = '']) => name)
}
