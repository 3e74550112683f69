/** Against software of others: Debian's docker-registry as the server, skopeo as the other client. */

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { copyGraph } from '../../src/content/copy-graph.ts'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { openLayout } from '../../src/layout/layout-store.ts'
import { pushGraph } from '../../src/registry/push-graph.ts'
import { openRegistry } from '../../src/registry/registry-store.ts'
import { bytesOf, collectBytes, describeBytes, putImage, putIndex } from '../helpers/images.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { dockerUser, startDockerRegistry } from '../helpers/registry/docker-registry.ts'
import { startFaultProxy, statusFault } from '../helpers/registry/fault-proxy.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { testContext } from './context.ts'

const run = promisify(execFile)

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ocibuild-interop-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function twoPlatforms() {
  const memory = createMemoryStore()
  const images = [
    await putImage(memory, [{ a: '1' }, { b: '2' }]),
    await putImage(memory, [{ a: '1' }, { b: '3' }], 'arm64'),
  ]
  return {
    memory,
    index: await putIndex(
      memory,
      images.map(({ manifest }) => manifest),
    ),
  }
}

describeWithPeers('with docker-registry and skopeo', ['docker-registry', 'skopeo'], ({ skopeo }) => {
  it('skopeo reads what was pushed, and its copy has the same digests', async () => {
    const registry = await forTest(startDockerRegistry())
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, testContext())
    const { memory, index } = await twoPlatforms()
    await pushGraph(memory, index, store, ['1', 'latest'])
    const folder = temporaryFolder()
    const source = `docker://${registry.host}/team/app:1`
    await run(skopeo, ['copy', '--all', '--src-tls-verify=false', source, `oci:${folder}/image:1`])
    expect((await (await openLayout(join(folder, 'image'))).resolve('1')).digest).toBe(index.digest)
  })

  it('what skopeo pushed is pulled with the same digests', async () => {
    const registry = await forTest(startDockerRegistry())
    const folder = temporaryFolder()
    const layout = await openLayout(join(folder, 'image'), { create: true })
    const { memory, index } = await twoPlatforms()
    await copyGraph(memory, index, layout)
    await layout.tag(index, '1')
    const target = `docker://${registry.host}/team/app:1`
    await run(skopeo, ['copy', '--all', '--dest-tls-verify=false', `oci:${folder}/image:1`, target])
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, testContext())
    const found = await store.resolve('1')
    expect(found).toEqual({ mediaType: index.mediaType, digest: index.digest, size: index.size })
    const back = createMemoryStore()
    await copyGraph(store, found, back)
    expect(await back.has(index)).toBe(true)
    const tags: string[] = []
    for await (const tag of store.listTags()) tags.push(tag)
    expect(tags).toEqual(['1'])
  })
})

describeWithPeers('with docker-registry', ['docker-registry'], () => {
  it('Basic, mounts, referrers by tag and deleting work', async () => {
    const registry = await forTest(startDockerRegistry({ htpasswd: true }))
    const context = testContext({ credentials: { [registry.host]: { kind: 'basic', ...dockerUser } } })
    const base = openRegistry({ host: registry.host, repository: 'team/base' }, context)
    const hello = describeBytes('text/plain', 'hello')
    await base.push(hello, bytesOf('hello'))
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, context, {
      mountFrom: ['team/base'],
    })
    expect(await store.has(hello)).toBe(false)
    expect(await store.mount(hello, 'team/base')).toBe(true)
    expect(String(await collectBytes(await store.fetch(hello)))).toBe('hello')
    const { memory, index } = await twoPlatforms()
    await pushGraph(memory, index, store, ['1'])
    expect((await store.referrers(index.digest)).manifests).toEqual([])
    await store.deleteManifest(index.digest)
    await expect(store.resolve('1')).rejects.toMatchObject({ code: 'OCB-REFERENCE-NOT-FOUND' })
    const anonymous = openRegistry({ host: registry.host, repository: 'team/app' }, testContext())
    await expect(anonymous.resolve('1')).rejects.toMatchObject({ code: 'OCB-REGISTRY-AUTH' })
  })

  it('chunks arrive, also after a cut', async () => {
    const registry = await forTest(startDockerRegistry())
    const proxy = await forTest(
      startFaultProxy(registry.origin, [
        { method: 'PUT', path: /uploads/, action: statusFault(413) },
        { method: 'PATCH', skip: 1, action: { kind: 'cut-request', afterBytes: 30_000 } },
        { method: 'PATCH', action: { kind: 'lose-answer' } },
      ]),
    )
    const context = testContext({ limits: { chunkBytes: 100_000 } })
    const store = openRegistry({ host: proxy.host, repository: 'team/app' }, context)
    const large = Buffer.alloc(450_000, 'abcdefg')
    const blob = describeBytes('application/octet-stream', large)
    await store.push(blob, bytesOf(large))
    expect((await collectBytes(await store.fetch(blob))).equals(large)).toBe(true)
    expect(proxy.requests.filter(({ line }) => line.startsWith('PATCH')).length).toBeGreaterThan(4)
  })

  it('a pull through its cache works as a mirror', async () => {
    const registry = await forTest(startDockerRegistry())
    const cache = await forTest(startDockerRegistry({ mirrorOf: registry.origin }))
    const { memory, index } = await twoPlatforms()
    const direct = openRegistry({ host: registry.host, repository: 'team/app' }, testContext())
    await pushGraph(memory, index, direct, ['1'])
    const context = testContext({ settings: { [registry.host]: { mirrors: [cache.host] } } })
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, context)
    const back = createMemoryStore()
    await copyGraph(store, await store.resolve('1'), back)
    expect(await back.has(index)).toBe(true)
    expect(context.warnings).toEqual([])
  })
})
