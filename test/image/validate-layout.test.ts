/** The rules of a layout's own files, and what other readers say of the same layouts. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256 } from '../../src/content/hash.ts'
import { validateLayout, type ValidateLayoutOptions } from '../../src/image/validate-layout.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { gzipLayer, makeImage, rawTar, type Edits, type HandMadeLayer } from '../helpers/hand-made-image.ts'
import { checkAgainstImageSpec, schemaMissing, schemaMissingReason } from '../helpers/oci-schema.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { temporaryFolder } from '../helpers/unpack.ts'
import { writeLayout } from '../helpers/write-layout.ts'

type Json = Record<string, unknown>

const layer = gzipLayer(
  rawTar([
    { name: 'etc/', mode: 0o755 },
    { name: 'etc/motd', content: 'hello\n' },
  ]),
)

let folder = ''
let count = 0
beforeAll(() => {
  folder = temporaryFolder()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function makeLayout(layers: readonly HandMadeLayer[] = [layer], edits: Edits = {}): Promise<string> {
  count += 1
  const dir = join(folder, String(count))
  await writeLayout(dir, await makeImage(layers, edits), 'latest')
  return dir
}

function editIndex(dir: string, edit: (index: Json, entry: Json) => Json): void {
  const path = join(dir, 'index.json')
  const index: unknown = JSON.parse(readFileSync(path, 'utf8'))
  if (typeof index !== 'object' || index === null || !('manifests' in index)) throw new Error('an index')
  const { manifests } = index
  if (!Array.isArray(manifests)) throw new Error('a list')
  writeFileSync(path, JSON.stringify(edit({ ...index }, manifests[0])))
}

async function codesOf(dir: string, options: ValidateLayoutOptions = {}): Promise<readonly string[]> {
  const { findings } = await validateLayout(dir, options)
  return [...new Set(findings.map(({ code }) => code))]
}

const named = (entry: Json, name: string): Json => ({
  ...entry,
  annotations: { 'org.opencontainers.image.ref.name': name },
})

describe('validateLayout', () => {
  it('finds nothing in a sound layout', async () => {
    expect(await codesOf(await makeLayout(), { all: true })).toEqual([])
  })

  it('finds a folder that is no layout', async () => {
    const dir = join(folder, 'nothing')
    mkdirSync(dir)
    expect(await codesOf(dir)).toEqual(['OCB-VALIDATE-LAYOUT', 'OCB-VALIDATE-LAYOUT-INDEX'])
  })

  it('finds a layout of another version', async () => {
    const dir = await makeLayout()
    writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}')
    expect(await codesOf(dir)).toEqual(['OCB-VALIDATE-LAYOUT'])
  })

  it('finds an index.json that is no index', async () => {
    const dir = await makeLayout()
    editIndex(dir, () => ({ schemaVersion: 1, manifests: 'none' }))
    expect(await codesOf(dir)).toEqual(['OCB-VALIDATE-SCHEMA-VERSION', 'OCB-VALIDATE-INDEX'])
  })

  it('takes an index.json without a media type, as older tools write it', async () => {
    const dir = await makeLayout()
    editIndex(dir, ({ mediaType: _mediaType, ...index }) => index)
    expect(await codesOf(dir)).toEqual([])
  })

  it.each(['-latest', 'a..b', 'a/', '', 'a b'])('finds the ref name "%s"', async (name) => {
    const dir = await makeLayout()
    editIndex(dir, (index, entry) => ({ ...index, manifests: [named(entry, name)] }))
    expect(await codesOf(dir)).toEqual(['OCB-VALIDATE-REF-NAME'])
  })

  it.each(['latest', '1.4.0', 'a--b', 'registry.example.com/team/app:1.4.0', 'v1@sha'])(
    'takes the ref name "%s"',
    async (name) => {
      const dir = await makeLayout()
      editIndex(dir, (index, entry) => ({ ...index, manifests: [named(entry, name)] }))
      expect(await codesOf(dir)).toEqual([])
    },
  )

  it('finds a ref name that two images have', async () => {
    const dir = await makeLayout()
    editIndex(dir, (index, entry) => ({ ...index, manifests: [entry, entry] }))
    expect(await codesOf(dir)).toEqual(['OCB-VALIDATE-REF-DUPLICATE'])
  })

  it('finds a blob that is not what its name says, also one that no image names', async () => {
    const dir = await makeLayout()
    const digest = sha256('one thing')
    writeFileSync(join(dir, 'blobs/sha256', digest.slice(7)), 'another')
    writeFileSync(join(dir, 'blobs/sha256/readme'), '')
    expect(await codesOf(dir)).toEqual([])
    const { findings } = await validateLayout(dir, { all: true })
    expect(findings.map(({ code }) => code)).toEqual(['OCB-VALIDATE-BLOB-NAME', 'OCB-VALIDATE-BLOB-NAME'])
  })

  it('finds a blob of another size without reading it', async () => {
    const dir = await makeLayout()
    const path = join(dir, 'blobs/sha256', sha256(layer.bytes).slice(7))
    writeFileSync(path, layer.bytes.subarray(0, -1))
    expect(await codesOf(dir, { fast: true })).toEqual(['OCB-VALIDATE-MISSING'])
    expect(await codesOf(dir)).toEqual(['OCB-VALIDATE-CONTENT'])
  })
})

describe.skipIf(schemaMissing)(
  `image-spec's schemas${schemaMissing ? ` (skipped: ${schemaMissingReason})` : ''}`,
  () => {
    it('take what a sound image holds', async () => {
      const dir = await makeLayout()
      checkAgainstImageSpec('layout', JSON.parse(readFileSync(join(dir, 'oci-layout'), 'utf8')))
      checkAgainstImageSpec('index', JSON.parse(readFileSync(join(dir, 'index.json'), 'utf8')))
      const { store, root, config } = await makeImage([layer])
      checkAgainstImageSpec('descriptor', root)
      for (const [kind, descriptor] of [
        ['manifest', root],
        ['config', config],
      ] as const) {
        let text = ''
        for await (const chunk of await store.fetch(descriptor)) text += Buffer.from(chunk).toString()
        checkAgainstImageSpec(kind, JSON.parse(text))
      }
    })

    it.each([
      ['manifest', { schemaVersion: 1, config: {}, layers: [] }, /schemaVersion.*config.*layers/],
      [
        'index',
        { schemaVersion: 2, manifests: [{ mediaType: 'x', digest: 'y', size: 'z' }] },
        /manifests\/0/,
      ],
      [
        'config',
        { os: 'linux', rootfs: { type: 'x', diff_ids: [] }, created: 'today' },
        /created.*architecture|architecture.*created/,
      ],
      ['layout', { imageLayoutVersion: '2.0.0' }, /imageLayoutVersion/],
      ['descriptor', { mediaType: mediaTypes.layer, size: 1 }, /digest/],
    ] as const)('refuse a %s that is wrong', (kind, value, message) => {
      expect(() => checkAgainstImageSpec(kind, value)).toThrow(message)
    })
  },
)

describeWithPeers('other readers agree', ['skopeo', 'umoci'], ({ skopeo, umoci }) => {
  const inspect = (dir: string): unknown =>
    execFileSync(skopeo, ['copy', `oci:${dir}:latest`, `oci:${dir}-copy:latest`], { stdio: 'pipe' })
  const unpack = (dir: string): unknown =>
    execFileSync(umoci, ['unpack', '--rootless', '--image', `${dir}:latest`, `${dir}-bundle`], {
      stdio: 'pipe',
    })

  it('that a sound image is one', async () => {
    const dir = await makeLayout()
    expect((await validateLayout(dir)).valid).toBe(true)
    inspect(dir)
    unpack(dir)
  })

  it.each([
    ['diffID', [{ ...layer, diffId: sha256('other') }], {}],
    [
      'count of diff_ids',
      [layer],
      { config: (config: Json) => ({ ...config, rootfs: { type: 'layers', diff_ids: [] } }) },
    ],
    ['gzip stream', [{ ...layer, bytes: layer.bytes.subarray(0, -9) }], {}],
  ])('that an image with a wrong %s is none', async (_fault, layers, edits) => {
    const dir = await makeLayout(layers, edits)
    expect((await validateLayout(dir)).valid).toBe(false)
    expect(() => unpack(dir)).toThrow('Command failed')
  })

  it('that an image with a changed layer is none', async () => {
    const dir = await makeLayout()
    const path = join(dir, 'blobs/sha256', sha256(layer.bytes).slice(7))
    const bytes = readFileSync(path)
    bytes[20] = (bytes[20] ?? 0) ^ 1
    writeFileSync(path, bytes)
    expect((await validateLayout(dir)).valid).toBe(false)
    expect(() => inspect(dir)).toThrow('Command failed')
    expect(() => unpack(dir)).toThrow('Command failed')
  })
})
