/** References to read from, as a spec and the command line write them. */

import { OciBuildError } from '../errors.ts'
import { parseReference } from '../spec/parse-reference.ts'
import type { Reference } from '../spec/reference.ts'

/** Throws `OCB-SPEC-REFERENCE`, and `OCB-SPEC-UNSUPPORTED` for another image of the same spec. */
export function parseSource(text: string): Reference {
  if (!text.startsWith('image:')) return parseReference(text, 'in')
  throw new OciBuildError('OCB-SPEC-UNSUPPORTED', {
    message: `"${text}": another image of the same spec as a base comes in a later release of ocibuild`,
    hint: 'build that image into a layout first and use oci:DIR',
  })
}
