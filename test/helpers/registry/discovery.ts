/** Lists of tags and of referrers (distribution-spec v1.1.1, end-8 and end-12). */

import { json, Refusal, type ReceivedRequest, type Reply } from './exchange.ts'
import { parseManifest } from './manifest-check.ts'
import { methodNotAllowed, pageOf, requireDigest, requireRepository, type Service } from './service.ts'

export function answerTags(service: Service, { method, url }: ReceivedRequest, name: string): Reply {
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(method)
  const { tags } = requireRepository(service, name)
  const order = (a: string, b: string): number => compare(a.toLowerCase(), b.toLowerCase()) || compare(a, b)
  const all = Array.from(tags.keys()).sort(order)
  const last = url.searchParams.get('last')
  const start = last === null ? 0 : all.filter((tag) => order(tag, last) <= 0).length
  const { page, link } = pageOf(service, url, all, start, (tag) => tag)
  return json(200, { name, tags: page }, link)
}

export function answerReferrers(
  service: Service,
  { method, url }: ReceivedRequest,
  name: string,
  of: string,
): Reply {
  if (service.options.referrers === false)
    return { status: 404, headers: { 'Content-Type': 'text/plain' }, body: '404 page not found\n' }
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(method)
  const digest = requireDigest(of)
  const wanted = url.searchParams.get('artifactType')
  const all = referrersOf(service, name, digest).filter(
    ({ artifactType }) => wanted === null || artifactType === wanted,
  )
  const last = url.searchParams.get('last')
  const start = last === null ? 0 : all.findIndex((descriptor) => descriptor.digest === last) + 1
  const { page, link } = pageOf(service, url, all, start, (descriptor) => descriptor.digest)
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  return json(
    200,
    { schemaVersion: 2, mediaType, manifests: page },
    { ...link, 'Content-Type': mediaType, ...(wanted !== null && { 'OCI-Filters-Applied': 'artifactType' }) },
  )
}

interface Referrer {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly artifactType: string | undefined
  readonly annotations: Readonly<Record<string, unknown>> | undefined
}

function referrersOf({ state }: Service, name: string, subject: string): Referrer[] {
  const found: Referrer[] = []
  for (const [digest, { mediaType, bytes }] of state.repositories.get(name)?.manifests ?? []) {
    const document = readManifest(mediaType, bytes)
    if (document?.subject?.digest !== subject) continue
    const artifactType = document.artifactType || document.configType
    found.push({ mediaType, digest, size: bytes.length, artifactType, annotations: document.annotations })
  }
  return found
}

/** Content that a test put there by hand may be nonsense. */
function readManifest(mediaType: string, bytes: Buffer): ReturnType<typeof parseManifest> | undefined {
  try {
    return parseManifest({}, mediaType, bytes)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
