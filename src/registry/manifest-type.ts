/** The media type of a manifest that came without one. */

import { OciBuildError } from '../errors.ts'
import { isIndexType, isManifestType, mediaTypes, type MediaType } from '../spec/media-type.ts'
import { decodeDocument, readObject } from '../spec/read-value.ts'

/**
 * What the document itself says, else what its members show (image-spec v1.1.1 manifest.md, mediaType, lets writers
 * leave it out). `what` is for messages. Throws `OCB-REGISTRY-MANIFEST-INVALID`, `OCB-DOCUMENT-INVALID`.
 */
export function manifestTypeOf(bytes: Uint8Array, what: string): MediaType {
  const object = readObject(decodeDocument(bytes, what), what)
  if (object['schemaVersion'] === 1) throw unsupported(what, 'a manifest of Docker schema 1')
  const mediaType = object['mediaType']
  if (typeof mediaType === 'string' && (isIndexType(mediaType) || isManifestType(mediaType))) return mediaType
  if (typeof mediaType === 'string' && mediaType !== '')
    throw unsupported(what, `of type "${mediaType.slice(0, 100)}"`)
  if (Array.isArray(object['manifests'])) return mediaTypes.index
  if (Array.isArray(object['layers'])) return mediaTypes.manifest
  throw unsupported(what, 'JSON of some other kind')
}

function unsupported(what: string, seen: string): OciBuildError {
  return new OciBuildError('OCB-REGISTRY-MANIFEST-INVALID', {
    message: `${what} is ${seen}, wanted an OCI or Docker schema 2 manifest or index`,
    hint: 'push the image again with a newer tool, or name another one',
  })
}
