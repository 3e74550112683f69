/** Upload sessions: POST, PATCH, PUT, GET, DELETE (distribution-spec v1.1.1, end-4 to end-6, end-11, end-13). */

import { randomUUID } from 'node:crypto'
import { contentType, Refusal, type ReceivedRequest, type Reply } from './exchange.ts'
import { digestOf, isName } from './grammar.ts'
import { digestHeader, methodNotAllowed, requireDigest, type Service } from './service.ts'
import type { UploadSession } from './state.ts'

/** POST to `/v2/NAME/blobs/uploads/`: a mount, the whole blob, or a session. */
export function startUpload(service: Service, request: ReceivedRequest, name: string): Reply {
  const { method, url, body, headers } = request
  if (method !== 'POST') throw methodNotAllowed(method)
  const mount = url.searchParams.get('mount')
  const digest = url.searchParams.get('digest')
  if (mount !== null && digest !== null)
    throw new Refusal(400, 'BLOB_UPLOAD_INVALID', 'mount and digest exclude each other')
  if (headers['content-length'] === undefined)
    throw new Refusal(411, 'SIZE_INVALID', 'POST needs a Content-Length, 0 where it opens a session')
  if (mount !== null) {
    const mounted = mountBlob(service, name, requireDigest(mount), url.searchParams.get('from'))
    if (mounted) return created(service, request, name, mount)
  } else if (digest !== null) {
    requireDigest(digest)
    if (service.options.singlePost === true) {
      requireBytes(request)
      return storeBlob(service, request, name, digest, body)
    }
  } else if (body.length > 0) {
    throw new Refusal(400, 'BLOB_UPLOAD_INVALID', 'a POST that opens a session has no body')
  }
  const session = service.state.startUpload(name)
  const { chunkMinLength } = service.options
  return {
    status: 202,
    headers: {
      ...progress(service, request, session),
      'Docker-Upload-UUID': session.id,
      ...(chunkMinLength !== undefined && { 'OCI-Chunk-Min-Length': String(chunkMinLength) }),
    },
  }
}

/** Whatever is asked of a session that exists. */
export function answerUpload(service: Service, request: ReceivedRequest, name: string, id: string): Reply {
  const session = service.state.uploads.get(id)
  if (!session || session.repository !== name)
    throw new Refusal(404, 'BLOB_UPLOAD_UNKNOWN', `no session ${id}`)
  checkState(service, request, session)
  switch (request.method) {
    case 'GET':
      return { status: 204, headers: progress(service, request, session) }
    case 'DELETE':
      service.state.uploads.delete(id)
      return { status: 204 }
    case 'PATCH':
      if (service.options.patch === false) throw methodNotAllowed('PATCH')
      takeChunk(service, request, session, service.options.streamedPatch !== true)
      return { status: 202, headers: progress(service, request, session) }
    case 'PUT': {
      const digest = requireDigest(request.url.searchParams.get('digest'))
      if (request.body.length > 0 || !request.complete)
        takeChunk(service, request, session, session.length > 0)
      service.state.uploads.delete(id)
      return storeBlob(service, request, name, digest, Buffer.concat(session.chunks))
    }
    default:
      throw methodNotAllowed(request.method)
  }
}

function mountBlob({ options, state }: Service, name: string, digest: string, from: string | null): boolean {
  if (from !== null && !isName(from)) throw new Refusal(400, 'NAME_INVALID', `not a name: ${from}`)
  if (options.mount === 'refuse') return false
  const source =
    from === null && options.mount === 'without-from'
      ? Array.from(state.repositories.values()).find(({ blobs }) => blobs.has(digest))
      : state.repositories.get(from ?? '')
  const bytes = source?.blobs.get(digest)
  if (bytes) state.open(name).blobs.set(digest, bytes)
  return bytes !== undefined
}

/** `ranged`: whether Content-Range and Content-Length must be there. */
function takeChunk(
  service: Service,
  request: ReceivedRequest,
  session: UploadSession,
  ranged: boolean,
): void {
  const { body, headers, complete } = request
  if (!complete) {
    if (service.options.keepPartialUploads !== false && startOf(request, session) === session.length)
      append(session, body)
    throw new Refusal(400, 'SIZE_INVALID', `the body ended after ${body.length} bytes`)
  }
  requireBytes(request, ranged || request.method === 'PUT')
  const range = headers['content-range']
  if (range === undefined && ranged)
    throw new Refusal(400, 'BLOB_UPLOAD_INVALID', 'a chunk needs a Content-Range')
  if (range !== undefined) {
    const parts = /^(\d+)-(\d+)$/.exec(range)
    if (!parts) throw new Refusal(400, 'BLOB_UPLOAD_INVALID', `not a Content-Range: ${range}`)
    if (Number(parts[1]) !== session.length)
      throw new Refusal(
        416,
        'BLOB_UPLOAD_INVALID',
        `${range} does not begin at ${session.length}`,
        progress(service, request, session),
      )
    if (Number(parts[2]) - Number(parts[1]) + 1 !== body.length)
      throw new Refusal(400, 'SIZE_INVALID', `${range} is not ${body.length} bytes`)
  }
  if (session.short)
    throw new Refusal(400, 'SIZE_INVALID', 'a chunk came after one below OCI-Chunk-Min-Length')
  const least = service.options.chunkMinLength
  if (least !== undefined && request.method === 'PATCH' && body.length < least) session.short = true
  append(session, body)
}

function startOf({ headers }: ReceivedRequest, session: UploadSession): number {
  const first = /^(\d+)-\d+$/.exec(headers['content-range'] ?? '')?.[1]
  return first === undefined ? session.length : Number(first)
}

function append(session: UploadSession, body: Buffer): void {
  session.chunks.push(body)
  session.length += body.length
}

function requireBytes(request: ReceivedRequest, lengthNeeded = true): void {
  if (contentType(request) !== 'application/octet-stream')
    throw new Refusal(400, 'BLOB_UPLOAD_INVALID', `Content-Type is ${contentType(request) || '(none)'}`)
  if (lengthNeeded && request.headers['content-length'] === undefined)
    throw new Refusal(411, 'SIZE_INVALID', 'bytes need a Content-Length')
}

function storeBlob(
  service: Service,
  request: ReceivedRequest,
  name: string,
  digest: string,
  bytes: Buffer,
): Reply {
  const found = digestOf(bytes, digest)
  if (found !== digest) throw new Refusal(400, 'DIGEST_INVALID', `the bytes have ${found}, not ${digest}`)
  service.state.open(name).blobs.set(digest, bytes)
  return created(service, request, name, digest)
}

function created(service: Service, { url }: ReceivedRequest, name: string, digest: string): Reply {
  const path = `/v2/${name}/blobs/${digest}`
  const location = service.options.uploadLocation === 'relative' ? path : `${url.origin}${path}`
  return { status: 201, headers: { Location: location, ...digestHeader(service, digest) } }
}

/** Location and Range. An empty session says `0-0`, as registries do: the spec has no word for nothing. */
function progress(
  { options, uploadOrigin }: Service,
  { url }: ReceivedRequest,
  session: UploadSession,
): Record<string, string> {
  const path = `/v2/${session.repository}/blobs/uploads/${session.id}`
  let query = ''
  if (options.criticalQuery === true) {
    const state = `${randomUUID()}=/+${session.length}`
    session.states.push(state)
    query = `?_state=${encodeURIComponent(state)}&part=1`
  }
  const origin = options.uploadLocation === 'relative' ? '' : (uploadOrigin ?? url.origin)
  return { Location: `${origin}${path}${query}`, Range: `0-${Math.max(0, session.length - 1)}` }
}

/** Bytes are only taken at the newest Location; a session may be asked and ended at any that was given out. */
function checkState({ options }: Service, { url, method }: ReceivedRequest, { states }: UploadSession): void {
  if (options.criticalQuery !== true) return
  const state = url.searchParams.get('_state') ?? ''
  const known = method === 'PUT' || method === 'PATCH' ? states.at(-1) === state : states.includes(state)
  if (!known || url.searchParams.get('part') !== '1')
    throw new Refusal(400, 'BLOB_UPLOAD_INVALID', `the Location's query did not come back: ${url.search}`)
}
