import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  startFaultProxy,
  statusFault,
  type FaultAction,
  type FaultProxy,
} from '../helpers/registry/fault-proxy.ts'
import { startRegistry, type TestRegistry } from '../helpers/registry/registry.ts'

const run = promisify(execFile)
const blob = Buffer.alloc(300_000, 'blob ')
const bytesType = { 'content-type': 'application/octet-stream' }

describe('the fault proxy', () => {
  let registry: TestRegistry
  let proxy: FaultProxy
  let digest = ''
  beforeEach(async () => {
    registry = await startRegistry()
    digest = registry.state.addBlob('app', blob)
    proxy = await startFaultProxy(registry.origin)
  })
  afterEach(async () => {
    await proxy.close()
    await registry.close()
  })

  const blobUrl = (): string => `${proxy.origin}/v2/app/blobs/${digest}`
  const get = async (): Promise<{ status: number; body: Buffer }> => {
    const { statusCode, body } = await request(blobUrl())
    return { status: statusCode, body: Buffer.from(await body.arrayBuffer()) }
  }
  const plan = (action: FaultAction): void => proxy.follow([{ path: /\/blobs\//, action }])
  const startSession = async (): Promise<string> => {
    const { headers, body } = await request(`${proxy.origin}/v2/app/blobs/uploads/`, { method: 'POST' })
    await body.dump()
    return String(headers['location'])
  }

  it('passes what it has no plan for, and Locations lead back through it', async () => {
    expect((await get()).body.equals(blob)).toBe(true)
    const location = await startSession()
    expect(location).toContain(proxy.host)
    const { statusCode } = await request(`${location}?digest=${digest}`, {
      method: 'PUT',
      headers: bytesType,
      body: blob,
    })
    expect(statusCode).toBe(201)
    expect(registry.state.uploads.size).toBe(0)
  })

  it('gives a status as often as its plan says, then passes', async () => {
    proxy.follow([
      { path: /\/blobs\//, skip: 1, times: 2, action: statusFault(503, { 'Retry-After': '1' }) },
      { path: /\/manifests\//, action: { kind: 'reset' } },
    ])
    const statuses = [await get(), await get(), await get(), await get()].map(({ status }) => status)
    expect(statuses).toEqual([200, 503, 503, 200])
    expect(proxy.requests.map(({ fault }) => fault)).toEqual([undefined, 'answer', 'answer', undefined])
    expect(registry.requests).toHaveLength(2)
  })

  it.each<[string, FaultAction, RegExp]>([
    ['resets', { kind: 'reset' }, /ECONNRESET|other side closed/],
    [
      'cuts answers',
      { kind: 'cut-answer', afterBytes: 1000 },
      /ECONNRESET|other side closed|terminated|aborted/,
    ],
    ['answers what is no HTTP', { kind: 'garbage' }, /HTTP/],
  ])('%s', async (_, action, message) => {
    plan(action)
    await expect(get()).rejects.toThrow(message)
    expect((await get()).body.equals(blob)).toBe(true)
  })

  it.each<[string, FaultAction]>([
    ['headers', { kind: 'stall', at: 'headers' }],
    ['body', { kind: 'stall', at: 'body', afterBytes: 10 }],
  ])('stalls at the %s', async (_, action) => {
    plan(action)
    const { body } = await request(blobUrl(), { headersTimeout: 200, bodyTimeout: 200 }).catch(
      (error: unknown) => {
        expect(String(error)).toMatch(/Headers Timeout/)
        return { body: undefined }
      },
    )
    if (body) await expect(body.arrayBuffer()).rejects.toThrow(/Body Timeout/)
  })

  it('truncates and alters answers without a word', async () => {
    plan({ kind: 'truncate-answer', bytes: 10 })
    expect((await get()).body.equals(blob.subarray(0, 10))).toBe(true)
    plan({ kind: 'alter-answer', at: 200_000 })
    const { body } = await get()
    expect(body).toHaveLength(blob.length)
    expect(body[200_000]).toBe((blob[200_000] ?? 0) ^ 0xff)
  })

  it('cuts uploads: the registry keeps what came, and says so', async () => {
    const location = await startSession()
    proxy.follow([{ method: 'PATCH', action: { kind: 'cut-request', afterBytes: 100_000 } }])
    const patch = request(location, {
      method: 'PATCH',
      headers: { ...bytesType, 'content-range': `0-${blob.length - 1}` },
      body: blob,
    })
    await expect(patch).rejects.toThrow(/ECONNRESET|EPIPE|other side closed/)
    const { statusCode, headers } = await request(location)
    expect([statusCode, headers['range']]).toEqual([204, '0-99999'])
  })

  it('alters uploads, and loses the answers of those that were done', async () => {
    proxy.follow([
      { method: 'PUT', action: { kind: 'alter-request', at: 5 } },
      { method: 'PUT', action: { kind: 'lose-answer' } },
    ])
    const options = { method: 'PUT', headers: bytesType, body: blob } as const
    const altered = await request(`${await startSession()}?digest=${digest}`, options)
    expect(await altered.body.json()).toMatchObject({ errors: [{ code: 'DIGEST_INVALID' }] })
    registry.state.open('app').blobs.clear()
    await expect(request(`${await startSession()}?digest=${digest}`, options)).rejects.toThrow()
    expect(registry.state.open('app').blobs.has(digest)).toBe(true)
  })

  it('redirects in a circle and never ends a body', async () => {
    proxy.follow([{ times: Infinity, action: { kind: 'redirect-to-itself' } }])
    await expect(fetch(blobUrl())).rejects.toMatchObject({ cause: { message: 'redirect count exceeded' } })
    plan({ kind: 'endless', contentType: 'application/json', prefix: '{"a":"' })
    const { body } = await request(blobUrl())
    let read = 0
    for await (const chunk of body) if ((read += Buffer.byteLength(chunk)) > 5_000_000) break
    expect(read).toBeGreaterThan(5_000_000)
  })

  it('is slow by so much', async () => {
    plan({ kind: 'slow', bytes: 100_000, pauseMs: 50 })
    const startedMs = performance.now()
    expect((await get()).body.equals(blob)).toBe(true)
    expect(performance.now() - startedMs).toBeGreaterThan(140)
  })

  it('shows its faults to curl as a broken network does', async () => {
    const curl = await run('sh', ['-c', 'command -v curl || true'])
    if (curl.stdout === '') return
    plan({ kind: 'cut-answer', afterBytes: 1000 })
    await expect(run('curl', ['-fsS', '-o', '/dev/null', blobUrl()])).rejects.toThrow(
      /reset|transfer closed|Recv failure/i,
    )
  })
})
