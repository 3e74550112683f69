/** Indexes: made, added to, taken from and annotated, also by several at once. */

import { describe, expect, it } from 'vitest'
import { createMemoryStore, type MemoryStore } from '../../src/content/memory-store.ts'
import type { Target } from '../../src/content/store.ts'
import { OciBuildError } from '../../src/errors.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { parsePlatform } from '../../src/spec/platform.ts'
import {
  addToIndex,
  annotateIndex,
  createIndex,
  removeFromIndex,
  type IndexSource,
} from '../../src/transfer/change-index.ts'
import { readAsIndex } from '../../src/transfer/index-entries.ts'
import { putImage, putIndex } from '../helpers/images.ts'

const fast = { settleMs: 4 }

async function image(architecture: string, content = architecture): Promise<IndexSource> {
  const store = createMemoryStore()
  const { manifest } = await putImage(store, [{ hello: content }], architecture)
  const { mediaType, digest, size } = manifest
  return { name: `app-${architecture}`, store, root: { mediaType, digest, size } }
}

async function platformsOf(store: MemoryStore, tag = 'latest'): Promise<readonly string[]> {
  const { manifests } = await readAsIndex(store, await store.resolve(tag))
  return manifests.map(({ platform }) => platform?.architecture ?? '-')
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof OciBuildError ? error.code : 'none'
}

describe('an index', () => {
  it('is made of images in their order, with all that they need', async () => {
    const target = createMemoryStore()
    const root = await createIndex(target, 'latest', [await image('arm64'), await image('amd64')], {
      annotations: { a: 'b' },
    })
    const index = await readAsIndex(target, root)
    expect(index.annotations).toEqual({ a: 'b' })
    expect(index.manifests.map(({ platform }) => platform)).toEqual([
      { os: 'linux', architecture: 'arm64' },
      { os: 'linux', architecture: 'amd64' },
    ])
    for (const entry of index.manifests) expect(await target.has(entry)).toBe(true)
  })

  it('refuses two images for one platform', async () => {
    const sources = [await image('amd64', 'a'), { ...(await image('amd64', 'b')), name: 'other' }]
    expect(await codeOf(createIndex(createMemoryStore(), 'latest', sources))).toBe('OCB-USAGE-INDEX')
  })

  it('takes all that another index holds, attestations too', async () => {
    const store = createMemoryStore()
    const { manifest } = await putImage(store, [{ a: 'a' }])
    const { manifest: about } = await putImage(store, [{ b: 'b' }])
    const attestation: Descriptor = {
      ...about,
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.digest': manifest.digest },
    }
    const root = await putIndex(store, [manifest, attestation])
    const target = createMemoryStore()
    await addToIndex(target, 'latest', [{ name: 'x', store, root }, await image('arm64')], fast)
    expect(await platformsOf(target)).toEqual(['amd64', 'arm64', 'unknown'])
    await removeFromIndex(target, 'latest', { platforms: [parsePlatform('linux/amd64')], digests: [] }, fast)
    expect(await platformsOf(target)).toEqual(['arm64'])
  })

  it('gets the same bytes whichever job was first, and replaces a platform that it has', async () => {
    const [amd64, arm64, newer] = [await image('amd64'), await image('arm64'), await image('arm64', 'new')]
    const one = createMemoryStore()
    const two = createMemoryStore()
    await addToIndex(one, 'latest', [amd64], fast)
    const first = await addToIndex(one, 'latest', [arm64], fast)
    await addToIndex(two, 'latest', [arm64], fast)
    expect((await addToIndex(two, 'latest', [amd64], fast)).digest).toBe(first.digest)
    expect((await addToIndex(two, 'latest', [amd64], fast)).digest).toBe(first.digest)
    await addToIndex(two, 'latest', [newer], fast)
    const { manifests } = await readAsIndex(two, await two.resolve('latest'))
    expect(manifests.map(({ digest }) => digest)).toEqual([amd64.root.digest, newer.root.digest])
  })

  it('begins with the manifest that the tag named', async () => {
    const target = createMemoryStore()
    const { manifest } = await putImage(target, [{ a: 'a' }])
    await target.tag(manifest, 'latest')
    await addToIndex(target, 'latest', [await image('arm64')], fast)
    expect(await platformsOf(target)).toEqual(['amd64', 'arm64'])
  })

  it('is annotated, itself or one platform of it', async () => {
    const target = createMemoryStore()
    await createIndex(target, 'latest', [await image('amd64'), await image('arm64')])
    await annotateIndex(target, 'latest', { set: { a: '1', b: '2' }, remove: [] }, fast)
    await annotateIndex(target, 'latest', { set: {}, remove: ['a'] }, fast)
    const platform = parsePlatform('linux/arm64/v8')
    const root = await annotateIndex(target, 'latest', { set: { c: '3' }, remove: [], platform }, fast)
    const index = await readAsIndex(target, root)
    expect(index.annotations).toEqual({ b: '2' })
    expect(index.manifests.map(({ annotations }) => annotations)).toEqual([undefined, { c: '3' }])
  })

  it('keeps at least one image, and says what it has', async () => {
    const target = createMemoryStore()
    await createIndex(target, 'latest', [await image('amd64')])
    const remove = (platform: string) =>
      removeFromIndex(target, 'latest', { platforms: [parsePlatform(platform)], digests: [] }, fast)
    expect(await codeOf(remove('linux/amd64'))).toBe('OCB-USAGE-INDEX')
    await expect(remove('linux/s390x')).rejects.toThrow('it has: linux/amd64')
    expect(await codeOf(annotateIndex(target, 'no', { set: {}, remove: [] }, fast))).toBe(
      'OCB-REFERENCE-NOT-FOUND',
    )
  })
})

describe('several jobs that add to one index', () => {
  it('all find their image in it in the end', async () => {
    const target = createMemoryStore()
    const architectures = ['386', 'amd64', 'arm', 'arm64', 'ppc64le', 'riscv64', 's390x']
    const sources = await Promise.all(architectures.map((architecture) => image(architecture)))
    await Promise.all(
      sources.map((source) => addToIndex(slow(target), 'latest', [source], { settleMs: 25, attempts: 60 })),
    )
    expect(await platformsOf(target)).toEqual(architectures)
  })

  it('end with an error when somebody never stops', async () => {
    const target = createMemoryStore()
    const [mine, other] = [await image('amd64'), await putImage(target, [{ x: 'x' }], 'arm64')]
    const contested: Target = { ...target, tag: async () => await target.tag(other.manifest, 'latest') }
    const adding = addToIndex(contested, 'latest', [mine], { settleMs: 0, attempts: 3 })
    expect(await codeOf(adding)).toBe('OCB-INDEX-CONTESTED')
  })

  /** Every answer comes late, so that looks and writes of the jobs interleave. */
  function slow(store: MemoryStore): Target {
    const late = () => new Promise((done) => setTimeout(done, Math.random() * 4))
    return {
      ...store,
      async resolve(...words) {
        const found = await store.resolve(...words).catch((error: unknown) => ({ error }))
        await late()
        if ('error' in found) throw found.error
        return found
      },
      async tag(...words) {
        await late()
        await store.tag(...words)
        await late()
      },
    }
  }
})

describe('what is no image', () => {
  it('is refused as an entry when it is no manifest', async () => {
    const store = createMemoryStore()
    const root: Descriptor = await store.ingest(
      mediaTypes.layer,
      (async function* () {
        yield new Uint8Array(3)
      })(),
    )
    expect(await codeOf(createIndex(createMemoryStore(), 'x', [{ name: 'x', store, root }]))).toBe(
      'OCB-USAGE-INDEX',
    )
  })
})
