/** Tags with as few requests as can be, pages, deletions, mounts. */

import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { pushGraph } from '../../src/registry/push-graph.ts'
import {
  openRegistry,
  type RegistryStore,
  type RegistryStoreOptions,
} from '../../src/registry/registry-store.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { describeBytes, putImage, putIndex } from '../helpers/images.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import type { RegistryOptions } from '../helpers/registry/options.ts'
import { startRegistry, type TestRegistry } from '../helpers/registry/registry.ts'
import { testContext } from './context.ts'

async function open(
  options: RegistryOptions = {},
  store: RegistryStoreOptions = {},
): Promise<{ registry: TestRegistry; store: RegistryStore; again: () => RegistryStore }> {
  const registry = await forTest(startRegistry(options))
  const again = (): RegistryStore =>
    openRegistry({ host: registry.host, repository: 'team/app' }, testContext(), store)
  return { registry, store: again(), again }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Without the digests. */
const shapes = (registry: TestRegistry): string[] =>
  registry
    .lines()
    .map((line) => line.replaceAll(/sha256(?::|%3A)[0-9a-f]{64}/g, 'D').replace('/v2/team/app', ''))

async function imageOf(
  text: string,
): Promise<{ memory: ReturnType<typeof createMemoryStore>; manifest: Descriptor }> {
  const memory = createMemoryStore()
  const { manifest } = await putImage(memory, [{ a: text }])
  return { memory, manifest }
}

describe('tags', () => {
  it('of an unchanged push cost one HEAD each, and the image one', async () => {
    const { registry, store, again } = await open()
    const memory = createMemoryStore()
    const images = [await putImage(memory, [{ a: '1' }]), await putImage(memory, [{ a: '1' }], 'arm64')]
    const index = await putIndex(
      memory,
      images.map(({ manifest }) => manifest),
    )
    await pushGraph(memory, index, store, ['1', 'latest'])
    const next = again()
    await next.has(describeBytes('text/plain', 'x'))
    registry.forgetRequests()
    expect(await pushGraph(memory, index, next, ['1', 'latest'])).toEqual([])
    expect(shapes(registry)).toEqual([
      'HEAD /manifests/D 200',
      'HEAD /manifests/1 200',
      'HEAD /manifests/latest 200',
    ])
  })

  it('that have the digest already are not PUT, so that immutable ones stay quiet', async () => {
    const { registry, store } = await open({ immutableTags: true })
    const { memory, manifest } = await imageOf('1')
    expect(await pushGraph(memory, manifest, store, ['1'])).toEqual(['1'])
    expect(await store.tagAll(manifest, ['1', '2'])).toEqual(['2'])
    const other = await imageOf('2')
    await expect(pushGraph(other.memory, other.manifest, store, ['1'])).rejects.toMatchObject({
      code: 'OCB-REGISTRY-REFUSED',
      status: 409,
    })
    expect(registry.state.open('team/app').tags.get('1')).toBe(manifest.digest)
  })

  it('go in one PUT where the registry can, and by themselves where it does not echo them', async () => {
    for (const [options, puts] of [
      [{ tagQuery: true }, 1],
      [{ tagQuery: true, maxTagsPerPut: 2 }, 2],
      [{}, 4],
    ] as const) {
      const { registry, store } = await open(options)
      const { memory, manifest } = await imageOf('1')
      await pushGraph(memory, manifest, store, [])
      registry.forgetRequests()
      expect(await store.tagAll(manifest, ['a', 'b', 'c', 'a'])).toEqual(['a', 'b', 'c'])
      expect(shapes(registry).filter((line) => line.startsWith('PUT'))).toHaveLength(puts)
      expect([...registry.state.open('team/app').tags.keys()].sort()).toEqual(['a', 'b', 'c'])
      if (puts < 4) continue
      // Once it is known, nothing is tried.
      registry.forgetRequests()
      await store.tagAll(manifest, ['d', 'e'])
      expect(shapes(registry).filter((line) => line.startsWith('PUT'))).toHaveLength(2)
    }
  })

  it('are listed page by page', async () => {
    for (const linkUrl of ['absolute', 'relative'] as const) {
      const { registry, store } = await open({ pageSize: 3, linkUrl })
      const { memory, manifest } = await imageOf('1')
      await pushGraph(memory, manifest, store, [])
      const tags = registry.state.open('team/app').tags
      for (let at = 10; at < 20; at += 1) tags.set(`v${at}`, manifest.digest)
      expect(await collect(store.listTags())).toEqual([...tags.keys()])
    }
    const { store } = await open()
    await expect(collect(store.listTags())).rejects.toMatchObject({ code: 'OCB-REGISTRY-NOT-FOUND' })
  })

  it('and manifests are deleted, or the registry says that it does not', async () => {
    const { registry, store } = await open()
    const { memory, manifest } = await imageOf('1')
    await pushGraph(memory, manifest, store, ['1', '2'])
    await store.deleteManifest('1')
    expect([...registry.state.open('team/app').tags.keys()]).toEqual(['2'])
    await store.deleteManifest(manifest.digest)
    await expect(store.resolve('2')).rejects.toMatchObject({ code: 'OCB-REFERENCE-NOT-FOUND' })
    await expect(store.deleteManifest('2')).rejects.toMatchObject({ code: 'OCB-REFERENCE-NOT-FOUND' })
    const strict = await open({ delete: false })
    await pushGraph(memory, manifest, strict.store, ['1'])
    await expect(strict.store.deleteManifest('1')).rejects.toMatchObject({ code: 'OCB-REGISTRY-UNSUPPORTED' })
  })

  it('outside the grammar are refused before anything is asked', async () => {
    const { registry, store } = await open()
    const { manifest } = await imageOf('1')
    for (const tag of ['', '-a', 'a b', 'a/../b', 'a'.repeat(129), '../x']) {
      await expect(store.resolve(tag)).rejects.toMatchObject({ code: 'OCB-USAGE-TAG' })
      await expect(store.tag(manifest, tag)).rejects.toMatchObject({ code: 'OCB-USAGE-TAG' })
    }
    for (const repository of ['', 'A', 'a//b', '../a', 'a/', 'a?x=1', 'a#b']) {
      expect(() => openRegistry({ host: registry.host, repository }, testContext())).toThrow(
        /is not a repository/,
      )
    }
    for (const host of ['', 'a b', 'user@host', 'host/x', 'host?x']) {
      expect(() => openRegistry({ host, repository: 'a' }, testContext())).toThrow(/is not a repository/)
    }
    expect(registry.requests).toEqual([])
  })
})

describe('blobs of what the tag names now', () => {
  it('are taken as present, and sent after all where the registry lost them', async () => {
    const { registry, store, again } = await open()
    const memory = createMemoryStore()
    const old = await putImage(memory, [{ a: '1' }])
    const next = await putImage(memory, [{ a: '1' }, { b: '2' }])
    await pushGraph(memory, old.manifest, store, ['latest'])
    registry.forgetRequests()
    await pushGraph(memory, next.manifest, again(), ['latest'], { presume: 'latest' })
    const shared = old.layers[0]?.digest
    expect(registry.lines().filter((line) => line.includes(`blobs/${shared}`))).toEqual([])

    registry.state.open('team/app').blobs.delete(String(shared))
    registry.state.open('team/app').manifests.delete(next.manifest.digest)
    registry.state.open('team/app').tags.set('latest', old.manifest.digest)
    await pushGraph(memory, next.manifest, again(), ['latest'], { presume: 'latest' })
    expect(registry.state.open('team/app').blobs.has(String(shared))).toBe(true)
    expect(registry.state.open('team/app').tags.get('latest')).toBe(next.manifest.digest)
  })
})

describe('mounts', () => {
  it('are tried before the bytes are fetched, and fall back to the upload that the registry opened', async () => {
    for (const mount of ['accept', 'refuse'] as const) {
      const { registry, store } = await open({ mount }, { mountFrom: ['team/base'] })
      const memory = createMemoryStore()
      const image = await putImage(memory, [{ a: '1' }])
      for (const layer of [image.config, ...image.layers]) {
        const bytes = Buffer.concat(await collect(await memory.fetch(layer)))
        registry.state.addBlob('team/base', bytes)
      }
      const fetched: string[] = []
      const source = {
        fetch: async (target: Descriptor) => {
          fetched.push(target.mediaType)
          return await memory.fetch(target)
        },
      }
      await pushGraph(source, image.manifest, store, ['latest'])
      const posts = registry.lines().filter((line) => line.startsWith('POST'))
      expect(posts).toHaveLength(2)
      expect(fetched.filter((type) => type === mediaTypes.layerGzip)).toHaveLength(mount === 'accept' ? 0 : 1)
      expect(registry.state.uploads.size).toBe(0)
    }
  })

  it('know the repositories in which the cache saw a blob, and tell it of new ones', async () => {
    const registry = await forTest(startRegistry())
    const hello = describeBytes('text/plain', 'hello')
    registry.state.addBlob('other/place', Buffer.from('hello'))
    const seen: string[] = []
    const context = testContext({
      context: {
        cachedRepositories: (host, digest) =>
          host === registry.host && digest === hello.digest ? ['other/place'] : [],
        seenBlob: (host, repository, digest) => void seen.push(`${host} ${repository} ${digest}`),
      },
    })
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, context)
    expect(store.mountSources(hello)).toEqual(['other/place'])
    expect(await store.mount(hello, 'other/place')).toBe(true)
    expect(seen).toEqual([`${registry.host} team/app ${hello.digest}`])
  })
})
