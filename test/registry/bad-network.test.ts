/** What the store does when the way to the registry is bad: every fault once, and for ever. */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ByteStream } from '../../src/content/store.ts'
import type { RegistryLimits } from '../../src/registry/registry-context.ts'
import { openRegistry, type RegistryStore } from '../../src/registry/registry-store.ts'
import { bytesOf, collectBytes, describeBytes } from '../helpers/images.ts'
import { downHost, startSilentHost } from '../helpers/registry/down.ts'
import {
  startFaultProxy,
  statusFault,
  type Fault,
  type FaultAction,
} from '../helpers/registry/fault-proxy.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import type { RegistryOptions } from '../helpers/registry/options.ts'
import { startRegistry } from '../helpers/registry/registry.ts'
import { testContext } from './context.ts'

const large = Buffer.alloc(300_000, 'abcdefg')
const blob = describeBytes('application/octet-stream', large)
const inPieces = async function* (): ByteStream {
  for (let at = 0; at < large.length; at += 50_000) yield large.subarray(at, at + 50_000)
}

async function behindProxy(
  plan: readonly Fault[],
  options: { registry?: RegistryOptions; limits?: Partial<RegistryLimits>; spool?: string } = {},
) {
  const registry = await forTest(startRegistry(options.registry))
  const proxy = await forTest(startFaultProxy(registry.origin))
  const base = testContext({ limits: { attempts: 4, ...options.limits } })
  const context =
    options.spool === undefined
      ? base
      : { ...base, environment: { ...base.environment, tempDir: options.spool } }
  const store = openRegistry({ host: proxy.host, repository: 'team/app' }, context)
  // The scheme is found out before the faults begin.
  await store.has(blob)
  registry.forgetRequests()
  proxy.follow(plan)
  return { registry, proxy, store }
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ocibuild-network-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

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

describe('an upload', () => {
  const pushes: readonly (readonly [string, (store: RegistryStore) => Promise<void>])[] = [
    ['from memory', async (store) => await store.push(blob, inPieces())],
    [
      'from a file',
      async (store) => {
        const path = join(temporaryFolder(), 'blob')
        writeFileSync(path, large)
        await store.pushFile(blob, path)
      },
    ],
  ]
  it.each(pushes)('%s is sent again after a cut, into a new session', async (_, push) => {
    const { registry, proxy, store } = await behindProxy([
      { method: 'PUT', action: { kind: 'cut-request', afterBytes: 120_000 } },
    ])
    await push(store)
    expect(registry.state.open('team/app').blobs.get(blob.digest)?.equals(large)).toBe(true)
    expect(proxy.requests.filter(({ line }) => line.startsWith('POST'))).toHaveLength(2)
  })

  it('from a stream too large for memory is sent again from a temporary file, which goes', async () => {
    const spool = temporaryFolder()
    const { registry, store } = await behindProxy(
      [{ method: 'PUT', times: 2, action: { kind: 'cut-request', afterBytes: 120_000 } }],
      { limits: { memoryBytes: 1000 }, spool },
    )
    let read = 0
    const once = async function* (): ByteStream {
      for await (const piece of inPieces()) {
        read += piece.length
        yield piece
      }
    }
    await store.push(blob, once())
    expect(registry.state.open('team/app').blobs.get(blob.digest)?.equals(large)).toBe(true)
    expect(read).toBe(large.length)
    expect(readdirSync(spool)).toEqual([])
  })

  it('from such a stream ends at once when the stream itself is at fault', async () => {
    const spool = temporaryFolder()
    const { registry, proxy, store } = await behindProxy([], { limits: { memoryBytes: 1000 }, spool })
    const failing = async function* (): ByteStream {
      yield large.subarray(0, 200_000)
      throw new Error('the disk is gone')
    }
    await expect(store.push(blob, failing())).rejects.toThrow('the disk is gone')
    const wrong = async function* (): ByteStream {
      yield large.subarray(0, 200_000)
      yield Buffer.alloc(100_000)
    }
    await expect(store.push(blob, wrong())).rejects.toMatchObject({ code: 'OCB-CONTENT-MISMATCH' })
    expect(proxy.requests.filter(({ line }) => line.startsWith('POST'))).toHaveLength(2)
    expect(registry.state.uploads.size).toBe(0)
    expect(registry.state.open('team/app').blobs.size).toBe(0)
    expect(readdirSync(spool)).toEqual([])
  })

  it('whose answer is lost is found stored, and not sent again', async () => {
    const { proxy, store } = await behindProxy([{ method: 'PUT', action: { kind: 'lose-answer' } }])
    await store.push(blob, inPieces())
    expect(proxy.requests.filter(({ line }) => line.startsWith('PUT'))).toHaveLength(1)
  })

  it('that a proxy finds too large goes in chunks, smaller ones until they pass', async () => {
    const { registry, store } = await behindProxy([], {
      registry: { maxBodyBytes: 70_000 },
      limits: { chunkBytes: 200_000 },
    })
    await store.push(blob, inPieces())
    expect(registry.state.open('team/app').blobs.get(blob.digest)?.equals(large)).toBe(true)
    expect(registry.lines().filter((line) => /^PATCH .* 202$/.test(line)).length).toBeGreaterThan(3)
    expect(registry.state.uploads.size).toBe(0)
  })

  it('in chunks never sends fewer bytes than the registry wants', async () => {
    const { registry, store } = await behindProxy([{ method: 'PUT', action: statusFault(413) }], {
      registry: { chunkMinLength: 120_000, uploadLocation: 'relative', criticalQuery: true },
      limits: { chunkBytes: 1000 },
    })
    await store.push(blob, inPieces())
    expect(registry.state.open('team/app').blobs.get(blob.digest)?.equals(large)).toBe(true)
    expect(registry.lines().filter((line) => line.startsWith('PATCH'))).toHaveLength(3)
  })

  it.each([true, false])(
    'in chunks goes on where the registry is (partial chunks kept: %s)',
    async (kept) => {
      const { registry, proxy, store } = await behindProxy(
        [
          { method: 'PUT', action: statusFault(413) },
          { method: 'PATCH', skip: 1, action: { kind: 'cut-request', afterBytes: 30_000 } },
          { method: 'PATCH', action: { kind: 'lose-answer' } },
          { method: 'PATCH', action: statusFault(503) },
        ],
        { registry: { keepPartialUploads: kept, criticalQuery: true }, limits: { chunkBytes: 100_000 } },
      )
      await store.push(blob, inPieces())
      expect(registry.state.open('team/app').blobs.get(blob.digest)?.equals(large)).toBe(true)
      expect(proxy.requests.filter(({ line }) => line.startsWith('POST'))).toHaveLength(2)
      expect(proxy.requests.filter(({ line }) => line.startsWith('GET')).length).toBeGreaterThan(0)
    },
  )

  it('that is refused early, while most of the body is still here, goes in chunks all the same', async () => {
    const { registry, store } = await behindProxy(
      [{ method: 'PUT', action: { kind: 'answer', status: 413, early: true } }],
      { limits: { chunkBytes: 8_000_000 } },
    )
    const huge = Buffer.alloc(20_000_000, 'abcdefg')
    const path = join(temporaryFolder(), 'blob')
    writeFileSync(path, huge)
    const descriptor = describeBytes('application/octet-stream', huge)
    await store.pushFile(descriptor, path)
    expect(registry.state.open('team/app').blobs.get(descriptor.digest)?.equals(huge)).toBe(true)
  })

  it('that nobody takes any more is begun again', async () => {
    const { registry, store } = await behindProxy(
      [{ method: 'PUT', action: { kind: 'stall', at: 'request' } }],
      {
        limits: { timeouts: { connectMs: 500, headersMs: 500, idleMs: 300 }, commitMs: 60_000 },
      },
    )
    const huge = Buffer.alloc(20_000_000, 'abcdefg')
    const descriptor = describeBytes('application/octet-stream', huge)
    await store.push(descriptor, bytesOf(huge))
    expect(registry.state.open('team/app').blobs.has(descriptor.digest)).toBe(true)
  })

  it('that is cut as a whole is tried in chunks, and as a whole again where there are none', async () => {
    for (const patch of [true, false]) {
      const { registry, proxy, store } = await behindProxy(
        [{ method: 'PUT', action: { kind: 'cut-request', afterBytes: 1000 } }],
        { registry: { patch } },
      )
      await store.push(blob, inPieces())
      expect(registry.state.open('team/app').blobs.has(blob.digest)).toBe(true)
      const patches = proxy.requests.filter(({ line }) => line.startsWith('PATCH')).length
      expect(patches).toBe(patch ? 2 : 1)
    }
  })

  it('of many blobs from one host to the same one comes to its end on few connections', async () => {
    const registry = await forTest(startRegistry({ mount: 'refuse' }))
    const context = testContext({ limits: { connections: 2, memoryBytes: 1000 } })
    const from = openRegistry({ host: registry.host, repository: 'team/from' }, context)
    const to = openRegistry({ host: registry.host, repository: 'team/to' }, context)
    const blobs = Array.from({ length: 8 }, (_, at) => Buffer.alloc(200_000, String(at)))
    const described = blobs.map((bytes) => describeBytes('application/octet-stream', bytes))
    for (const bytes of blobs) registry.state.addBlob('team/from', bytes)
    await Promise.all(described.map(async (one) => await to.push(one, await from.fetch(one))))
    expect(registry.state.open('team/to').blobs.size).toBe(8)
  })

  it('that the registry forgot is begun again', async () => {
    const { registry, store } = await behindProxy([{ method: 'PUT', action: statusFault(404) }])
    await store.push(blob, inPieces())
    expect(registry.state.open('team/app').blobs.has(blob.digest)).toBe(true)
  })

  it('that arrives altered is sent again, and never stands under the digest', async () => {
    const { registry, store } = await behindProxy([
      { method: 'PUT', action: { kind: 'alter-request', at: 5 } },
    ])
    await store.push(blob, inPieces())
    expect(registry.state.open('team/app').blobs.get(blob.digest)?.equals(large)).toBe(true)
    expect(registry.state.open('team/app').blobs.size).toBe(1)
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
