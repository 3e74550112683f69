/** Manifests and tags: GET, HEAD, PUT, DELETE (distribution-spec v1.1.1, end-3, end-7, end-9). */

import { contentType, Refusal, type ReceivedRequest, type Reply } from './exchange.ts'
import { digestOf, isDigest, isTag } from './grammar.ts'
import { parseManifest, requireReferences } from './manifest-check.ts'
import { digestHeader, methodNotAllowed, requireRepository, type Service } from './service.ts'
import type { Repository } from './state.ts'

export function answerManifest(
  service: Service,
  request: ReceivedRequest,
  name: string,
  reference: string,
): Reply {
  if (!isTag(reference) && !isDigest(reference))
    throw new Refusal(400, 'MANIFEST_INVALID', `neither a tag nor a digest: ${reference}`)
  switch (request.method) {
    case 'PUT':
      return putManifest(service, request, name, reference)
    case 'GET':
    case 'HEAD':
      return getManifest(service, request, name, reference)
    case 'DELETE':
      return deleteManifest(service, requireRepository(service, name), reference)
    default:
      throw methodNotAllowed(request.method)
  }
}

function getManifest(service: Service, { headers }: ReceivedRequest, name: string, reference: string): Reply {
  const { manifests, tags } = requireRepository(service, name)
  const digest = tags.get(reference) ?? reference
  const found = manifests.get(digest)
  if (!found) throw new Refusal(404, 'MANIFEST_UNKNOWN', `no manifest ${reference} in ${name}`)
  const accepted = (headers.accept ?? '').split(',').map((type) => type.replace(/;.*$/s, '').trim())
  if (!accepted.includes(found.mediaType) && !accepted.includes('*/*'))
    throw new Refusal(
      404,
      'MANIFEST_UNKNOWN',
      `${reference} is ${found.mediaType}, which Accept does not name`,
    )
  return {
    status: 200,
    headers: { 'Content-Type': found.mediaType, ETag: `"${digest}"`, ...digestHeader(service, digest) },
    body: found.bytes,
  }
}

function putManifest(service: Service, request: ReceivedRequest, name: string, reference: string): Reply {
  const { options, state } = service
  const { body, complete, url } = request
  if (body.length > (options.maxManifestBytes ?? 4 * 1024 * 1024))
    throw new Refusal(413, 'SIZE_INVALID', `a manifest of ${body.length} bytes`)
  if (!complete) throw new Refusal(400, 'SIZE_INVALID', 'the body broke off')
  const mediaType = contentType(request)
  if (mediaType === '') throw new Refusal(400, 'MANIFEST_INVALID', 'a manifest needs a Content-Type')
  const document = parseManifest(options, mediaType, body)
  const digest = digestOf(body, reference)
  if (isDigest(reference) && reference !== digest)
    throw new Refusal(400, 'DIGEST_INVALID', `the bytes have ${digest}, not ${reference}`)
  const repository = state.open(name)
  if (options.checkReferences !== false) requireReferences(repository, document)
  const asked = url.searchParams.getAll('tag')
  const extra =
    options.tagQuery === true && isDigest(reference) ? asked.slice(0, options.maxTagsPerPut ?? 10) : []
  const tags = [...(isTag(reference) ? [reference] : []), ...extra]
  for (const tag of tags) requireTag(service, repository, tag)
  repository.manifests.set(digest, { mediaType, bytes: body })
  for (const tag of tags) repository.tags.set(tag, digest)
  return {
    status: 201,
    headers: {
      Location: `${options.uploadLocation === 'relative' ? '' : url.origin}/v2/${name}/manifests/${digest}`,
      ...digestHeader(service, digest),
      // Two fields, to be read as one list (RFC 9110, 5.2).
      ...(extra.length > 0 && {
        'OCI-Tag': [extra.slice(0, -1).join(', '), ...extra.slice(-1)].filter(Boolean),
      }),
      ...(options.referrers !== false &&
        document.subject !== undefined && { 'OCI-Subject': document.subject.digest }),
    },
  }
}

function requireTag({ options }: Service, { tags }: Repository, tag: string): void {
  if (!isTag(tag)) throw new Refusal(400, 'MANIFEST_INVALID', `not a tag: ${tag}`)
  if (options.immutableTags === true && tags.has(tag))
    throw new Refusal(409, 'DENIED', `tag ${tag} exists and tags are immutable`)
}

function deleteManifest({ options }: Service, { manifests, tags }: Repository, reference: string): Reply {
  if (options.delete === false || (options.delete === 'manifests' && isTag(reference)))
    throw methodNotAllowed('DELETE')
  if (!(isTag(reference) ? tags.delete(reference) : manifests.delete(reference)))
    throw new Refusal(404, 'MANIFEST_UNKNOWN', `no manifest ${reference}`)
  for (const [tag, digest] of tags) if (digest === reference) tags.delete(tag)
  return { status: 202 }
}
