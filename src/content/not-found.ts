/** The errors of stores that lack what was asked for. */

import { OciBuildError } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'

export function contentNotFound(target: Descriptor, where: string): OciBuildError {
  return new OciBuildError('OCB-CONTENT-NOT-FOUND', {
    message: `${where} does not hold ${target.digest} (${target.mediaType}, ${target.size} bytes)`,
    hint: 'build or fetch the image again; the copy at hand is not whole',
  })
}

/** `held`: the names that could have been asked for. */
export function referenceNotFound(reference: string, where: string, held: readonly string[]): OciBuildError {
  return new OciBuildError('OCB-REFERENCE-NOT-FOUND', {
    message: `${where} has no image "${reference}"; it has ${held.length === 0 ? 'no named image' : held.join(', ')}`,
    hint: held.length === 0 ? 'leave the ref name out, or give @DIGEST' : `name one of them, e.g. ${held[0]}`,
  })
}
