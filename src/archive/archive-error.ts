/** The errors of archives. */

import { OciBuildError } from '../errors.ts'

/** The tar itself is broken. */
export function damagedArchive(path: string, why: string): OciBuildError {
  return new OciBuildError('OCB-ARCHIVE-DAMAGED', {
    message: `cannot read the archive ${path}: ${why}`,
    hint: 'save or fetch it again',
  })
}

/** The tar is whole, but not the image that it was said to be. */
export function invalidArchive(path: string, why: string, hint?: string): OciBuildError {
  return new OciBuildError('OCB-ARCHIVE-INVALID', {
    message: `${path} is no image archive: ${why}`,
    hint: hint ?? 'name a file that docker save, podman save, skopeo or ocibuild wrote',
  })
}
