/** What the store does when the way to the registry is bad: every fault once, and for ever. */

import { describe, expect, it } from 'vitest'
import { openRegistry } from '../../src/registry/registry-store.ts'
import { bytesOf, collectBytes } from '../helpers/images.ts'
import { downHost, startSilentHost } from '../helpers/registry/down.ts'
import { statusFault, type FaultAction } from '../helpers/registry/fault-proxy.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { behindProxy, blob, inPieces, large } from './behind-proxy.ts'
import { testContext } from './context.ts'

const statuses = [408, 425, 429, 500, 502, 503, 504].map(
  (status) => [`status ${status}`, statusFault(status)] as const,
)
const transient: readonly (readonly [string, FaultAction])[] = [
  ...statuses,
  ['a reset', { kind: 'reset' }],
  ['a stall before the headers', { kind: 'stall', at: 'headers' }],
]

describe('each request is repeated', () => {
  it.each(transient)('after %s', async (_, action) => {
    const { registry, proxy, store } = await behindProxy(
      ['HEAD', 'POST', 'PUT', 'GET'].map((method) => ({
        method,
        // A stall takes its time.
        times: action.kind === 'stall' ? 1 : 2,
        action,
      })),
      // POST and PUT of an upload share its attempts.
      { limits: { attempts: 5, timeouts: { connectMs: 500, headersMs: 200, idleMs: 200 }, commitMs: 200 } },
    )
    await store.push(blob, inPieces())
    expect((await collectBytes(await store.fetch(blob))).equals(large)).toBe(true)
    expect(await openRegistry({ host: proxy.host, repository: 'team/app' }, testContext()).has(blob)).toBe(
      true,
    )
    expect(registry.state.uploads.size).toBe(0)
  })

  it('a bounded number of times, and the last error names the first cause', async () => {
    const { proxy, store } = await behindProxy([
      { method: 'HEAD', action: statusFault(503) },
      { method: 'HEAD', times: Infinity, action: { kind: 'reset' } },
    ])
    const error: unknown = await store.has(blob).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'OCB-NETWORK-CONNECT' })
    expect(String(error)).toMatch(/4 attempts; the first one: HEAD .* answered with status 503/)
    expect(proxy.requests).toHaveLength(4)
  })

  it('an upload that always fails ends after the attempts, its sessions given up', async () => {
    const { registry, proxy, store } = await behindProxy([
      { method: 'PUT', times: Infinity, action: { kind: 'cut-request', afterBytes: 1000 } },
      { method: 'PATCH', times: Infinity, action: statusFault(500) },
      { method: 'GET', times: Infinity, action: statusFault(404) },
    ])
    await expect(store.push(blob, inPieces())).rejects.toMatchObject({
      message: expect.stringMatching(/4 attempts; the first one: PUT .*ECONNRESET|4 attempts/),
    })
    const count = (method: string) => proxy.requests.filter(({ line }) => line.startsWith(method)).length
    expect([count('POST'), count('PUT') + count('PATCH'), count('DELETE')]).toEqual([4, 4, 4])
    expect(registry.state.uploads.size).toBe(0)
  })

  it('not when another try cannot help', async () => {
    const { proxy, store } = await behindProxy([{ times: Infinity, action: statusFault(400) }])
    await expect(store.has(blob)).rejects.toMatchObject({ code: 'OCB-REGISTRY-REFUSED', status: 400 })
    expect(proxy.requests).toHaveLength(1)
  })

  it.each([
    ['seconds', () => '1'],
    ['a date', () => new Date(Date.now() + 1900).toUTCString()],
  ])('after the time that Retry-After asks for in %s', async (_, value) => {
    const { proxy, store } = await behindProxy([
      { method: 'HEAD', action: statusFault(429, { 'Retry-After': value() }) },
    ])
    await store.has(blob)
    const [first, second] = proxy.requests
    // A date has whole seconds.
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(850)
  })

  it('not when Retry-After asks for too long', async () => {
    const { proxy, store } = await behindProxy([
      { method: 'HEAD', times: Infinity, action: statusFault(429, { 'Retry-After': '3600' }) },
    ])
    const error: unknown = await store.has(blob).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'OCB-REGISTRY-RATE-LIMITED' })
    expect(String(error)).toContain('it asks to wait 3600 s')
    expect(proxy.requests).toHaveLength(1)
  })
})

describe('a download that is cut', () => {
  it.each([true, false])('goes on where it was (Range honoured: %s)', async (range) => {
    const { registry, proxy, store } = await behindProxy(
      [
        { method: 'GET', action: { kind: 'cut-answer', afterBytes: 100_000 } },
        { method: 'GET', action: { kind: 'stall', at: 'body', afterBytes: 50_000 } },
        { method: 'GET', action: statusFault(502) },
      ],
      { registry: { range }, limits: { timeouts: { connectMs: 500, headersMs: 300, idleMs: 300 } } },
    )
    registry.state.addBlob('team/app', large)
    expect((await collectBytes(await store.fetch(blob))).equals(large)).toBe(true)
    expect(proxy.requests).toHaveLength(4)
  })

  it('ends when it makes no progress', async () => {
    const { registry, store } = await behindProxy([
      { method: 'GET', times: Infinity, action: { kind: 'cut-answer', afterBytes: 0 } },
    ])
    registry.state.addBlob('team/app', large)
    await expect(store.fetch(blob).then(collectBytes)).rejects.toMatchObject({
      code: 'OCB-NETWORK-CONNECT',
      message: expect.stringContaining('after 0 of 300000 bytes'),
    })
  })
})

describe('a host', () => {
  it('where nobody listens is an error at once', async () => {
    const host = await downHost()
    const store = openRegistry({ host, repository: 'team/app' }, testContext())
    await expect(store.has(blob)).rejects.toMatchObject({
      code: 'OCB-NETWORK-CONNECT',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('that never answers is given up', async () => {
    const silent = await forTest(startSilentHost())
    const limits = { attempts: 2, timeouts: { connectMs: 300, headersMs: 300, idleMs: 300 } }
    const store = openRegistry({ host: silent.host, repository: 'team/app' }, testContext({ limits }))
    await expect(store.has(blob)).rejects.toMatchObject({ code: 'OCB-NETWORK-TIMEOUT' })
  })

  it('that speaks no HTTP is an error', async () => {
    const { store } = await behindProxy([{ times: Infinity, action: { kind: 'garbage' } }])
    await expect(store.has(blob)).rejects.toMatchObject({ code: 'OCB-NETWORK-CONNECT' })
  })

  it('is left alone when the caller stops, also in the middle of a wait', async () => {
    const { proxy, store } = await behindProxy([{ times: Infinity, action: statusFault(503) }], {
      limits: { retryDelayMs: 60_000 },
    })
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    await expect(store.push(blob, bytesOf(large), { signal: stop.signal })).rejects.toMatchObject({
      code: 'OCB-INTERRUPTED',
    })
    expect(proxy.requests.length).toBeLessThan(3)
  })
})
