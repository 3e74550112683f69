/** GET, HEAD and DELETE of blobs (distribution-spec v1.1.1, end-2 and end-10). */

import { Refusal, type ReceivedRequest, type Reply } from './exchange.ts'
import { digestHeader, methodNotAllowed, requireDigest, requireRepository, type Service } from './service.ts'

export function answerBlob(
  service: Service,
  request: ReceivedRequest,
  name: string,
  reference: string,
): Reply {
  const digest = requireDigest(reference)
  const { method } = request
  const { blobs } = requireRepository(service, name)
  const bytes = blobs.get(digest)
  if (!bytes) throw new Refusal(404, 'BLOB_UNKNOWN', `no blob ${digest} in ${name}`)
  if (method === 'DELETE') {
    if (service.options.delete === false || service.options.delete === 'manifests')
      throw methodNotAllowed(method)
    blobs.delete(digest)
    return { status: 202 }
  }
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(method)
  if (service.storageOrigin !== undefined && method === 'GET') {
    const location = `${service.storageOrigin}/storage/${name}/${digest}?signature=${signature}`
    return { status: 307, headers: { Location: location } }
  }
  return sendBlob(service, request, digest, bytes)
}

/** What a signed URL ends in; without it the storage refuses. */
export const signature = 'a%2Fb%2Bc%3D%3D'

/** The storage's side of a redirect: no credentials, and the signature exactly as it was given out. */
export function answerStorage(service: Service, request: ReceivedRequest): Reply {
  const { url, headers, method } = request
  const path = /^\/storage\/(.+)\/([^/]+)$/.exec(url.pathname)
  if (headers.authorization !== undefined)
    return {
      status: 400,
      body: '<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>',
    }
  if (url.search !== `?signature=${signature}`)
    return { status: 403, body: '<Error><Code>SignatureDoesNotMatch</Code></Error>' }
  const digest = path?.[2] ?? ''
  const bytes = service.state.repositories.get(path?.[1] ?? '')?.blobs.get(digest)
  if (!bytes || (method !== 'GET' && method !== 'HEAD')) return { status: 404 }
  return sendBlob(
    { ...service, options: { ...service.options, digestHeader: false } },
    request,
    digest,
    bytes,
  )
}

function sendBlob(service: Service, request: ReceivedRequest, digest: string, bytes: Buffer): Reply {
  const ranges = service.options.range !== false
  const headers = {
    'Content-Type': 'application/octet-stream',
    ETag: `"${digest}"`,
    ...digestHeader(service, digest),
    ...(ranges && { 'Accept-Ranges': 'bytes' }),
  }
  const asked = ranges ? request.headers.range : undefined
  if (asked === undefined) return { status: 200, headers, body: bytes }
  // RFC 9110, 13.1.5: a validator that does not match asks for the whole.
  const condition = request.headers['if-range']
  if (condition !== undefined && condition !== `"${digest}"`) return { status: 200, headers, body: bytes }
  const range = /^bytes=(\d*)-(\d*)$/.exec(asked)
  if (!range) return { status: 200, headers, body: bytes }
  const [, first = '', last = ''] = range
  const start = first === '' ? Math.max(0, bytes.length - Number(last)) : Number(first)
  const end = first === '' || last === '' ? bytes.length - 1 : Math.min(Number(last), bytes.length - 1)
  if (start > end) return { status: 416, headers: { 'Content-Range': `bytes */${bytes.length}` } }
  return {
    status: 206,
    headers: { ...headers, 'Content-Range': `bytes ${start}-${end}/${bytes.length}` },
    body: bytes.subarray(start, end + 1),
  }
}
