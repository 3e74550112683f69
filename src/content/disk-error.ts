/** What the disk says no with, as errors of the house. */

import { OciBuildError, systemErrorCode } from '../errors.ts'

/**
 * The error to throw for one that was caught while `path` was written: `OCB-DISK-FULL`, `OCB-FILE-DENIED`, or the
 * caught one itself.
 */
export function diskError(error: unknown, path: string): unknown {
  switch (systemErrorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new OciBuildError('OCB-DISK-FULL', {
        message: `no space left for ${path}; what was there before is untouched`,
        hint: 'free some space, or write to another disk',
        cause: error,
      })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new OciBuildError('OCB-FILE-DENIED', {
        message: `cannot write ${path}: permission denied or read-only`,
        hint: 'write to a folder that belongs to you',
        cause: error,
      })
    default:
      return error
  }
}
