/** Every rule of validateImage, each broken once. */

import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { sha256 } from '../../src/content/hash.ts'
import { contentNotFound } from '../../src/content/not-found.ts'
import type { Fetcher } from '../../src/content/store.ts'
import { validationCodes, type Finding, type ValidationCode } from '../../src/image/validate-finding.ts'
import { validateImage } from '../../src/image/validate-image.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import {
  addJson,
  chunksOf,
  gzipLayer,
  makeImage,
  plainLayer,
  rawEntry,
  rawTar,
  type Edits,
  type HandMadeLayer,
  type RawEntry,
} from '../helpers/hand-made-image.ts'

type Json = Record<string, unknown>

const soundEntries: readonly RawEntry[] = [
  { name: 'bin/', mode: 0o755 },
  { name: 'bin/sh', content: '#!' },
  { name: 'bin/ash', flag: '1', target: 'bin/sh' },
  { name: 'bin/bash', flag: '2', target: '/bin/sh' },
  { name: 'bin/.wh.old' },
  { name: 'etc/' },
  { name: 'etc/.wh..wh..opq' },
  { name: 'etc/motd', content: 'x'.repeat(3000) },
  { name: 'null', flag: '3' },
  { name: 'pipe', flag: '6' },
]
const sound = gzipLayer(rawTar(soundEntries))
const provoked = new Set<ValidationCode>()

async function check(
  layers: readonly HandMadeLayer[],
  edits: Edits = {},
  edit: (root: Descriptor) => Json = (root) => ({ ...root }),
): Promise<readonly Finding[]> {
  const { store, root } = await makeImage(layers, edits)
  return report(await validateImage(store, { ...root, ...edit(root) }))
}

function report({ findings }: { readonly findings: readonly Finding[] }): readonly Finding[] {
  for (const { code } of findings) provoked.add(code)
  return findings
}

function codesOf(findings: readonly Finding[]): readonly string[] {
  return [...new Set(findings.map(({ code }) => code))].toSorted()
}

const tarOf = (...entries: readonly RawEntry[]): (() => Promise<readonly Finding[]>) => {
  return async () => await check([plainLayer(rawTar(entries))])
}
const manifestWith = (fields: Json): (() => Promise<readonly Finding[]>) => {
  return async () => await check([sound], { manifest: (manifest) => ({ ...manifest, ...fields }) })
}
const configWith = (fields: Json): (() => Promise<readonly Finding[]>) => {
  return async () => await check([sound], { config: (config) => ({ ...config, ...fields }) })
}
const executionWith = (fields: Json): (() => Promise<readonly Finding[]>) => configWith({ config: fields })
/** The first layer's descriptor changed. */
const layerWith = (edit: (layer: Json) => Json): (() => Promise<readonly Finding[]>) => {
  return async () =>
    await check([sound], {
      manifest: (manifest) => ({ ...manifest, layers: editFirst(manifest['layers'], edit) }),
    })
}

function editFirst(list: unknown, edit: (item: Json) => Json): unknown {
  if (!Array.isArray(list)) throw new Error('a list')
  return list.map((item: Json, i) => (i === 0 ? edit(item) : item))
}

/** An index over one sound image, its descriptors edited; `platform` is what they carry. */
async function checkIndex(
  edit: (image: Descriptor) => readonly unknown[],
  fields: Json = {},
): Promise<readonly Finding[]> {
  const { store, root } = await makeImage([sound])
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: edit(root), ...fields }
  const descriptor = await addJson(store, mediaTypes.index, index)
  return report(await validateImage(store, descriptor))
}

const platform = { os: 'linux', architecture: 'amd64' }

interface Case {
  readonly fault: string
  readonly find: () => Promise<readonly Finding[]>
  /** All codes that must be found, and no other. */
  readonly codes: readonly ValidationCode[]
  readonly where?: RegExp
}

const cases: readonly Case[] = [
  {
    fault: 'a layer that is not in the store',
    find: layerWith((layer) => ({ ...layer, digest: sha256('gone') })),
    codes: ['OCB-VALIDATE-MISSING'],
    where: /^manifest sha256:[0-9a-f]{64} layers\[0\]$/,
  },
  {
    fault: 'a layer of another size',
    find: layerWith((layer) => ({ ...layer, size: Number(layer['size']) + 1 })),
    codes: ['OCB-VALIDATE-CONTENT'],
  },
  {
    fault: 'a layer that is longer than its descriptor says',
    find: layerWith((layer) => ({ ...layer, size: 10 })),
    codes: ['OCB-VALIDATE-CONTENT'],
  },
  {
    fault: 'a manifest of another size',
    find: async () => await check([sound], {}, (root) => ({ size: root.size + 1 })),
    codes: ['OCB-VALIDATE-CONTENT'],
  },
  {
    fault: 'a manifest that is too large to be read',
    find: async () => await check([sound], {}, () => ({ size: 5 * 1024 * 1024 })),
    codes: ['OCB-VALIDATE-TOO-LARGE'],
  },
  {
    fault: 'a manifest that is no JSON',
    find: async () => await check([sound], { manifest: () => Buffer.from('{') }),
    codes: ['OCB-VALIDATE-JSON'],
  },
  {
    fault: 'a config that is no UTF-8',
    find: async () => await check([sound], { config: () => Buffer.from('{"os":"\xff"}', 'latin1') }),
    codes: ['OCB-VALIDATE-JSON'],
    where: /^config sha256:/,
  },
  {
    fault: 'a config that is a list',
    find: async () => await check([sound], { config: () => [] }),
    codes: ['OCB-VALIDATE-JSON'],
  },
  {
    fault: 'a descriptor without size',
    find: layerWith((layer) => ({ ...layer, size: undefined })),
    codes: ['OCB-VALIDATE-DESCRIPTOR'],
  },
  {
    fault: 'a descriptor that is text',
    find: manifestWith({ subject: 'sha256:' }),
    codes: ['OCB-VALIDATE-DESCRIPTOR'],
    where: / subject$/,
  },
  {
    fault: 'urls that are none',
    find: layerWith((layer) => ({ ...layer, urls: ['not a url'] })),
    codes: ['OCB-VALIDATE-DESCRIPTOR'],
  },
  {
    fault: 'a digest in upper case',
    find: layerWith((layer) => ({ ...layer, digest: String(layer['digest']).toUpperCase() })),
    codes: ['OCB-VALIDATE-DIGEST'],
  },
  {
    fault: 'a digest that is too short',
    find: layerWith((layer) => ({ ...layer, digest: 'sha256:abc' })),
    codes: ['OCB-VALIDATE-DIGEST'],
  },
  {
    fault: 'a digest of an algorithm that is not registered',
    find: layerWith((layer) => ({ ...layer, digest: 'blake3:abc' })),
    codes: ['OCB-VALIDATE-DIGEST-ALGORITHM'],
  },
  {
    fault: 'embedded data that is not the content',
    find: layerWith((layer) => ({ ...layer, data: Buffer.from('x').toString('base64') })),
    codes: ['OCB-VALIDATE-DATA'],
  },
  {
    fault: 'embedded data that is not base64',
    find: layerWith((layer) => ({ ...layer, data: '!' })),
    codes: ['OCB-VALIDATE-DATA'],
  },
  {
    fault: 'an annotation that is a number',
    find: manifestWith({ annotations: { a: 1 } }),
    codes: ['OCB-VALIDATE-ANNOTATION'],
  },
  {
    fault: 'an annotation with an empty key',
    find: layerWith((layer) => ({ ...layer, annotations: { '': 'x' } })),
    codes: ['OCB-VALIDATE-ANNOTATION'],
  },
  {
    fault: 'a platform without os',
    find: async () => await checkIndex((image) => [{ ...image, platform: { architecture: 'amd64' } }]),
    codes: ['OCB-VALIDATE-PLATFORM'],
    where: /^index sha256:[0-9a-f]{64} manifests\[0\]$/,
  },
  {
    fault: 'a descriptor for another platform than the config',
    find: async () =>
      await checkIndex((image) => [{ ...image, platform: { os: 'linux', architecture: 'arm64' } }]),
    codes: ['OCB-VALIDATE-PLATFORM-MISMATCH'],
  },
  {
    fault: 'a variant that only the descriptor has, and that the architecture has by itself',
    find: async () => await checkIndex((image) => [{ ...image, platform: { ...platform, variant: 'v1' } }]),
    codes: ['OCB-VALIDATE-PLATFORM-VARIANT'],
  },
  {
    fault: 'two manifests for one platform',
    find: async () =>
      await checkIndex((image) => [
        { ...image, platform },
        { ...image, platform },
      ]),
    codes: ['OCB-VALIDATE-PLATFORM-DUPLICATE'],
  },
  {
    fault: 'an empty config without an artifactType',
    find: async () => {
      const { store, layers } = await makeImage([sound])
      const config = await addJson(store, mediaTypes.empty, {})
      const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }
      return report(await validateImage(store, await addJson(store, mediaTypes.manifest, manifest)))
    },
    codes: ['OCB-VALIDATE-ARTIFACT-TYPE'],
  },
  {
    fault: 'an empty descriptor over content',
    find: async () => {
      const { store } = await makeImage([])
      const layer = await addJson(store, mediaTypes.empty, { a: 1 })
      const config = await addJson(store, mediaTypes.empty, {})
      const manifest = {
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        artifactType: 'application/x',
        config,
        layers: [layer],
      }
      return report(await validateImage(store, await addJson(store, mediaTypes.manifest, manifest)))
    },
    codes: ['OCB-VALIDATE-EMPTY'],
  },
  {
    fault: 'schemaVersion 1',
    find: manifestWith({ schemaVersion: 1 }),
    codes: ['OCB-VALIDATE-SCHEMA-VERSION'],
  },
  {
    fault: 'a document of another media type than its descriptor',
    find: manifestWith({ mediaType: mediaTypes.dockerManifest }),
    codes: ['OCB-VALIDATE-MEDIA-TYPE'],
  },
  {
    fault: 'a document without a media type',
    find: manifestWith({ mediaType: undefined }),
    codes: ['OCB-VALIDATE-MEDIA-TYPE-MISSING'],
  },
  {
    fault: 'a layer of an unknown type',
    find: layerWith((layer) => ({ ...layer, mediaType: 'application/x-tar' })),
    codes: ['OCB-VALIDATE-MEDIA-TYPE-UNKNOWN'],
  },
  {
    fault: 'a root that is no document',
    find: async () => {
      const { store, config } = await makeImage([sound])
      return report(await validateImage(store, config))
    },
    codes: ['OCB-VALIDATE-ROOT-TYPE'],
  },
  {
    fault: 'layers that are no list',
    find: manifestWith({ layers: {} }),
    codes: [
      'OCB-VALIDATE-HISTORY-COUNT',
      'OCB-VALIDATE-LAYER-COUNT',
      'OCB-VALIDATE-MANIFEST',
      'OCB-VALIDATE-NO-LAYERS',
    ],
  },
  {
    fault: 'manifests that are no list',
    find: async () => await checkIndex(() => [], { manifests: 'x' }),
    codes: ['OCB-VALIDATE-INDEX'],
  },
  {
    fault: 'a manifest that is an index too',
    find: manifestWith({ manifests: [] }),
    codes: ['OCB-VALIDATE-AMBIGUOUS'],
  },
  {
    fault: 'an index that is a manifest too',
    find: async () => await checkIndex((image) => [image], { layers: [] }),
    codes: ['OCB-VALIDATE-AMBIGUOUS'],
  },
  {
    fault: 'indexes that lie too deep',
    find: async () => {
      const made = await makeImage([sound])
      let { root } = made
      for (let depth = 0; depth < 10; depth += 1) {
        const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [root] }
        root = await addJson(made.store, mediaTypes.index, index)
      }
      return report(await validateImage(made.store, root))
    },
    codes: ['OCB-VALIDATE-DEPTH'],
  },
  { fault: 'no layers', find: async () => await check([]), codes: ['OCB-VALIDATE-NO-LAYERS'] },
  {
    fault: 'a config without architecture',
    find: configWith({ architecture: undefined }),
    codes: ['OCB-VALIDATE-CONFIG'],
  },
  {
    fault: 'a config without rootfs',
    find: configWith({ rootfs: undefined }),
    codes: ['OCB-VALIDATE-CONFIG'],
  },
  {
    fault: 'a rootfs of another type',
    find: configWith({ rootfs: { type: 'x', diff_ids: [sound.diffId] } }),
    codes: ['OCB-VALIDATE-CONFIG'],
  },
  { fault: 'a cmd that is text', find: executionWith({ Cmd: 'sh' }), codes: ['OCB-VALIDATE-CONFIG'] },
  { fault: 'a user that is a number', find: executionWith({ User: 0 }), codes: ['OCB-VALIDATE-CONFIG'] },
  {
    fault: 'a label that is a number',
    find: executionWith({ Labels: { a: 1 } }),
    codes: ['OCB-VALIDATE-CONFIG'],
  },
  {
    fault: 'a time without zone',
    find: configWith({ created: '2024-01-01T00:00:00' }),
    codes: ['OCB-VALIDATE-CREATED'],
  },
  {
    fault: 'a day that its month does not have',
    find: configWith({ created: '2023-02-29T00:00:00Z' }),
    codes: ['OCB-VALIDATE-CREATED'],
  },
  { fault: 'env without =', find: executionWith({ Env: ['PATH'] }), codes: ['OCB-VALIDATE-ENV'] },
  { fault: 'env without a name', find: executionWith({ Env: ['=x'] }), codes: ['OCB-VALIDATE-ENV'] },
  {
    fault: 'a port that is none',
    find: executionWith({ ExposedPorts: { '80/http': {} } }),
    codes: ['OCB-VALIDATE-PORTS'],
  },
  {
    fault: 'a port that is too high',
    find: executionWith({ ExposedPorts: { '65536': {} } }),
    codes: ['OCB-VALIDATE-PORTS'],
  },
  {
    fault: 'volumes as a list',
    find: executionWith({ Volumes: ['/data'] }),
    codes: ['OCB-VALIDATE-VOLUMES'],
  },
  {
    fault: 'a volume that is not an object',
    find: executionWith({ Volumes: { '/data': true } }),
    codes: ['OCB-VALIDATE-VOLUMES'],
  },
  {
    fault: 'a stop signal that is none',
    find: executionWith({ StopSignal: 'please stop' }),
    codes: ['OCB-VALIDATE-STOP-SIGNAL'],
  },
  {
    fault: 'history whose empty_layer is text',
    find: configWith({ history: [{ empty_layer: 'no' }] }),
    codes: ['OCB-VALIDATE-HISTORY'],
  },
  {
    fault: 'more history than layers',
    find: configWith({ history: [{}, {}, { empty_layer: true }] }),
    codes: ['OCB-VALIDATE-HISTORY-COUNT'],
  },
  {
    fault: 'more diff_ids than layers',
    find: configWith({ rootfs: { type: 'layers', diff_ids: [sound.diffId, sound.diffId] } }),
    codes: ['OCB-VALIDATE-LAYER-COUNT'],
  },
  {
    fault: 'a gzip layer that says it is not compressed',
    find: layerWith((layer) => ({ ...layer, mediaType: mediaTypes.layer })),
    codes: ['OCB-VALIDATE-COMPRESSION'],
  },
  {
    fault: 'a gzip layer that says it is zstd',
    find: layerWith((layer) => ({ ...layer, mediaType: mediaTypes.layerZstd })),
    codes: ['OCB-VALIDATE-COMPRESSION'],
  },
  {
    fault: 'a gzip stream that is cut',
    find: async () => await check([{ ...sound, bytes: sound.bytes.subarray(0, sound.bytes.length - 12) }]),
    codes: ['OCB-VALIDATE-DECOMPRESS'],
  },
  {
    fault: 'a gzip stream with a wrong checksum',
    find: async () => {
      const bytes = Buffer.from(sound.bytes)
      bytes.writeUInt32LE(1, bytes.length - 8)
      return await check([{ ...sound, bytes }])
    },
    codes: ['OCB-VALIDATE-DECOMPRESS'],
  },
  {
    fault: 'a diffID that is not of the layer',
    find: async () => await check([{ ...sound, diffId: sha256('other') }]),
    codes: ['OCB-VALIDATE-DIFF-ID'],
  },
  {
    fault: 'a layer that is no tar',
    find: async () => await check([plainLayer(Buffer.from('hello '.repeat(300)))]),
    codes: ['OCB-VALIDATE-TAR'],
  },
  {
    fault: 'a tar that is cut within a file',
    find: async () =>
      await check([plainLayer(rawEntry({ name: 'a', content: 'x'.repeat(9000) }).subarray(0, 2048))]),
    codes: ['OCB-VALIDATE-TAR'],
  },
  {
    fault: 'a tar without an end',
    find: async () => await check([plainLayer(rawEntry({ name: 'a', content: Buffer.alloc(4096) }))]),
    codes: ['OCB-VALIDATE-TAR-END'],
  },
  {
    fault: 'an empty layer',
    find: async () => await check([plainLayer(new Uint8Array(0))]),
    codes: ['OCB-VALIDATE-TAR-END'],
  },
  {
    fault: 'bytes after the end of the tar',
    find: async () =>
      await check([plainLayer(Buffer.concat([rawTar([{ name: 'a' }]), Buffer.alloc(700, 'x')]))]),
    codes: ['OCB-VALIDATE-TAR-TRAILING'],
  },
  {
    fault: 'entries after the end of the tar',
    find: async () =>
      await check([plainLayer(Buffer.concat([rawTar([{ name: 'a' }]), rawTar([{ name: 'b' }])]))]),
    codes: ['OCB-VALIDATE-TAR-HIDDEN'],
  },
  { fault: 'a name with ..', find: tarOf({ name: '../etc/passwd' }), codes: ['OCB-VALIDATE-NAME'] },
  { fault: 'an empty name', find: tarOf({ name: '' }), codes: ['OCB-VALIDATE-NAME'] },
  { fault: 'an absolute name', find: tarOf({ name: '/a' }), codes: ['OCB-VALIDATE-NAME-ABSOLUTE'] },
  { fault: 'a name with ./', find: tarOf({ name: './a' }), codes: ['OCB-VALIDATE-NAME-DOT'] },
  {
    fault: 'a name that is not UTF-8',
    find: tarOf({ name: Buffer.from('a\xff', 'latin1') }, { name: Buffer.from('a\xfe', 'latin1') }),
    codes: ['OCB-VALIDATE-NAME-ENCODING'],
  },
  {
    fault: 'a name that comes twice',
    find: tarOf({ name: 'a' }, { name: 'a', content: 'x' }),
    codes: ['OCB-VALIDATE-DUPLICATE-ENTRY'],
  },
  {
    fault: 'a folder that comes twice, written in two ways',
    find: tarOf({ name: 'a/' }, { name: 'a', flag: '5' }),
    codes: ['OCB-VALIDATE-DUPLICATE-ENTRY'],
  },
  {
    fault: 'a type that layers do not have',
    find: tarOf({ name: 'a', flag: 'V' }),
    codes: ['OCB-VALIDATE-ENTRY-TYPE'],
  },
  {
    fault: 'a symlink with content',
    find: tarOf({ name: 'a', flag: '2', target: 'b', content: 'x' }),
    codes: ['OCB-VALIDATE-ENTRY-SIZE'],
  },
  { fault: 'a file without its folder', find: tarOf({ name: 'a/b' }), codes: ['OCB-VALIDATE-PARENT'] },
  {
    fault: 'a folder after its file',
    find: tarOf({ name: 'a/b' }, { name: 'a/' }),
    codes: ['OCB-VALIDATE-PARENT-ORDER'],
  },
  {
    fault: 'a file below a file',
    find: tarOf({ name: 'a' }, { name: 'a/b' }),
    codes: ['OCB-VALIDATE-PARENT-TYPE'],
  },
  {
    fault: 'a file below a symlink',
    find: tarOf({ name: 'a', flag: '2', target: '/' }, { name: 'a/b' }),
    codes: ['OCB-VALIDATE-PARENT-LINK'],
  },
  { fault: 'a whiteout of nothing', find: tarOf({ name: '.wh.' }), codes: ['OCB-VALIDATE-WHITEOUT'] },
  { fault: 'a whiteout of ..', find: tarOf({ name: '.wh...' }), codes: ['OCB-VALIDATE-WHITEOUT'] },
  {
    fault: 'a folder that is named as a whiteout',
    find: tarOf({ name: '.wh.a', flag: '5' }, { name: '.wh.a/b' }),
    codes: ['OCB-VALIDATE-PARENT', 'OCB-VALIDATE-WHITEOUT', 'OCB-VALIDATE-WHITEOUT-CONTENT'],
  },
  {
    fault: 'bookkeeping of AUFS',
    find: tarOf({ name: '.wh..wh.aufs' }),
    codes: ['OCB-VALIDATE-WHITEOUT-RESERVED'],
  },
  {
    fault: 'a whiteout with content',
    find: tarOf({ name: '.wh.a', content: 'x' }),
    codes: ['OCB-VALIDATE-WHITEOUT-CONTENT'],
  },
  {
    fault: 'a whiteout beside its entry',
    find: tarOf({ name: '.wh.a' }, { name: 'a/' }, { name: 'a/b' }),
    codes: ['OCB-VALIDATE-WHITEOUT-BESIDE'],
  },
  {
    fault: 'a symlink to nothing',
    find: tarOf({ name: 'a', flag: '2' }),
    codes: ['OCB-VALIDATE-LINK-TARGET'],
  },
  {
    fault: 'a hard link before its target',
    find: tarOf({ name: 'a', flag: '1', target: 'b' }, { name: 'b' }),
    codes: ['OCB-VALIDATE-HARDLINK'],
  },
  {
    fault: 'a hard link to what no layer holds',
    find: tarOf({ name: 'a', flag: '1', target: 'b' }),
    codes: ['OCB-VALIDATE-HARDLINK'],
  },
  {
    fault: 'a hard link out of the root',
    find: tarOf({ name: 'a', flag: '1', target: '../b' }),
    codes: ['OCB-VALIDATE-HARDLINK'],
  },
  {
    fault: 'a hard link to a file of a lower layer',
    find: async () => await check([sound, plainLayer(rawTar([{ name: 'a', flag: '1', target: 'bin/sh' }]))]),
    codes: ['OCB-VALIDATE-HARDLINK-LOWER'],
    where: /layers\[1\]$/,
  },
]

describe('validateImage', () => {
  it('finds nothing in a sound image, and says what it read', async () => {
    const plain = plainLayer(rawTar(soundEntries))
    const { store, root, layers, config } = await makeImage([sound, plain])
    const result = await validateImage(store, root)
    expect(result.findings).toEqual([])
    expect(result.valid).toBe(true)
    expect(result.blobs).toBe(4)
    const bytes = [root, config, ...layers].reduce((sum, { size }) => sum + size, 0)
    expect(result.bytes).toBe(bytes)
  })

  it.each(cases)('finds $fault', async ({ find, codes, where }) => {
    const findings = await find()
    expect(codesOf(findings)).toEqual(codes)
    for (const finding of findings) {
      expect(finding.severity).toBe(validationCodes[finding.code])
      expect(finding.message).not.toBe('')
      expect(finding.where).toMatch(where ?? /./)
    }
  })

  it('takes one layer twice, and platforms that share it, and reads it once', async () => {
    const { store, root } = await makeImage([sound, sound])
    const fetched: string[] = []
    const counting: Fetcher = {
      fetch: async (target, options) => {
        fetched.push(target.digest)
        return await store.fetch(target, options)
      },
    }
    const other = await makeImage(
      [sound],
      { config: (config) => ({ ...config, architecture: 'arm64' }) },
      store,
    )
    const index = await addJson(store, mediaTypes.index, {
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [
        { ...root, platform },
        { ...other.root, platform: { os: 'linux', architecture: 'arm64', variant: undefined } },
      ],
    })
    const { findings, blobs } = await validateImage(counting, index)
    expect(findings).toEqual([])
    expect(fetched.toSorted()).toEqual([...new Set(fetched)].toSorted())
    expect(blobs).toBe(fetched.length)
  })

  it('leaves non-distributable layers where they are, with a note', async () => {
    const { store, root } = await makeImage([sound], {
      manifest: (manifest) => ({
        ...manifest,
        layers: editFirst(manifest['layers'], (layer) => ({
          ...layer,
          mediaType: mediaTypes.nondistributableLayerGzip,
          digest: sha256('elsewhere'),
          urls: ['https://example.com/layer'],
        })),
      }),
    })
    const { findings, notes } = await validateImage(store, root)
    expect(findings).toEqual([])
    expect(notes).toHaveLength(1)
    expect(notes[0]?.where).toMatch(/layers\[0\]$/)
  })

  it('reads no layers when it is to be fast, but sees that they are there', async () => {
    const broken = { ...sound, diffId: sha256('other') }
    const { store, root, layers } = await makeImage([broken])
    expect((await validateImage(store, root, { fast: true })).findings).toEqual([])
    const [layer] = layers
    const without: Fetcher = {
      fetch: async (target, options) => {
        if (target.digest === layer?.digest) throw contentNotFound(target, 'the test')
        return await store.fetch(target, options)
      },
    }
    expect(codesOf((await validateImage(without, root, { fast: true })).findings)).toEqual([
      'OCB-VALIDATE-MISSING',
    ])
  })

  it('checks an artifact by its content only', async () => {
    const store = createMemoryStore()
    const config = await addJson(store, mediaTypes.empty, {})
    const blob = await addJson(store, 'application/spdx+json', { spdx: 1 })
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: 'application/spdx+json',
      config,
      layers: [blob],
      subject: { mediaType: mediaTypes.manifest, digest: sha256('not here'), size: 1 },
    }
    const { findings } = await validateImage(store, await addJson(store, mediaTypes.manifest, manifest))
    expect(findings).toEqual([])
  })

  it('takes an index with an entry of a type that it does not know, as readers must', async () => {
    const store = createMemoryStore()
    const other = await addJson(store, 'application/x-other', {})
    const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [other] }
    const result = await validateImage(store, await addJson(store, mediaTypes.index, index))
    expect(result.valid).toBe(true)
    expect(codesOf(result.findings)).toEqual(['OCB-VALIDATE-MEDIA-TYPE-UNKNOWN'])
  })

  it('reads names of every length and layers in several gzip members', async () => {
    const long = `ü${'d'.repeat(90)}/`.repeat(3)
    const record = ` path=${long}x\n`
    const pax = `${Buffer.byteLength(record) + 3}${record}`
    const entries: readonly RawEntry[] = [
      { name: 'a', flag: 'x', content: pax },
      { name: 'short', content: 'x' },
    ]
    const tar = rawTar(entries)
    const halves = [gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]
    const findings = await check([
      { mediaType: mediaTypes.layerGzip, bytes: Buffer.concat(halves), diffId: sha256(tar) },
    ])
    expect(codesOf(findings)).toEqual(['OCB-VALIDATE-PARENT'])
    expect(findings[0]?.message).toContain('ü')
  })

  it.each([1, 7, 511, 512, 513, 1500])(
    'judges a tar alike when it comes in chunks of %i bytes',
    async (length) => {
      const entries: readonly RawEntry[] = [{ name: 'a', content: 'x'.repeat(700) }, { name: 'b/' }]
      const whole = rawTar(entries)
      const variants: readonly (readonly [Uint8Array, readonly string[]])[] = [
        [whole, []],
        [whole.subarray(0, -512), ['OCB-VALIDATE-TAR-END']],
        [Buffer.concat([whole, Buffer.alloc(512 * 9)]), []],
        [Buffer.concat([whole, Buffer.alloc(100, 'x')]), ['OCB-VALIDATE-TAR-TRAILING']],
        [Buffer.concat([whole, rawTar([{ name: 'c' }])]), ['OCB-VALIDATE-TAR-HIDDEN']],
        [whole.subarray(0, 900), ['OCB-VALIDATE-TAR']],
      ]
      for (const [tar, codes] of variants) {
        const { store, root } = await makeImage([plainLayer(tar)])
        const rechunked: Fetcher = {
          fetch: async (target, options) => {
            const pieces: Uint8Array[] = []
            for await (const piece of await store.fetch(target, options)) pieces.push(piece)
            return chunksOf(Buffer.concat(pieces), length)
          },
        }
        expect(codesOf((await validateImage(rechunked, root)).findings)).toEqual(codes)
      }
    },
  )

  it('counts what repeats in place of listing it', async () => {
    const entries = Array.from({ length: 50 }, (_, i) => ({ name: `./${i}` }))
    const findings = await tarOf(...entries)()
    expect(findings).toHaveLength(11)
    expect(findings.at(-1)?.message).toBe('and 40 more of this kind')
  })

  it('stops when it is interrupted', async () => {
    const { store, root } = await makeImage([sound])
    await expect(validateImage(store, root, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'OCB-INTERRUPTED',
    })
  })

  it('passes on what keeps a store from answering', async () => {
    const store: Fetcher = { fetch: async () => await Promise.reject(new Error('the disk is gone')) }
    const { root } = await makeImage([sound])
    await expect(validateImage(store, root)).rejects.toThrow('the disk is gone')
  })

  afterAll(() => {
    // Those of a layout are provoked in validate-layout.test.ts.
    const ofLayouts = /-(?:LAYOUT|LAYOUT-INDEX|REF-NAME|REF-DUPLICATE|BLOB-NAME)$/
    const left = Object.keys(validationCodes).filter(
      (code) => !ofLayouts.test(code) && ![...provoked].some((seen) => seen === code),
    )
    expect(left).toEqual([])
  })
})
