import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { copyGraph } from '../../src/content/copy-graph.ts'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { openRegistry } from '../../src/registry/registry-store.ts'
import { closeRegistries } from '../../src/registry/sessions.ts'
import { makeImage, plainLayer, rawTar } from '../helpers/hand-made-image.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { startDockerRegistry, type DockerRegistry } from '../helpers/registry/docker-registry.ts'
import { startFaultProxy, statusFault, type Fault, type FaultProxy } from '../helpers/registry/fault-proxy.ts'
import { testContext, type TestContext } from './context.ts'

// What a real registry makes of uploads that break off: its sessions, its `_state`, its Range.
describeWithPeers('faults on the way to docker-registry', ['docker-registry'], () => {
  let registry: DockerRegistry
  let proxy: FaultProxy
  let context: TestContext
  beforeAll(async () => {
    registry = await startDockerRegistry()
    proxy = await startFaultProxy(registry.origin)
    const timeouts = { connectMs: 1000, headersMs: 600, idleMs: 600 }
    context = testContext({ limits: { attempts: 4, chunkBytes: 100_000, timeouts, commitMs: 600 } })
  })
  afterAll(async () => {
    await closeRegistries(context)
    await proxy.close()
    await registry.close()
  })

  const upload = /\/blobs\/uploads\/./
  const tooLarge: Fault = { method: 'PUT', path: upload, action: statusFault(413) }
  const patch = { method: 'PATCH', path: upload, skip: 1 }
  const put = { method: 'PUT', path: upload }

  it.each<[string, readonly Fault[]]>([
    ['a PUT that is cut', [{ ...put, action: { kind: 'cut-request', afterBytes: 150_000 } }]],
    ['a PUT whose answer is lost', [{ ...put, action: { kind: 'lose-answer' } }]],
    ['a PUT that is altered', [{ ...put, action: { kind: 'alter-request', at: 7 } }]],
    ['a PUT that a proxy finds too large', [tooLarge]],
    ['a chunk that is cut', [tooLarge, { ...patch, action: { kind: 'cut-request', afterBytes: 40_000 } }]],
    ['a chunk whose answer is lost', [tooLarge, { ...patch, action: { kind: 'lose-answer' } }]],
    ['a chunk that is reset', [tooLarge, { ...patch, action: { kind: 'reset' } }]],
    ['a chunk that is not answered', [tooLarge, { ...patch, action: { kind: 'stall', at: 'headers' } }]],
    ['a chunk that is altered', [tooLarge, { ...patch, action: { kind: 'alter-request', at: 7 } }]],
    ['a close of a chunked upload that is lost', [tooLarge, { ...put, action: { kind: 'lose-answer' } }]],
    [
      'a manifest whose answer is lost',
      [{ method: 'PUT', path: /\/manifests\//, action: { kind: 'lose-answer' } }],
    ],
    ['a POST whose answer is lost', [{ method: 'POST', action: { kind: 'lose-answer' } }]],
  ])('%s: the image arrives whole, and comes back whole', async (title, plan) => {
    const repository = title.replaceAll(/\W+/g, '-').toLowerCase()
    const image = await makeImage([plainLayer(rawTar([{ name: 'noise', content: randomBytes(350_000) }]))])
    const store = openRegistry({ host: proxy.host, repository }, context, { access: 'push' })
    // The scheme is found out by a request of its own, so that the plan counts only ours.
    await expect(store.resolve('none')).rejects.toMatchObject({ code: 'OCB-REFERENCE-NOT-FOUND' })
    proxy.follow(plan)
    await copyGraph(image.store, image.root, store, { concurrency: 1 })
    await store.tag(image.root, 'v1')
    expect(proxy.requests.filter(({ fault }) => fault)).toHaveLength(plan.length)
    proxy.follow([{ method: 'GET', path: /\/blobs\//, action: { kind: 'cut-answer', afterBytes: 200_000 } }])
    const copy = createMemoryStore()
    await copyGraph(store, await store.resolve('v1'), copy, { concurrency: 1 })
    expect(await copy.has(image.root)).toBe(true)
  })
})
