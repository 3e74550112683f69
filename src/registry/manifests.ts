/** Manifests and indexes of one repository: their descriptors, their bytes, and putting them there. */

import { createDigester, verifyBytes } from '../content/hash.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { isDigest, splitDigest, type Digest } from '../spec/digest.ts'
import { mediaTypes, type MediaType } from '../spec/media-type.ts'
import { documentTooLarge, maxDocumentBytes } from '../spec/read-value.ts'
import { manifestPath } from './api-paths.ts'
import type { ExchangeResponse } from './http-exchange.ts'
import { manifestTypeOf } from './manifest-type.ts'
import { readBody } from './read-body.ts'
import { redactUrl } from './redact-url.ts'
import { hasStatus, protocolError } from './registry-error.ts'
import { checkReference, type Repository } from './repository.ts'

export interface RawManifest {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

const accept = [
  mediaTypes.index,
  mediaTypes.manifest,
  mediaTypes.dockerIndex,
  mediaTypes.dockerManifest,
  'application/vnd.oci.artifact.manifest.v1+json',
].join(', ')

/**
 * What a tag or digest names, from the headers of a HEAD where they say all, else from the bytes. Throws
 * `RegistryError` (404 where there is nothing), `OCB-CONTENT-MISMATCH`, `OCB-DOCUMENT-TOO-LARGE`.
 */
export async function headManifest(
  repository: Repository,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  checkReference(reference)
  const path = manifestPath(repository.name, reference)
  let response: ExchangeResponse
  try {
    response = await repository.session.ask({
      method: 'HEAD',
      target: path,
      scopes: repository.pull,
      attempts: repository.attempts,
      headers: { accept },
      wanted: [200],
      signal,
    })
  } catch (error) {
    // Some gateways know no HEAD.
    if (!hasStatus(error, 400, 405, 501)) throw error
    return (await getManifest(repository, reference, signal)).descriptor
  }
  const mediaType = knownType(response)
  const digest = response.header('docker-content-digest')
  const length = response.header('content-length')
  const matches = !isDigest(reference) || digest === reference
  if (
    mediaType !== undefined &&
    digest !== undefined &&
    isDigest(digest) &&
    matches &&
    length !== undefined
  ) {
    const size = Number(length)
    if (/^\d{1,15}$/.test(length) && size > 0) return { mediaType, digest, size }
  }
  return (await getManifest(repository, reference, signal)).descriptor
}

/** A manifest whole, at most 4 MiB. A digest, asked for or promised, is that of the bytes. Throws as `headManifest`. */
export async function getManifest(
  repository: Repository,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<RawManifest> {
  checkReference(reference)
  const response = await repository.session.send({
    method: 'GET',
    target: manifestPath(repository.name, reference),
    scopes: repository.pull,
    attempts: repository.attempts,
    headers: { accept },
    wanted: [200],
    signal,
  })
  const what = `${repository.title} ${reference}`
  const bytes = await readManifestBody(response, what)
  const told = response.header('docker-content-digest')
  const wanted = isDigest(reference) ? reference : told !== undefined && isDigest(told) ? told : undefined
  const digest = digestOf(bytes, wanted)
  const mediaType = knownType(response) ?? manifestTypeOf(bytes, what)
  const descriptor: Descriptor = { mediaType, digest, size: bytes.length }
  if (wanted !== undefined && wanted !== digest) verifyBytes({ ...descriptor, digest: wanted }, bytes)
  return { descriptor, bytes }
}

/** Stores a manifest under a tag or its digest; `query` begins with `?`. Throws `RegistryError`. */
export async function putManifest(
  repository: Repository,
  { descriptor, bytes }: RawManifest,
  reference: string,
  signal: AbortSignal | undefined,
  query = '',
): Promise<ExchangeResponse> {
  checkReference(reference)
  const response = await repository.session
    .ask({
      method: 'PUT',
      target: `${manifestPath(repository.name, reference)}${query}`,
      scopes: repository.push,
      headers: { 'content-type': descriptor.mediaType },
      body: { size: bytes.length, open: () => once(bytes) },
      wanted: [201, 200, 202],
      signal,
    })
    .catch((error: unknown) => {
      throw explainPut(error)
    })
  const told = response.header('docker-content-digest')
  if (
    told !== undefined &&
    told !== descriptor.digest &&
    isDigest(told) &&
    sameAlgorithm(told, descriptor.digest)
  ) {
    throw protocolError(
      'PUT',
      redactUrl(response.url),
      response.status,
      `it stored ${told}, not ${descriptor.digest}`,
    )
  }
  return response
}

function explainPut(error: unknown): unknown {
  if (!hasStatus(error, 400, 404, 409, 412, 422)) return error
  if (error.names('MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN')) {
    return error.with({ code: 'OCB-REGISTRY-BLOB-UNKNOWN', hint: 'push again; blobs were removed meanwhile' })
  }
  if (error.status !== 400 && !error.names('MANIFEST_INVALID', 'MANIFEST_UNVERIFIED')) return error
  return error.with({
    code: 'OCB-REGISTRY-MANIFEST-INVALID',
    hint: 'check that the registry takes this kind of manifest (indexes, zstd layers, artifacts)',
  })
}

function sameAlgorithm(a: Digest, b: Digest): boolean {
  return splitDigest(a).algorithm === splitDigest(b).algorithm
}

async function readManifestBody(response: ExchangeResponse, what: string): Promise<Uint8Array> {
  const length = Number(response.header('content-length') ?? 0)
  if (length > maxDocumentBytes) {
    response.body.on('error', () => {}).destroy()
    throw documentTooLarge(what, length)
  }
  const bytes = await readBody(response.body, maxDocumentBytes)
  if (bytes === undefined) throw documentTooLarge(what, maxDocumentBytes + 1)
  return bytes
}

function digestOf(bytes: Uint8Array, like: Digest | undefined): Digest {
  const digester = createDigester(like === undefined ? 'sha256' : splitDigest(like).algorithm)
  digester.update(bytes)
  return digester.digest()
}

/** The media type of a response where it is that of a manifest or an index. */
function knownType(response: ExchangeResponse): MediaType | undefined {
  const type = response.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type === undefined) return undefined
  return isManifestContent(type) ? type : undefined
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Whether content of this type lies among the manifests of a registry, not among its blobs. */
export function isManifestContent(mediaType: MediaType): boolean {
  return accept.split(', ').includes(mediaType)
}
