/** Reads content descriptors of others (image-spec v1.1.1 descriptor.md). */

import type { Descriptor } from './descriptor.ts'
import { isDigest, type Digest } from './digest.ts'
import type { Platform } from './platform.ts'
import {
  invalidDocument,
  readMembers,
  readObject,
  readSize,
  readString,
  readStringMap,
  readStrings,
} from './read-value.ts'

/** Parses a descriptor; fields that image-spec does not know are dropped. Throws `OCB-DOCUMENT-INVALID`. */
export function parseDescriptor(value: unknown, at: string): Descriptor {
  const object = readObject(value, at)
  const mediaType = readString(object['mediaType'], `${at}.mediaType`)
  if (mediaType === '') throw invalidDocument(`${at}.mediaType`, 'empty, wanted a media type')
  return {
    mediaType,
    digest: readDigest(object['digest'], `${at}.digest`),
    size: readSize(object['size'], `${at}.size`),
    ...readMembers(object, at, {
      urls: readStrings,
      annotations: readStringMap,
      data: readString,
      artifactType: readString,
      platform: readPlatform,
    }),
  }
}

export function readDigest(value: unknown, at: string): Digest {
  const text = readString(value, at)
  if (isDigest(text)) return text
  throw invalidDocument(at, `"${text.slice(0, 160)}" is not a sha256 or sha512 digest in lower-case hex`)
}

function readPlatform(value: unknown, at: string): Platform {
  const object = readObject(value, at)
  return {
    os: readString(object['os'], `${at}.os`),
    architecture: readString(object['architecture'], `${at}.architecture`),
    ...readMembers(object, at, { variant: readString, 'os.version': readString, 'os.features': readStrings }),
  }
}
