/** One upload in a registry: begun, found again, given up (distribution-spec v1.1.1, Pushing Blobs). */

import { uploadsPath } from './api-paths.ts'
import type { ExchangeResponse } from './http-exchange.ts'
import { dropBody } from './read-body.ts'
import { redactUrl } from './redact-url.ts'
import { protocolError } from './registry-error.ts'
import type { Repository } from './repository.ts'

export interface Upload {
  /** Where the next request goes. */
  readonly url: URL
  /** OCI-Chunk-Min-Length: in bytes, 0 where the registry named none. */
  readonly minChunkBytes: number
}

/** How long the registry has to forget an upload that failed. */
const abandonMs = 5_000

/** Begins an upload (end-4a); one attempt, since the caller counts them. Throws `RegistryError`. */
export async function beginUpload(repository: Repository, signal: AbortSignal | undefined): Promise<Upload> {
  const response = await repository.session.ask({
    method: 'POST',
    target: uploadsPath(repository.name),
    scopes: repository.push,
    wanted: [202],
    attempts: 1,
    signal,
  })
  return readUpload(repository, 'POST', response)
}

/** What a 202 to a POST says. Throws `OCB-REGISTRY-PROTOCOL` without a Location. */
export function readUpload(repository: Repository, method: string, response: ExchangeResponse): Upload {
  const minimum = response.header('oci-chunk-min-length') ?? ''
  return {
    url: nextLocation(repository, method, response),
    minChunkBytes: /^\d{1,12}$/.test(minimum) ? Number(minimum) : 0,
  }
}

/** The Location of a response. Throws `OCB-REGISTRY-PROTOCOL` where there is none. */
export function nextLocation(repository: Repository, method: string, response: ExchangeResponse): URL {
  const url = repository.session.locate(response.header('location'), response.url)
  if (url !== undefined) return url
  throw protocolError(method, redactUrl(response.url), response.status, 'it says no Location to go on at')
}

/** How many bytes the registry holds by the Range of a response; undefined where it says nothing. */
export function heldBytes(response: ExchangeResponse): number | undefined {
  const range = /^(?:bytes[= ])?0-(\d{1,15})$/.exec(response.header('range')?.trim() ?? '')?.[1]
  if (range === undefined) return undefined
  // Registries write 0-0 for nothing at all; one byte alone is never sent.
  return range === '0' ? 0 : Number(range) + 1
}

/** Asks where an upload stands (end-13). Throws `RegistryError`. */
export async function uploadStatus(
  repository: Repository,
  upload: Upload,
  signal: AbortSignal | undefined,
): Promise<{ readonly upload: Upload; readonly held: number }> {
  const response = await repository.session.ask({
    method: 'GET',
    target: upload.url,
    scopes: repository.push,
    wanted: [204, 202, 200],
    signal,
  })
  const located = repository.session.locate(response.header('location'), response.url)
  return {
    upload: located === undefined ? upload : { ...upload, url: located },
    held: heldBytes(response) ?? 0,
  }
}

/** Tells the registry to forget an upload; whether it does is its own affair. */
export async function abandonUpload(repository: Repository, upload: Upload): Promise<void> {
  try {
    const response = await repository.session.send({
      method: 'DELETE',
      target: upload.url,
      scopes: repository.push,
      wanted: [204, 202, 200],
      attempts: 1,
      // Its own time: the upload may have been given up because the caller's is over.
      signal: AbortSignal.timeout(abandonMs),
    })
    await dropBody(response.body)
  } catch {
    // Registries remove old uploads by themselves.
  }
}
