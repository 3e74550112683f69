/** Reads image indexes of others, and Docker's manifest lists (image-spec v1.1.1 image-index.md). */

import type { ImageIndex } from './image-index.ts'
import { isIndexType } from './media-type.ts'
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

/** Parses an index from its bytes or from decoded JSON. Throws `OCB-DOCUMENT-INVALID`, `OCB-DOCUMENT-TOO-LARGE`. */
export function parseImageIndex(input: unknown, at = 'index'): ImageIndex {
  const object = readObject(decodeDocument(input, at), at)
  if (object['schemaVersion'] !== 2) throw invalidDocument(`${at}.schemaVersion`, 'not 2')
  const members = readMembers(object, at, {
    mediaType: readString,
    artifactType: readString,
    subject: parseDescriptor,
    annotations: readStringMap,
  })
  if (members.mediaType !== undefined && !isIndexType(members.mediaType)) {
    throw invalidDocument(`${at}.mediaType`, `"${members.mediaType}" is not that of an image index`)
  }
  // A document that could be read as both kinds is refused (image-spec v1.1.1 image-index.md, mediaType).
  for (const key of ['config', 'layers']) {
    if (object[key] !== undefined) {
      throw invalidDocument(`${at}.${key}`, 'an image index has none; an image manifest does')
    }
  }
  return {
    schemaVersion: 2,
    ...members,
    manifests: readList(object['manifests'] ?? [], `${at}.manifests`, parseDescriptor),
  }
}
