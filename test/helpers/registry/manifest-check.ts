/** What a strict registry asks of a manifest's bytes before it takes them. */

import { Refusal } from './exchange.ts'
import { isDigest } from './grammar.ts'
import type { RegistryOptions } from './options.ts'
import type { Repository } from './state.ts'

export interface CheckedDescriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly hasUrls: boolean
}

export interface CheckedManifest {
  /** Config and layers. */
  readonly blobs: readonly CheckedDescriptor[]
  /** Of an index. */
  readonly manifests: readonly CheckedDescriptor[]
  readonly subject: CheckedDescriptor | undefined
  readonly artifactType: string | undefined
  readonly configType: string | undefined
  readonly annotations: Readonly<Record<string, unknown>> | undefined
}

const images = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]
const indexes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]

/** Throws `MANIFEST_INVALID`. */
export function parseManifest(options: RegistryOptions, mediaType: string, bytes: Buffer): CheckedManifest {
  if (![...images, ...indexes].includes(mediaType) || options.manifestTypes?.includes(mediaType) === false)
    throw invalid(`media type ${mediaType} is not taken here`)
  const document = objectOf(parseJson(bytes), 'the manifest')
  if (document['schemaVersion'] !== 2) throw invalid('schemaVersion is not 2')
  const stated = document['mediaType']
  if (stated !== undefined && stated !== mediaType)
    throw invalid(`mediaType ${String(stated)} is not the Content-Type ${mediaType}`)
  if (stated === undefined && !mediaType.includes('.oci.'))
    throw invalid('a Docker manifest needs a mediaType')
  const image = images.includes(mediaType)
  const config = image ? descriptorOf(document['config'], 'config') : undefined
  const layers = image ? descriptorsOf(document['layers'], 'layers') : []
  if (image && document['manifests'] !== undefined) throw invalid('a manifest with manifests')
  if (!image && (document['layers'] !== undefined || document['config'] !== undefined))
    throw invalid('an index with layers')
  for (const { mediaType } of layers)
    if (options.layerTypes?.includes(mediaType) === false)
      throw invalid(`layers of ${mediaType} are not taken here`)
  const { artifactType, annotations } = document
  if (artifactType !== undefined && typeof artifactType !== 'string')
    throw invalid('artifactType is not a string')
  return {
    blobs: config ? [config, ...layers] : [],
    manifests: image ? [] : descriptorsOf(document['manifests'], 'manifests'),
    subject: document['subject'] === undefined ? undefined : descriptorOf(document['subject'], 'subject'),
    artifactType,
    configType: config?.mediaType,
    annotations: annotations === undefined ? undefined : objectOf(annotations, 'annotations'),
  }
}

/** Throws `MANIFEST_BLOB_UNKNOWN` with every digest that is missing. Non-distributable layers and the subject may be. */
export function requireReferences({ blobs, manifests }: Repository, document: CheckedManifest): void {
  const missing: { digest: string }[] = []
  for (const { digest, size, mediaType, hasUrls } of document.blobs) {
    const bytes = blobs.get(digest)
    if (bytes && bytes.length !== size) throw invalid(`${digest} has ${bytes.length} bytes, not ${size}`)
    const foreign = hasUrls && (mediaType.includes('.nondistributable.') || mediaType.includes('.foreign.'))
    if (!bytes && !foreign) missing.push({ digest })
  }
  for (const { digest, size } of document.manifests) {
    const found = manifests.get(digest)
    if (found && found.bytes.length !== size)
      throw invalid(`${digest} has ${found.bytes.length} bytes, not ${size}`)
    if (!found) missing.push({ digest })
  }
  if (missing.length > 0)
    throw new Refusal(
      404,
      'MANIFEST_BLOB_UNKNOWN',
      'manifest references something unknown to the registry',
      {},
      missing,
    )
}

function invalid(message: string): Refusal {
  return new Refusal(400, 'MANIFEST_INVALID', message)
}

function parseJson(bytes: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return value
  } catch {
    throw invalid('the bytes are not JSON')
  }
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${what} is no object`)
  return Object.fromEntries(Object.entries(value))
}

function descriptorsOf(value: unknown, what: string): CheckedDescriptor[] {
  if (!Array.isArray(value)) throw invalid(`${what} is no list`)
  return value.map((item: unknown, i) => descriptorOf(item, `${what}[${i}]`))
}

function descriptorOf(value: unknown, what: string): CheckedDescriptor {
  const { mediaType, digest, size, urls } = objectOf(value, what)
  if (typeof mediaType !== 'string' || !/^[a-z0-9][\w!#$&^.+-]*\/[a-z0-9][\w!#$&^.+-]*$/i.test(mediaType))
    throw invalid(`${what}.mediaType is ${String(mediaType)}`)
  if (typeof digest !== 'string' || !isDigest(digest)) throw invalid(`${what}.digest is ${String(digest)}`)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`${what}.size is ${String(size)}`)
  return { mediaType, digest, size, hasUrls: Array.isArray(urls) && urls.length > 0 }
}
