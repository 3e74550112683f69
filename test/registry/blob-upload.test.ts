/** Blobs on their way up: cut, refused, stalled, and stored in the end or not at all. */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ByteStream } from '../../src/content/store.ts'
import { openRegistry, type RegistryStore } from '../../src/registry/registry-store.ts'
import { bytesOf, describeBytes } from '../helpers/images.ts'
import { statusFault } from '../helpers/registry/fault-proxy.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry } from '../helpers/registry/registry.ts'
import { behindProxy, blob, inPieces, large } from './behind-proxy.ts'
import { testContext } from './context.ts'

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ocibuild-network-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

describe('an upload', () => {
  const pushes: readonly (readonly [string, (store: RegistryStore) => Promise<void>])[] = [
    ['from memory', async (store) => await store.push(blob, inPieces())],
    [
      'from a file',
      async (store) => {
        const path = join(temporaryFolder(), 'blob')
        writeFileSync(path, large)
        await store.pushFile(blob, { path, checked: false })
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
    await store.pushFile(descriptor, { path, checked: false })
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
