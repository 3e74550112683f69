/** What relative paths in references are relative to. */

import { isAbsolute, relative, resolve } from 'node:path'
import type { Reference } from '../spec/reference.ts'

/** The reference with its path, which is relative to `folder`, as it is written from `cwd`; both are absolute. */
export function seenFrom(reference: Reference, folder: string, cwd: string): Reference {
  if (!('path' in reference) || reference.path === '-' || isAbsolute(reference.path)) return reference
  if (folder === cwd) return reference
  return { ...reference, path: relative(cwd, resolve(folder, reference.path)) || '.' }
}

/** The reference with an absolute path. */
export function absolutely(reference: Reference, folder: string): Reference {
  return 'path' in reference ? { ...reference, path: resolve(folder, reference.path) } : reference
}
