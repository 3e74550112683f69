/** Errors about lockfiles: what in them cannot become a layer, and what to do. */

import { OciBuildError } from '../../errors.ts'

/** `node: { dependencies: 'lockfile' }` cannot be had for this project. */
export function unsupported(message: string, hint: string): OciBuildError {
  return new OciBuildError('OCB-NODE-LOCKFILE-UNSUPPORTED', { message, hint })
}

/** The step that always works. */
export const installInstead = "install them, and leave out node.dependencies: 'lockfile'"

export function unreadableLockfile(path: string, why: string, cause?: unknown): OciBuildError {
  return new OciBuildError('OCB-NODE-LOCKFILE-UNREADABLE', {
    message: `cannot read ${path}: ${why}`,
    hint: 'repair it, or write it again with your package manager',
    cause,
  })
}
