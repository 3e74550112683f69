/** What validateImage says of sound and odd images; each rule by itself is in validate-faults.test.ts. */

import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { sha256 } from '../../src/content/hash.ts'
import { contentNotFound } from '../../src/content/not-found.ts'
import type { Fetcher } from '../../src/content/store.ts'
import { validateImage } from '../../src/image/validate-image.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import {
  addJson,
  chunksOf,
  makeImage,
  plainLayer,
  rawTar,
  type RawEntry,
} from '../helpers/hand-made-image.ts'
import { check, codesOf, editFirst, platform, sound, soundEntries, tarOf } from './validate-kit.ts'

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
})
