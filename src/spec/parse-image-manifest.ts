/** Reads image manifests of others, OCI and Docker schema 2 (image-spec v1.1.1 manifest.md). */

import type { ImageManifest } from './image-manifest.ts'
import { isManifestType } from './media-type.ts'
import { parseDescriptor } from './parse-descriptor.ts'
import {
  decodeDocument,
  invalidDocument,
  readList,
  readMembers,
  readObject,
  readString,
  readStringMap,
} from './read-value.ts'

/** Parses a manifest from its bytes or from decoded JSON. Throws `OCB-DOCUMENT-INVALID`, `OCB-DOCUMENT-TOO-LARGE`. */
export function parseImageManifest(input: unknown, at = 'manifest'): ImageManifest {
  const object = readObject(decodeDocument(input, at), at)
  if (object['schemaVersion'] !== 2) throw invalidDocument(`${at}.schemaVersion`, 'not 2')
  const members = readMembers(object, at, {
    mediaType: readString,
    artifactType: readString,
    subject: parseDescriptor,
    annotations: readStringMap,
  })
  if (members.mediaType !== undefined && !isManifestType(members.mediaType)) {
    throw invalidDocument(`${at}.mediaType`, `"${members.mediaType}" is not that of an image manifest`)
  }
  // A document that could be read as both kinds is refused (image-spec v1.1.1 manifest.md, mediaType).
  if (object['manifests'] !== undefined) {
    throw invalidDocument(`${at}.manifests`, 'an image manifest has none; an image index does')
  }
  return {
    schemaVersion: 2,
    ...members,
    config: parseDescriptor(object['config'], `${at}.config`),
    layers: readList(object['layers'] ?? [], `${at}.layers`, parseDescriptor),
  }
}
