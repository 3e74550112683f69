import { describe, expect, it } from 'vitest'
import type { ImageSpec } from '../../src/config/resolved-spec.ts'
import { sha256 } from '../../src/content/hash.ts'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { assembleImage, formatTime } from '../../src/image/assemble-image.ts'
import { assembleIndex } from '../../src/image/assemble-index.ts'
import { scratchBase, type BaseImage } from '../../src/image/base-image.ts'
import type { BuiltLayer } from '../../src/layer/build-layer.ts'
import { layerKeyName } from '../../src/layer/layer-key.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import type { HistoryEntry, ImageConfig } from '../../src/spec/image-config.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { collectBytes, describeBytes } from '../helpers/images.ts'
import { imageSpec } from '../helpers/specs.ts'

const amd64 = { os: 'linux', architecture: 'amd64' }

function layer(name: string): BuiltLayer {
  const descriptor = describeBytes(mediaTypes.layerGzip, name)
  return {
    name,
    descriptor,
    diffId: sha256(`tar of ${name}`),
    shape: '',
    key: '',
    cached: false,
    annotations: {},
  }
}

function baseOf(layers: number, config: Partial<ImageConfig> = {}, more: Partial<BaseImage> = {}): BaseImage {
  const names = Array.from({ length: layers }, (_, index) => `base ${index}`)
  return {
    store: undefined,
    layers: names.map((name) => describeBytes(mediaTypes.layerGzip, name)),
    config: {
      ...amd64,
      rootfs: { type: 'layers', diff_ids: names.map((name) => sha256(`tar of ${name}`)) },
      ...config,
    },
    ...more,
  }
}

interface Documents {
  readonly manifest: Record<string, unknown>
  readonly config: Record<string, unknown>
  readonly manifestText: string
  readonly configText: string
  readonly descriptor: Descriptor
}

async function assemble(
  spec: Partial<ImageSpec>,
  base: BaseImage = scratchBase,
  layers: readonly BuiltLayer[] = [layer('app')],
  wanted = amd64,
): Promise<Documents> {
  const store = createMemoryStore()
  const image = await assembleImage(store, imageSpec(spec), wanted, base, layers)
  const read = async (target: Descriptor): Promise<string> =>
    (await collectBytes(await store.fetch(target))).toString()
  const manifestText = await read(image.descriptor)
  const configText = await read(image.config)
  const parse = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>
  return {
    manifest: parse(manifestText),
    config: parse(configText),
    manifestText,
    configText,
    descriptor: image.descriptor,
  }
}

describe('a manifest and its config', () => {
  it('on scratch say the layers and nothing that nobody asked for, sorted by key', async () => {
    const app = layer('app')
    const { manifestText, configText, descriptor } = await assemble({}, scratchBase, [app])
    expect(configText).toBe(
      `{"architecture":"amd64","created":"1970-01-01T00:00:00Z","history":[{"created":"1970-01-01T00:00:00Z","created_by":"ocibuild layer app"}],"os":"linux","rootfs":{"diff_ids":["${app.diffId}"],"type":"layers"}}`,
    )
    const config = `{"digest":"${sha256(configText)}","mediaType":"${mediaTypes.config}","size":${configText.length}}`
    const blob = `{"digest":"${app.descriptor.digest}","mediaType":"${mediaTypes.layerGzip}","size":3}`
    expect(manifestText).toBe(
      `{"config":${config},"layers":[${blob}],"mediaType":"${mediaTypes.manifest}","schemaVersion":2}`,
    )
    expect(descriptor).toEqual({ ...describeBytes(mediaTypes.manifest, manifestText), platform: amd64 })
  })

  it('put the layers over those of the base', async () => {
    const base = baseOf(2)
    const { manifest, config } = await assemble({}, base, [layer('one'), layer('two')])
    expect(manifest['layers']).toEqual([...base.layers, layer('one').descriptor, layer('two').descriptor])
    const below = base.config?.rootfs.diff_ids ?? []
    expect(config['rootfs']).toEqual({
      type: 'layers',
      diff_ids: [...below, layer('one').diffId, layer('two').diffId],
    })
  })

  it('keep what a descriptor of the base says beside digest and size', async () => {
    const foreign = {
      ...describeBytes(mediaTypes.nondistributableLayerGzip, 'x'),
      urls: ['https://example.com/x'],
      annotations: { a: '1' },
    }
    const { manifest } = await assemble({}, { ...baseOf(1), layers: [foreign] })
    expect(manifest['layers']).toEqual([foreign, layer('app').descriptor])
  })

  it('say how layers were made, of those above the base only: whoever writes a base is not believed', async () => {
    const [below] = baseOf(1).layers
    const own = { [layerKeyName]: '0-1' }
    const lying = { ...describeBytes(mediaTypes.layerGzip, 'x'), annotations: { a: '1', ...own } }
    const bare = { ...describeBytes(mediaTypes.layerGzip, 'y'), annotations: own }
    const layers = [below, lying, bare].filter((item) => item !== undefined)
    const { manifest } = await assemble({}, { ...baseOf(3), layers }, [{ ...layer('app'), annotations: own }])
    expect(manifest['layers']).toEqual([
      below,
      { ...lying, annotations: { a: '1' } },
      describeBytes(mediaTypes.layerGzip, 'y'),
      { ...layer('app').descriptor, annotations: own },
    ])
  })

  it('say when, who and what', async () => {
    const spec = {
      createdSeconds: 1_700_000_000,
      config: { author: 'me', cmd: ['x'], labels: { b: '2', a: '1' } },
      annotations: { 'com.example': 'x' },
    }
    const { manifest, config, configText } = await assemble(spec)
    expect(manifest['annotations']).toEqual({ 'com.example': 'x' })
    expect(config).toMatchObject({
      created: '2023-11-14T22:13:20Z',
      author: 'me',
      history: [{ created: '2023-11-14T22:13:20Z' }],
    })
    expect(configText).toContain('"config":{"Cmd":["x"],"Labels":{"a":"1","b":"2"}}')
  })

  it.each([
    ['is kept', undefined, 'base'],
    ['is replaced', 'me', 'me'],
    ['is cleared by the empty string', '', undefined],
    ['is cleared by null', null, undefined],
  ])('the author of the base %s', async (_, author, wanted) => {
    const { config } = await assemble(
      { config: author === undefined ? {} : { author } },
      baseOf(1, { author: 'base' }),
    )
    expect(config['author']).toBe(wanted)
  })
})

describe('history', () => {
  const own = { created: '1970-01-01T00:00:00Z', created_by: 'ocibuild layer app' }
  const padding = { comment: expect.any(String) as string }
  const cases: [title: string, layers: number, history: HistoryEntry[] | undefined, wanted: object[]][] = [
    [
      'is kept',
      2,
      [{ created_by: 'a' }, { empty_layer: true }, { created_by: 'b', author: 'x' }],
      [{ created_by: 'a' }, { empty_layer: true }, { created_by: 'b', author: 'x' }],
    ],
    [
      'is padded where it is shorter',
      3,
      [{ created_by: 'a' }, { empty_layer: true }],
      [{ created_by: 'a' }, { empty_layer: true }, padding, padding],
    ],
    ['is padded where there is none', 2, undefined, [padding, padding]],
    [
      'is left out where it tells of more layers than there are',
      1,
      [{ created_by: 'a' }, { created_by: 'b' }],
      [padding],
    ],
    [
      'of a base without layers is kept',
      0,
      [{ empty_layer: true, created_by: 'ENV' }],
      [{ empty_layer: true, created_by: 'ENV' }],
    ],
  ]
  it.each(cases)('of the base %s', async (_, layers, history, wanted) => {
    const { config } = await assemble({}, baseOf(layers, { history }))
    expect(config['history']).toEqual([...wanted, own])
  })
})

describe('the platform', () => {
  it('takes variant, os.version and os.features from the base, in config and descriptor alike', async () => {
    const platform = { variant: 'v8', 'os.version': '1.2', 'os.features': ['x'] }
    const wanted = { os: 'linux', architecture: 'arm64' }
    const { config, descriptor } = await assemble(
      {},
      baseOf(1, { architecture: 'arm64', ...platform }),
      [],
      wanted,
    )
    expect(config).toMatchObject({ ...wanted, ...platform })
    expect(descriptor.platform).toEqual({ ...wanted, ...platform })
  })

  it('keeps the variant that was asked for where the base says none', async () => {
    const wanted = { os: 'linux', architecture: 'arm', variant: 'v7' }
    const { config, descriptor } = await assemble({}, scratchBase, undefined, wanted)
    expect(config).toMatchObject(wanted)
    expect(descriptor.platform).toEqual(wanted)
  })
})

describe('the base', () => {
  const found = {
    name: 'docker.io/library/node:22',
    manifestDigest: sha256('manifest'),
    rootDigest: sha256('index'),
  }

  it('is named in annotations where it came from a registry: by its manifest, and in an index by its index', async () => {
    const base = baseOf(1, {}, found)
    const { manifest, descriptor } = await assemble({ annotations: { a: '1' } }, base)
    expect(manifest['annotations']).toEqual({
      a: '1',
      'org.opencontainers.image.base.name': found.name,
      'org.opencontainers.image.base.digest': found.manifestDigest,
    })
    const store = createMemoryStore()
    const root = await assembleIndex(store, imageSpec({ annotations: { a: '1' } }), base, [descriptor])
    expect(JSON.parse((await collectBytes(await store.fetch(root))).toString())).toEqual({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [descriptor],
      annotations: {
        a: '1',
        'org.opencontainers.image.base.name': found.name,
        'org.opencontainers.image.base.digest': found.rootDigest,
      },
    })
  })

  it('is not named where it came from elsewhere, and the spec may name it', async () => {
    const digest = { manifestDigest: found.manifestDigest, rootDigest: found.rootDigest }
    expect((await assemble({}, baseOf(1, {}, digest))).manifest['annotations']).toBeUndefined()
    const annotations = { 'org.opencontainers.image.base.name': 'mine' }
    const { manifest } = await assemble({ annotations }, baseOf(1, {}, found))
    expect(manifest['annotations']).toMatchObject(annotations)
  })
})

it('an index lists its manifests in the order of the platforms', async () => {
  const store = createMemoryStore()
  const manifests = ['s390x', 'amd64'].map((architecture) => ({
    ...describeBytes(mediaTypes.manifest, architecture),
    platform: { os: 'linux', architecture },
  }))
  const root = await assembleIndex(store, imageSpec(), {}, manifests)
  expect(root.mediaType).toBe(mediaTypes.index)
  const text = (await collectBytes(await store.fetch(root))).toString()
  expect(JSON.parse(text)).toEqual({ schemaVersion: 2, mediaType: mediaTypes.index, manifests })
})

it('times are RFC 3339 in whole seconds', () => {
  expect(formatTime(0)).toBe('1970-01-01T00:00:00Z')
  expect(formatTime(1_000_000_000)).toBe('2001-09-09T01:46:40Z')
})
