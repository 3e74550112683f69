/** Globs in `copy`: what they match on the host. */

import { join } from 'node:path'
import { compareBytes } from '../spec/json.ts'
import { neverCopiedGlobs } from './excluded-paths.ts'
import { statsIfPresent, unreadable, type TypeTeller } from './host-file.ts'

export interface GlobMatch {
  /** Below the glob's fixed part, with `/`. */
  readonly path: string
  readonly hostPath: string
  /** Tells the type; of a symlink itself, not of what it points at. */
  readonly stats: TypeTeller
}

/**
 * Splits a glob into the folder that it begins in and the rest: `dist` and `*.js` of `dist/*.js`. Names that exist
 * as they are written belong to the folder (`app/[slug]/*.js` where there is a folder `[slug]`).
 */
export function splitGlob(root: string, glob: string): { readonly fixed: string; readonly rest: string } {
  const names = glob.split('/')
  let count = 0
  while (count < names.length - 1) {
    const literal = !/[*?[{\\]/.test(names[count] ?? '')
    if (!literal && statsIfPresent(join(root, ...names.slice(0, count + 1))) === undefined) break
    count += 1
  }
  return { fixed: names.slice(0, count).join('/'), rest: names.slice(count).join('/') }
}

/**
 * All that a glob matches below a folder, each folder before what it holds, names in byte order. Symlinks are not
 * followed. Throws `OCB-COPY-UNREADABLE`.
 */
export async function matchGlob(folder: string, glob: string): Promise<readonly GlobMatch[]> {
  const { default: fastGlob } = await import('fast-glob')
  // A matched folder is taken with its tree, so what is deeper need not be looked at for these.
  const shallow = /^(?:\*\*\/)*\*{1,2}$/.test(glob) ? '*' : glob
  // A leading ! would turn the pattern round.
  const pattern = shallow.startsWith('!') ? `\\${shallow}` : shallow
  let entries
  try {
    entries = fastGlob.sync(pattern, {
      cwd: folder,
      dot: true,
      onlyFiles: false,
      followSymbolicLinks: false,
      extglob: false,
      objectMode: true,
      ignore: [...neverCopiedGlobs],
    })
  } catch (error) {
    throw unreadable(folder, error)
  }
  // Braces become plain paths, which fast-glob looks at through links.
  const trusted = !glob.includes('{')
  const matches: GlobMatch[] = []
  for (const { path, dirent } of entries) {
    const hostPath = join(folder, path)
    const stats = trusted && !dirent.isSymbolicLink() ? dirent : statsIfPresent(hostPath)
    if (stats !== undefined) matches.push({ path, hostPath, stats })
  }
  return matches.sort((a, b) => comparePaths(a.path, b.path))
}

/** Compares paths name by name as bytes, so that a folder comes right before what it holds. */
export function comparePaths(a: string, b: string): number {
  const left = a.split('/')
  const right = b.split('/')
  for (let index = 0; index < left.length && index < right.length; index += 1) {
    const order = compareBytes(left[index] ?? '', right[index] ?? '')
    if (order !== 0) return order
  }
  return left.length - right.length
}
