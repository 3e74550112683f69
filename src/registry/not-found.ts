/** The error of a repository that lacks a tag or digest. */

import { OciBuildError } from '../errors.ts'
import { isDigest } from '../spec/digest.ts'
import type { RegistryError } from './registry-error.ts'

/** An `OCB-REFERENCE-NOT-FOUND`; `cause` is the 404, and tells whether the repository itself is missing. */
export function tagNotFound(where: string, reference: string, cause: RegistryError): OciBuildError {
  const what = isDigest(reference) ? reference : `the tag "${reference}"`
  const noRepository = cause.names('NAME_UNKNOWN')
  return new OciBuildError('OCB-REFERENCE-NOT-FOUND', {
    message: noRepository ? `there is no repository ${where}` : `${where} has not ${what}`,
    hint: noRepository ? 'check the name' : `look at what it has: ocibuild tags ${where}`,
    cause,
  })
}
