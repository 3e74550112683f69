import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import type { ContentStore } from '../../src/content/store.ts'
import { openBaseImage } from '../../src/image/base-image.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { encodeJson } from '../../src/spec/json.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import type { Platform } from '../../src/spec/platform.ts'
import { sha256 } from '../../src/content/hash.ts'
import { bytesOf, describeBytes } from '../helpers/images.ts'

async function put(store: ContentStore, mediaType: string, document: object): Promise<Descriptor> {
  const bytes = encodeJson(document)
  const descriptor = describeBytes(mediaType, bytes)
  await store.push(descriptor, bytesOf(bytes))
  return descriptor
}

interface ImageOptions {
  readonly manifestType?: string
  readonly layerTypes?: readonly string[]
  readonly diffIds?: number
}

async function putBase(
  store: ContentStore,
  platform: Platform,
  options: ImageOptions = {},
): Promise<Descriptor> {
  const { manifestType = mediaTypes.manifest, layerTypes = [mediaTypes.layerGzip] } = options
  const docker = manifestType === mediaTypes.dockerManifest
  const diffIds = Array.from({ length: options.diffIds ?? layerTypes.length }, (_, index) =>
    sha256(`${index}`),
  )
  const config = await put(store, docker ? mediaTypes.dockerConfig : mediaTypes.config, {
    ...platform,
    config: { Cmd: [platform.architecture] },
    rootfs: { type: 'layers', diff_ids: diffIds },
  })
  const layers = layerTypes.map((type, index) => describeBytes(type, `layer ${index}`))
  return put(store, manifestType, { schemaVersion: 2, mediaType: manifestType, config, layers })
}

const linux = (architecture: string, variant?: string): Platform => ({
  os: 'linux',
  architecture,
  ...(variant === undefined ? {} : { variant }),
})

async function putIndexOf(
  store: ContentStore,
  platforms: readonly Platform[],
  more: readonly Descriptor[] = [],
): Promise<Descriptor> {
  const manifests: Descriptor[] = []
  for (const platform of platforms) manifests.push({ ...(await putBase(store, platform)), platform })
  return put(store, mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [...manifests, ...more],
  })
}

describe('a base that is a manifest', () => {
  it('gives its config, its layers and its digest', async () => {
    const store = createMemoryStore()
    const root = await putBase(store, linux('amd64'))
    const base = await openBaseImage({ store, root }, linux('amd64'), 'oci:base')
    expect(base.config).toMatchObject({ architecture: 'amd64', config: { Cmd: ['amd64'] } })
    expect(base.layers).toEqual([describeBytes(mediaTypes.layerGzip, 'layer 0')])
    expect([base.manifestDigest, base.rootDigest, base.name]).toEqual([root.digest, root.digest, undefined])
  })

  it('of Docker gives OCI media types over the same blobs', async () => {
    const store = createMemoryStore()
    const root = await putBase(store, linux('amd64'), {
      manifestType: mediaTypes.dockerManifest,
      layerTypes: [
        mediaTypes.dockerLayerGzip,
        mediaTypes.dockerLayer,
        mediaTypes.dockerForeignLayer,
        'application/x-own',
      ],
    })
    const { layers } = await openBaseImage({ store, root }, linux('amd64'), 'oci:base')
    expect(layers).toEqual([
      describeBytes(mediaTypes.layerGzip, 'layer 0'),
      describeBytes(mediaTypes.layer, 'layer 1'),
      describeBytes(mediaTypes.nondistributableLayerGzip, 'layer 2'),
      describeBytes('application/x-own', 'layer 3'),
    ])
  })

  it('for another platform is refused, saying which it is for', async () => {
    const store = createMemoryStore()
    const root = await putBase(store, linux('arm64', 'v8'))
    await expect(openBaseImage({ store, root }, linux('amd64'), 'oci:base')).rejects.toMatchObject({
      code: 'OCB-BASE-PLATFORM',
      message: 'the base "oci:base" has no image for linux/amd64; it has linux/arm64/v8',
    })
  })

  it('whose config has another number of layers is refused', async () => {
    const store = createMemoryStore()
    const root = await putBase(store, linux('amd64'), { diffIds: 2 })
    await expect(openBaseImage({ store, root }, linux('amd64'), 'x')).rejects.toMatchObject({
      code: 'OCB-BASE-INVALID',
    })
  })
})

describe('a base that is an index', () => {
  it('gives the image of the platform, the digest of its manifest and of the index', async () => {
    const store = createMemoryStore()
    const root = await putIndexOf(store, [linux('amd64'), linux('arm64', 'v8')])
    const base = await openBaseImage({ store, root }, linux('arm64'), 'oci:base')
    expect(base.config?.architecture).toBe('arm64')
    expect(base.rootDigest).toBe(root.digest)
    expect(base.manifestDigest).not.toBe(root.digest)
  })

  it('gives the highest variant that runs', async () => {
    const store = createMemoryStore()
    const root = await putIndexOf(store, [linux('arm', 'v5'), linux('arm', 'v6'), linux('arm', 'v8')])
    const base = await openBaseImage({ store, root }, linux('arm', 'v7'), 'oci:base')
    expect(base.config?.variant).toBe('v6')
  })

  it('that lacks the platform is refused with a list of those it has', async () => {
    const store = createMemoryStore()
    const attestation = {
      ...(await putBase(store, linux('amd64'))),
      platform: { os: 'unknown', architecture: 'unknown' },
    }
    const root = await putIndexOf(store, [linux('amd64'), linux('arm', 'v7')], [attestation])
    await expect(openBaseImage({ store, root }, linux('s390x'), 'node:22')).rejects.toMatchObject({
      code: 'OCB-BASE-PLATFORM',
      message: 'the base "node:22" has no image for linux/s390x; it has linux/amd64, linux/arm/v7',
    })
  })

  it('of indexes is followed, and of one manifest without a platform too', async () => {
    const store = createMemoryStore()
    const inner = await put(store, mediaTypes.index, {
      schemaVersion: 2,
      manifests: [await putBase(store, linux('amd64'))],
    })
    const root = await put(store, mediaTypes.dockerIndex, { schemaVersion: 2, manifests: [inner] })
    const base = await openBaseImage({ store, root }, linux('amd64'), 'x')
    expect(base.config?.architecture).toBe('amd64')
  })

  it('of a manifest without a platform, beside an attestation, is that manifest', async () => {
    const store = createMemoryStore()
    const attestation = {
      ...(await putBase(store, linux('amd64'))),
      platform: { os: 'unknown', architecture: 'unknown' },
    }
    const root = await putIndexOf(store, [], [await putBase(store, linux('amd64')), attestation])
    const base = await openBaseImage({ store, root }, linux('amd64'), 'x')
    expect(base.config?.architecture).toBe('amd64')
  })

  it('that never comes to a manifest is refused', async () => {
    const store = createMemoryStore()
    let root = await put(store, mediaTypes.index, { schemaVersion: 2, manifests: [] })
    await expect(openBaseImage({ store, root }, linux('amd64'), 'x')).rejects.toMatchObject({
      code: 'OCB-BASE-PLATFORM',
    })
    for (let depth = 0; depth < 6; depth += 1) {
      root = await put(store, mediaTypes.index, { schemaVersion: 2, manifests: [root] })
    }
    await expect(openBaseImage({ store, root }, linux('amd64'), 'x')).rejects.toMatchObject({
      code: 'OCB-BASE-INVALID',
    })
  })
})

it('what is no image is refused, naming its media type', async () => {
  const store = createMemoryStore()
  const root = await put(store, 'application/vnd.example', {})
  await expect(openBaseImage({ store, root }, linux('amd64'), 'x')).rejects.toThrow('application/vnd.example')
})
