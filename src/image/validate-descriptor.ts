/** The rules of descriptors, annotations and platforms (image-spec v1.1.1 descriptor.md, annotations.md). */

import { verifyBytes } from '../content/hash.ts'
import { messageOf } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { isDigest, type Digest } from '../spec/digest.ts'
import { mediaTypes } from '../spec/media-type.ts'
import type { Platform } from '../spec/platform.ts'
import { describeValue, isRecord, isStringList, type Findings } from './validate-finding.ts'

// RFC 6838, section 4.2: type and subtype names.
const mediaTypePattern = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/
const digestGrammar = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/

/** Checks a descriptor; gives it typed when its content can be looked for, else undefined. */
export function checkDescriptor(value: unknown, where: string, findings: Findings): Descriptor | undefined {
  const wrong = (message: string): void => findings.add('OCB-VALIDATE-DESCRIPTOR', where, message)
  if (!isRecord(value)) {
    wrong(`is ${describeValue(value)}; wanted a descriptor`)
    return undefined
  }
  const { size, urls, data } = value
  const mediaType = checkMediaType(value['mediaType'], 'mediaType', where, findings)
  const digest = checkDigest(value['digest'], where, findings)
  const sizeIsSound = typeof size === 'number' && Number.isSafeInteger(size) && size >= 0
  if (!sizeIsSound) wrong(`size is ${describeValue(size)}; wanted a number of bytes`)
  if (urls !== undefined && !(isStringList(urls) && urls.every((url) => URL.canParse(url)))) {
    wrong('urls is not a list of URIs')
  }
  if (value['artifactType'] !== undefined) {
    checkMediaType(value['artifactType'], 'artifactType', where, findings)
  }
  checkAnnotations(value['annotations'], where, findings)
  const platform = checkPlatform(value['platform'], where, findings)
  if (!mediaType || !digest || !sizeIsSound) return undefined
  const annotations = isRecord(value['annotations']) ? stringsOf(value['annotations']) : undefined
  const descriptor = { mediaType, digest, size, platform, annotations }
  if (data !== undefined) checkData(data, descriptor, where, findings)
  if (mediaType === mediaTypes.empty && size !== 2) {
    findings.add('OCB-VALIDATE-EMPTY', where, `has the empty type and ${size} bytes; wanted {}, 2 bytes`)
  }
  return descriptor
}

function stringsOf(record: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const members = Object.entries(record).flatMap(([key, text]) =>
    typeof text === 'string' ? [[key, text] as const] : [],
  )
  return Object.fromEntries(members)
}

/** A digest of an algorithm that is not registered has a sound grammar but cannot be checked: undefined too. */
export function checkDigest(value: unknown, where: string, findings: Findings): Digest | undefined {
  if (typeof value === 'string' && isDigest(value)) return value
  if (typeof value === 'string' && digestGrammar.test(value) && !/^sha(?:256|512):/.test(value)) {
    const message = `${value} is of an algorithm that is not registered; its content was not checked`
    findings.add('OCB-VALIDATE-DIGEST-ALGORITHM', where, message)
    return undefined
  }
  const wanted = 'wanted sha256: and 64 lower-case hex digits, or sha512: and 128'
  findings.add('OCB-VALIDATE-DIGEST', where, `digest is ${describeValue(value)}; ${wanted}`)
  return undefined
}

export function checkMediaType(
  value: unknown,
  field: string,
  where: string,
  findings: Findings,
): string | undefined {
  if (typeof value === 'string' && mediaTypePattern.test(value)) return value
  const message = `${field} is ${describeValue(value)}; wanted a media type (RFC 6838)`
  findings.add('OCB-VALIDATE-DESCRIPTOR', where, message)
  return undefined
}

export function checkAnnotations(value: unknown, where: string, findings: Findings): void {
  if (value === undefined) return
  if (!isRecord(value)) {
    findings.add('OCB-VALIDATE-ANNOTATION', where, `annotations is ${describeValue(value)}; wanted an object`)
    return
  }
  for (const [key, text] of Object.entries(value)) {
    if (key === '') findings.add('OCB-VALIDATE-ANNOTATION', where, 'annotations has an empty key')
    if (typeof text === 'string') continue
    const message = `annotations["${key}"] is ${describeValue(text)}; wanted a string`
    findings.add('OCB-VALIDATE-ANNOTATION', where, message)
  }
}

/** Checks a platform object (image-spec v1.1.1 image-index.md); undefined when there is none or it is unsound. */
export function checkPlatform(value: unknown, where: string, findings: Findings): Platform | undefined {
  if (value === undefined) return undefined
  const wrong = (message: string): undefined => {
    findings.add('OCB-VALIDATE-PLATFORM', where, message)
    return undefined
  }
  if (!isRecord(value)) return wrong(`platform is ${describeValue(value)}; wanted an object`)
  const { os, architecture, variant } = value
  const version = value['os.version']
  const features = value['os.features']
  if (typeof os !== 'string' || os === '') return wrong(`platform.os is ${describeValue(os)}`)
  if (typeof architecture !== 'string' || architecture === '') {
    return wrong(`platform.architecture is ${describeValue(architecture)}`)
  }
  if (variant !== undefined && typeof variant !== 'string') {
    return wrong(`platform.variant is ${describeValue(variant)}; wanted a string`)
  }
  if (version !== undefined && typeof version !== 'string') {
    return wrong(`platform["os.version"] is ${describeValue(version)}; wanted a string`)
  }
  if (features !== undefined && !isStringList(features)) {
    return wrong('platform["os.features"] is not a list of strings')
  }
  return { os, architecture, variant, 'os.version': version, 'os.features': features }
}

function checkData(data: unknown, descriptor: Descriptor, where: string, findings: Findings): void {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'base64') : undefined
  if (bytes === undefined || bytes.toString('base64') !== data) {
    findings.add('OCB-VALIDATE-DATA', where, 'data is not base64')
    return
  }
  try {
    verifyBytes(descriptor, bytes)
  } catch (error) {
    findings.add('OCB-VALIDATE-DATA', where, `embedded data: ${messageOf(error)}`)
  }
}
