/** Modules that some distributions' Node.js reads from files instead of carrying them inside. */

import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Placement } from '../plan/placement.ts'
import { findHostFile, placeHostFile } from './place.ts'

/**
 * Debian and Fedora build Node.js as `libnode.so` with `--shared-builtin-…-path`: undici, acorn and others lie in
 * files, whose absolute paths stand in the library and nowhere else. Those that exist are placed at the same path.
 */
export function externalBuiltins(
  root: string,
  libraries: readonly { readonly realPath: string }[],
): Placement[] {
  return libraries
    .filter(({ realPath }) => basename(realPath).startsWith('libnode.so'))
    .flatMap(({ realPath }) => scriptPaths(readFileSync(realPath)))
    .flatMap((path) => {
      const hostPath = findHostFile(join(root, path))
      return hostPath === undefined ? [] : [placeHostFile(path, hostPath)]
    })
}

/** C strings in a binary that are an absolute path and end in `.js`, each once. */
function scriptPaths(binary: Buffer): readonly string[] {
  const paths = new Set<string>()
  const end = Buffer.from('.js\0')
  for (let at = binary.indexOf(end); at !== -1; at = binary.indexOf(end, at + 1)) {
    const start = binary.lastIndexOf(0, at) + 1
    // Sources that are embedded as text end in such words, too: a path is short and has no blanks.
    const text = at - start < 1024 ? binary.toString('latin1', start, at + 3) : ''
    if (/^\/[\w@%+./-]+$/.test(text) && !text.includes('/../')) paths.add(text)
  }
  return [...paths]
}
