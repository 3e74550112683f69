/** Folders that the user names. */

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { OciBuildError } from '../errors.ts'

/** A DIR begins with `.` or `/`, on Windows also with a drive or a backslash; all else is a name. */
export function looksLikeDir(word: string): boolean {
  return /^(?:[./\\]|[A-Za-z]:[\\/])/.test(word)
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** The absolute path of a folder that was typed, relative to `cwd`. Throws `OCB-USAGE-DIR`. */
export function existingDir(dir: string, cwd: string): string {
  const path = resolve(cwd, dir)
  if (isFolder(path)) return path
  throw new OciBuildError('OCB-USAGE-DIR', {
    message: `${dir} is not a folder (${path})`,
    hint: 'name a folder that exists; a config file is named with -c FILE',
  })
}
