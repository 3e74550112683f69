/** The paths of distribution-spec v1.1.1, Endpoints. Repository, tag and digest are within their grammars. */

import type { Digest } from '../spec/digest.ts'

/** end-1. */
export const basePath = '/v2/'

/** end-3, end-7, end-9; `reference` is a tag or digest. */
export function manifestPath(repository: string, reference: string): string {
  return `/v2/${repository}/manifests/${reference}`
}

/** end-2, end-10. */
export function blobPath(repository: string, digest: Digest): string {
  return `/v2/${repository}/blobs/${digest}`
}

/** end-4a, end-4b. */
export function uploadsPath(repository: string): string {
  return `/v2/${repository}/blobs/uploads/`
}

/** end-11. */
export function mountPath(repository: string, digest: Digest, from: string): string {
  return `${uploadsPath(repository)}?${new URLSearchParams({ mount: digest, from }).toString()}`
}

/** end-8b; `pageSize` is a wish. */
export function tagsPath(repository: string, pageSize: number): string {
  return `/v2/${repository}/tags/list?n=${pageSize}`
}

/** end-12a, end-12b. */
export function referrersPath(repository: string, digest: Digest, artifactType?: string): string {
  const query = artifactType === undefined ? '' : `?${new URLSearchParams({ artifactType }).toString()}`
  return `/v2/${repository}/referrers/${digest}${query}`
}

/** A URL with one more parameter, what is there left as it is: a signature may stand on it. */
export function withParameter(url: URL, name: string, value: string): URL {
  const next = new URL(url)
  next.hash = ''
  const joint = next.search === '' ? '?' : '&'
  return new URL(`${next.href.replace(/\?$/, '')}${joint}${name}=${encodeURIComponent(value)}`)
}
