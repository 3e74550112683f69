/** What is said of an image. */

import { describe, expect, it } from 'vitest'
import { describeImage, readRawDocument } from '../../src/inspect/describe-image.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import {
  addJson,
  gzipLayer,
  makeImage,
  plainLayer,
  rawTar,
  type HandMadeImage,
} from '../helpers/hand-made-image.ts'

const one = gzipLayer(rawTar([{ name: 'a' }]))
const two = plainLayer(rawTar([{ name: 'b' }]))

async function makeIndex(): Promise<{
  readonly amd64: HandMadeImage
  readonly index: HandMadeImage['root']
}> {
  const amd64 = await makeImage([one, two], {
    manifest: (manifest) => ({ ...manifest, annotations: { own: 'yes' } }),
    config: (config) => ({
      ...config,
      author: 'Team',
      history: [{ created_by: 'one' }, { created_by: 'ENV A=b', empty_layer: true }, { created_by: 'two' }],
    }),
  })
  const { store } = amd64
  const arm = await makeImage(
    [one],
    { config: (config) => ({ ...config, architecture: 'arm64', config: null }) },
    store,
  )
  const attestation = { platform: { os: 'unknown', architecture: 'unknown' } }
  const other = await makeImage([two], { config: (config) => ({ ...config, os: 'unknown' }) }, store)
  const index = await addJson(store, mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    annotations: { of: 'index' },
    manifests: [
      { ...amd64.root, platform: { os: 'linux', architecture: 'amd64' } },
      { ...arm.root, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
      { ...other.root, ...attestation },
    ],
  })
  return { amd64, index }
}

describe('describeImage', () => {
  it('describes a manifest, its config and its layers', async () => {
    const { amd64 } = await makeIndex()
    const { store, root, config, layers } = amd64
    const image = await describeImage(store, root)
    const size = [root, config, ...layers].reduce((sum, item) => sum + item.size, 0)
    expect(image).toMatchObject({ schemaVersion: 1, digest: root.digest, size, annotations: {}, others: [] })
    expect(image.platforms).toHaveLength(1)
    expect(image.platforms[0]).toMatchObject({
      platform: 'linux/amd64',
      digest: root.digest,
      config: config.digest,
      size,
      author: 'Team',
      user: null,
      entrypoint: null,
      cmd: ['/bin/sh'],
      env: ['PATH=/bin'],
      exposedPorts: ['80/tcp'],
      volumes: ['/data'],
      labels: { a: 'b' },
      annotations: { own: 'yes' },
      layers: [
        { digest: layers[0]?.digest, diffId: one.diffId, mediaType: one.mediaType, createdBy: 'one' },
        { digest: layers[1]?.digest, diffId: two.diffId, mediaType: two.mediaType, createdBy: 'two' },
      ],
    })
  })

  it('describes every platform of an index, shared blobs counted once, attestations apart', async () => {
    const { amd64, index } = await makeIndex()
    const image = await describeImage(amd64.store, index)
    expect(image.platforms.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64/v8'])
    expect(image.annotations).toEqual({ of: 'index' })
    expect(image.others).toMatchObject([{ platform: 'unknown/unknown', mediaType: mediaTypes.manifest }])
    const all = image.platforms.reduce((sum, { size }) => sum + size, 0)
    expect(image.size).toBeLessThan(all + index.size + (image.others[0]?.size ?? 0) + 1000)
  })

  it('describes one platform, and names those there are when it is not there', async () => {
    const { amd64, index } = await makeIndex()
    const image = await describeImage(amd64.store, index, {
      platform: { os: 'linux', architecture: 'arm64' },
    })
    expect(image.platforms.map(({ platform }) => platform)).toEqual(['linux/arm64/v8'])
    expect(image.others).toEqual([])
    await expect(
      describeImage(amd64.store, index, { platform: { os: 'linux', architecture: 's390x' } }),
    ).rejects.toMatchObject({
      code: 'OCB-USAGE-PLATFORM',
      message: expect.stringContaining('linux/amd64, linux/arm64/v8'),
    })
  })

  it('gives documents byte by byte', async () => {
    const { amd64, index } = await makeIndex()
    const { store, root } = amd64
    expect(await readRawDocument(store, index)).toHaveLength(index.size)
    const platform = { os: 'linux', architecture: 'amd64' }
    expect(await readRawDocument(store, index, { platform })).toEqual(await readRawDocument(store, root))
  })
})
