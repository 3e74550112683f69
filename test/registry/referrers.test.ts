/** Who refers to whom, by the API and by the fallback tag. */

import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { fallbackTag } from '../../src/registry/referrers.ts'
import { pushGraph } from '../../src/registry/push-graph.ts'
import {
  openRegistry,
  type RegistryStore,
  type RegistryStoreOptions,
} from '../../src/registry/registry-store.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { encodeJson } from '../../src/spec/json.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { parseImageIndex } from '../../src/spec/parse-image-index.ts'
import { bytesOf, describeBytes, putImage } from '../helpers/images.ts'
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

async function imageOf(
  text: string,
): Promise<{ memory: ReturnType<typeof createMemoryStore>; manifest: Descriptor }> {
  const memory = createMemoryStore()
  const { manifest } = await putImage(memory, [{ a: text }])
  return { memory, manifest }
}

async function artifact(
  subject: Descriptor,
  text: string,
  artifactType?: string,
): Promise<{ descriptor: Descriptor; bytes: Uint8Array; empty: Descriptor }> {
  const empty = describeBytes(artifactType === undefined ? 'application/x.config' : mediaTypes.empty, '{}')
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: empty,
    layers: [empty],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations: { text },
  })
  return { bytes, empty, descriptor: describeBytes(mediaTypes.manifest, Buffer.from(bytes)) }
}

describe('referrers', () => {
  it.each([true, false])('are listed, filtered and deleted (API of the registry: %s)', async (referrers) => {
    const { registry, store } = await open({ referrers, pageSize: 1 })
    const { memory, manifest } = await imageOf('1')
    await pushGraph(memory, manifest, store, ['1'])
    expect((await store.referrers(manifest.digest)).manifests).toEqual([])
    const artifacts = [
      await artifact(manifest, 'a', 'application/x.sbom'),
      await artifact(manifest, 'b', 'application/x.signature'),
      await artifact(manifest, 'c'),
    ]
    await Promise.all(
      artifacts.map(async ({ descriptor, bytes, empty }) => {
        await store.push(empty, bytesOf('{}'))
        await store.push(descriptor, bytesOf(bytes))
        await store.push(descriptor, bytesOf(bytes))
      }),
    )
    const found = (await store.referrers(manifest.digest)).manifests
    const described = found.map(({ artifactType, annotations, size }) => [artifactType, annotations, size])
    expect(described.sort()).toEqual(
      [
        ['application/x.config', { text: 'c' }, artifacts[2]?.bytes.length],
        ['application/x.sbom', { text: 'a' }, artifacts[0]?.bytes.length],
        ['application/x.signature', { text: 'b' }, artifacts[1]?.bytes.length],
      ].sort(),
    )
    expect((await store.referrers(manifest.digest, 'application/x.sbom')).manifests).toHaveLength(1)
    expect((await store.referrers(manifest.digest, 'application/none')).manifests).toEqual([])
    expect(registry.state.open('team/app').tags.has(fallbackTag(manifest.digest))).toBe(!referrers)
    await store.deleteManifest(artifacts[0]?.descriptor.digest ?? '')
    expect((await store.referrers(manifest.digest)).manifests).toHaveLength(2)
  })

  it('that others listed under the fallback tag stay there', async () => {
    const { registry, store } = await open({ referrers: false })
    const { memory, manifest } = await imageOf('1')
    await pushGraph(memory, manifest, store, ['1'])
    const other = { ...describeBytes(mediaTypes.manifest, 'other'), artifactType: 'application/theirs' }
    const mine = await artifact(manifest, 'mine', 'application/mine')
    const stale = { ...mine.descriptor, artifactType: 'application/wrong' }
    registry.state.addManifest(
      'team/app',
      mediaTypes.index,
      {
        schemaVersion: 2,
        mediaType: mediaTypes.index,
        manifests: [other, stale],
        annotations: { kept: 'yes' },
      },
      [fallbackTag(manifest.digest)],
    )
    await store.push(mine.empty, bytesOf('{}'))
    // The list names a manifest that is not there, which strict registries refuse; this one is asked not to.
    registry.state.addManifest('team/app', mediaTypes.manifest, Buffer.from('other'))
    await store.push(mine.descriptor, bytesOf(mine.bytes))
    const { bytes } = await store.resolveRaw(fallbackTag(manifest.digest))
    const index = parseImageIndex(bytes)
    expect(index.manifests.map(({ artifactType }) => artifactType)).toEqual([
      'application/theirs',
      'application/mine',
    ])
    expect(index.annotations).toEqual({ kept: 'yes' })
  })
})
