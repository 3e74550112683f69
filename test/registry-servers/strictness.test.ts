import { request, type Dispatcher } from 'undici'
import { describe, expect, it } from 'vitest'
import { forTest } from '../helpers/registry/for-test.ts'
import { digestOf } from '../helpers/registry/grammar.ts'
import { startRegistry, type RegistryOptions, type TestRegistry } from '../helpers/registry/registry.ts'

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const configType = 'application/vnd.oci.image.config.v1+json'
const bytes = Buffer.from('a blob of so many bytes')
const digest = digestOf(bytes)
const octets = { 'content-type': 'application/octet-stream' }

type Send = Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'method'>

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The first error's code. */
  readonly code: string | undefined
}

/** `target`: `METHOD path`, or an absolute URL. */
async function send(registry: TestRegistry, target: string, options: Send = {}): Promise<Answer> {
  const [method = '', path = ''] = target.split(' ')
  const { statusCode, headers, body } = await request(new URL(path, registry.origin), {
    ...options,
    method: method as Dispatcher.HttpMethod,
  })
  const text = await body.text()
  const code = /"code":"([A-Z_]+)"/.exec(text)?.[1]
  return { status: statusCode, headers, text, code }
}

async function session(registry: TestRegistry): Promise<string> {
  const { headers } = await send(registry, 'POST /v2/app/blobs/uploads/')
  return String(headers['location'])
}

function withDigest(location: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
}

const config = { mediaType: configType, digest, size: bytes.length }
const manifest = (more: object = {}): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [config], ...more })
const putManifest = { headers: { 'content-type': manifestType }, body: manifest() }
const start = (options: RegistryOptions = {}): Promise<TestRegistry> => forTest(startRegistry(options))

describe('the strict registry', () => {
  it.each<[string, string, Send, number, string | undefined]>([
    ['a name in capitals', 'GET /v2/App/tags/list', {}, 400, 'NAME_INVALID'],
    ['a name with an empty part', 'GET /v2/a//b/tags/list', {}, 400, 'NAME_INVALID'],
    ['a repository that is not there', 'GET /v2/none/tags/list', {}, 404, 'NAME_UNKNOWN'],
    ['a tag outside the grammar', 'GET /v2/app/manifests/-a', {}, 400, 'MANIFEST_INVALID'],
    ['a digest outside the grammar', 'GET /v2/app/blobs/sha256:ABC', {}, 400, 'DIGEST_INVALID'],
    ['a blob that is not there', `HEAD /v2/app/blobs/sha256:${'0'.repeat(64)}`, {}, 404, undefined],
    [
      'a manifest that Accept does not name',
      'GET /v2/app/manifests/v1',
      { headers: { accept: 'application/json' } },
      404,
      'MANIFEST_UNKNOWN',
    ],
    [
      'a manifest without Content-Type',
      'PUT /v2/app/manifests/v2',
      { body: manifest() },
      400,
      'MANIFEST_INVALID',
    ],
    [
      'a Content-Type that is not its mediaType',
      'PUT /v2/app/manifests/v2',
      { ...putManifest, body: manifest({ mediaType: configType }) },
      400,
      'MANIFEST_INVALID',
    ],
    [
      'a manifest that is not its digest',
      `PUT /v2/app/manifests/${digest}`,
      putManifest,
      400,
      'DIGEST_INVALID',
    ],
    [
      'a size that is not the blob’s',
      'PUT /v2/app/manifests/v2',
      { ...putManifest, body: manifest({ config: { ...config, size: 1 } }) },
      400,
      'MANIFEST_INVALID',
    ],
    [
      'a layer that is not there',
      'PUT /v2/app/manifests/v2',
      { ...putManifest, body: manifest({ layers: [{ ...config, digest: `sha256:${'0'.repeat(64)}` }] }) },
      404,
      'MANIFEST_BLOB_UNKNOWN',
    ],
    [
      'a manifest over the bound',
      'PUT /v2/app/manifests/v2',
      { ...putManifest, body: `${manifest()}${' '.repeat(4 << 20)}` },
      413,
      'SIZE_INVALID',
    ],
    [
      'a session that is not there',
      'PUT /v2/app/blobs/uploads/none?digest=x',
      {},
      404,
      'BLOB_UPLOAD_UNKNOWN',
    ],
    [
      'a POST with bytes and no digest',
      'POST /v2/app/blobs/uploads/',
      { body: 'a' },
      400,
      'BLOB_UPLOAD_INVALID',
    ],
    ['a method that is not there', 'PATCH /v2/app/tags/list', {}, 405, 'UNSUPPORTED'],
  ])('refuses %s', async (_, target, options, status, code) => {
    const registry = await start()
    registry.state.addBlob('app', bytes)
    registry.state.addManifest('app', manifestType, Buffer.from(manifest()), ['v1'])
    const answer = await send(registry, target, options)
    expect([answer.status, answer.code]).toEqual([status, code])
    expect(registry.state.resolve('app', 'v2')).toBeUndefined()
  })

  it.each<[string, Record<string, string>, number, string]>([
    ['begins where nothing is', { 'content-range': '1-23' }, 416, 'BLOB_UPLOAD_INVALID'],
    ['is not as long as it says', { 'content-range': '0-23' }, 400, 'SIZE_INVALID'],
    ['has a word in its range', { 'content-range': 'bytes=0-22' }, 400, 'BLOB_UPLOAD_INVALID'],
    ['has no range', {}, 400, 'BLOB_UPLOAD_INVALID'],
    ['has no type', { 'content-range': '0-22', 'content-type': 'text/plain' }, 400, 'BLOB_UPLOAD_INVALID'],
  ])('refuses a chunk that %s', async (_, headers, status, code) => {
    const registry = await start()
    const options = { headers: { ...octets, ...headers }, body: bytes }
    const answer = await send(registry, `PATCH ${await session(registry)}`, options)
    expect([answer.status, answer.code]).toEqual([status, code])
  })

  it('takes chunks in order, tells where it is, and wants the newest Location', async () => {
    const registry = await start({ criticalQuery: true, uploadLocation: 'relative' })
    const first = await session(registry)
    const chunk = { headers: { ...octets, 'content-range': '0-9' }, body: bytes.subarray(0, 10) }
    const { headers } = await send(registry, `PATCH ${first}`, chunk)
    expect(headers['range']).toBe('0-9')
    const rest = { headers: { ...octets, 'content-range': '10-22' }, body: bytes.subarray(10) }
    expect((await send(registry, `PUT ${withDigest(first)}`, rest)).status).toBe(400)
    const asked = await send(registry, `GET ${first}`)
    expect([asked.status, asked.headers['range']]).toEqual([204, '0-9'])
    const done = await send(registry, `PUT ${withDigest(String(asked.headers['location']))}`, rest)
    expect(done.status).toBe(201)
    expect((await send(registry, `GET ${String(done.headers['location'])}`)).text).toBe(bytes.toString())
  })

  it('refuses a chunk after one below the least length', async () => {
    const registry = await start({ chunkMinLength: 12 })
    const { headers } = await send(registry, 'POST /v2/app/blobs/uploads/')
    expect(headers['oci-chunk-min-length']).toBe('12')
    const location = String(headers['location'])
    const chunk = (from: number, to: number): Send => ({
      headers: { ...octets, 'content-range': `${from}-${to}` },
      body: bytes.subarray(from, to + 1),
    })
    expect((await send(registry, `PATCH ${location}`, chunk(0, 9))).status).toBe(202)
    expect((await send(registry, `PATCH ${location}`, chunk(10, 22))).code).toBe('SIZE_INVALID')
  })

  it('mounts what lies in another repository, and opens a session for what does not', async () => {
    const registry = await start()
    registry.state.addBlob('base', bytes)
    const mount = (from: string): string => `POST /v2/app/blobs/uploads/?mount=${digest}&from=${from}`
    expect((await send(registry, mount('other'))).status).toBe(202)
    expect((await send(registry, mount('base'))).status).toBe(201)
    expect((await send(registry, `HEAD /v2/app/blobs/${digest}`)).headers['content-length']).toBe('23')
    const refusing = await start({ mount: 'refuse', state: registry.state })
    expect((await send(refusing, mount('base'))).status).toBe(202)
  })

  it('pages tags in lexical order by Link, n and last', async () => {
    const registry = await start({ pageSize: 3 })
    registry.state.addManifest('app', manifestType, Buffer.from(manifest()), ['b', 'C', 'a', 'd', 'E'])
    const first = await send(registry, 'GET /v2/app/tags/list')
    expect(JSON.parse(first.text)).toEqual({ name: 'app', tags: ['a', 'b', 'C'] })
    const next = /^<(.+)>; rel="next"$/.exec(String(first.headers['link']))?.[1]
    const second = await send(registry, `GET ${next}`)
    expect(JSON.parse(second.text)).toEqual({ name: 'app', tags: ['d', 'E'] })
    expect(second.headers['link']).toBeUndefined()
    const none = await send(registry, 'GET /v2/app/tags/list?n=0')
    expect([none.text, none.headers['link']]).toEqual(['{"name":"app","tags":[]}', undefined])
  })

  it('takes several tags at once, and lets immutable tags be', async () => {
    const registry = await start({ tagQuery: true, maxTagsPerPut: 3, immutableTags: true })
    registry.state.addBlob('app', bytes)
    const path = `PUT /v2/app/manifests/${digestOf(Buffer.from(manifest()))}`
    const { headers } = await send(registry, `${path}?tag=a&tag=b&tag=c&tag=d`, putManifest)
    expect(headers['oci-tag']).toEqual(['a, b', 'c'])
    expect(Array.from(registry.state.open('app').tags.keys())).toEqual(['a', 'b', 'c'])
    expect((await send(registry, 'PUT /v2/app/manifests/a', putManifest)).status).toBe(409)
  })

  it('lists referrers, or has no such API', async () => {
    const registry = await start()
    registry.state.addBlob('app', bytes)
    const subject = { mediaType: manifestType, digest: `sha256:${'1'.repeat(64)}`, size: 9 }
    const body = manifest({ subject, artifactType: 'text/x', annotations: { a: 'b' } })
    const put = await send(registry, 'PUT /v2/app/manifests/sig', { ...putManifest, body })
    expect(put.headers['oci-subject']).toBe(subject.digest)
    const list = `GET /v2/app/referrers/${subject.digest}`
    const listed: unknown = JSON.parse((await send(registry, list)).text)
    expect(listed).toMatchObject({ manifests: [{ artifactType: 'text/x', annotations: { a: 'b' } }] })
    const filtered = await send(registry, `${list}?artifactType=text/y`)
    expect(filtered.headers['oci-filters-applied']).toBe('artifactType')
    expect(JSON.parse(filtered.text)).toMatchObject({ manifests: [] })
    const without = await start({ referrers: false, state: registry.state })
    expect((await send(without, list)).status).toBe(404)
    const quiet = await send(without, 'PUT /v2/app/manifests/sig', { ...putManifest, body })
    expect([quiet.status, quiet.headers['oci-subject']]).toEqual([201, undefined])
  })

  it('sends ranges where it may, and says what is outside', async () => {
    const registry = await start()
    registry.state.addBlob('app', bytes)
    const get = (range: string, from = registry): Promise<Answer> =>
      send(from, `GET /v2/app/blobs/${digest}`, { headers: { range } })
    const part = await get('bytes=7-')
    expect([part.status, part.text, part.headers['content-range']]).toEqual([
      206,
      'of so many bytes',
      'bytes 7-22/23',
    ])
    expect((await get('bytes=23-')).status).toBe(416)
    expect((await get('bytes=7-', await start({ range: false, state: registry.state }))).status).toBe(200)
  })

  it('limits bodies and rates, and deletes only where it may', async () => {
    const small = await start({ maxBodyBytes: 10 })
    const tooLarge = await send(small, `PUT ${withDigest(await session(small))}`, {
      headers: octets,
      body: bytes,
    })
    expect([tooLarge.status, tooLarge.headers['content-type']]).toEqual([413, 'text/html'])
    const busy = await start({ rateLimit: { requests: 1, retryAfter: '7' } })
    await send(busy, 'GET /v2/')
    const limited = await send(busy, 'GET /v2/')
    expect([limited.status, limited.code, limited.headers['retry-after']]).toEqual([
      429,
      'TOOMANYREQUESTS',
      '7',
    ])
    const fixed = await start({ delete: false })
    fixed.state.addBlob('app', bytes)
    expect((await send(fixed, `DELETE /v2/app/blobs/${digest}`)).status).toBe(405)
    const open = await start({ state: fixed.state })
    expect((await send(open, `DELETE /v2/app/blobs/${digest}`)).status).toBe(202)
  })

  it('gives out what another host keeps, and takes no credentials there', async () => {
    const registry = await start({ blobs: 'other-host', uploadLocation: 'other-host' })
    registry.state.addBlob('app', bytes)
    const { status, headers } = await send(registry, `GET /v2/app/blobs/${digest}`)
    const location = String(headers['location'])
    expect([status, location.startsWith(registry.origin)]).toEqual([307, false])
    expect((await send(registry, `GET ${location}`)).text).toBe(bytes.toString())
    const authorization = { headers: { authorization: 'Basic eDp5' } }
    expect((await send(registry, `GET ${location}`, authorization)).status).toBe(400)
    expect((await send(registry, `GET ${await session(registry)}`, authorization)).status).toBe(400)
  })

  it('mirrors another registry below a path, for reading only', async () => {
    const origin = await start()
    origin.state.addBlob('library/node', bytes)
    const mirror = await start({ mirrorOf: { state: origin.state, prefix: 'hub' } })
    expect((await send(mirror, `GET /v2/hub/library/node/blobs/${digest}`)).status).toBe(200)
    expect((await send(mirror, `GET /v2/library/node/blobs/${digest}`)).status).toBe(404)
    expect((await send(mirror, 'POST /v2/hub/library/node/blobs/uploads/')).status).toBe(405)
  })
})
