/** A large layer that was made before: what becomes of it where something changed, and where that was taken back. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openFileDigests, type FileDigests } from '../../src/cache/file-digests.ts'
import { sha256Bytes } from '../../src/content/hash.ts'
import { createDeflater } from '../../src/deflate/deflater.ts'
import { buildLayer, type BuiltLayer, type LayerBuilder } from '../../src/layer/build-layer.ts'
import type { Changeset } from '../../src/layer/changeset.ts'
import { createLayerCache } from '../../src/layer/layer-cache.ts'
import { createSegmentMemory } from '../../src/layer/segments.ts'
import { openLayout } from '../../src/layout/layout-store.ts'
import { hostFileSource } from '../../src/plan/host-file.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { countingDeflater } from '../helpers/layers.ts'

const MiB = 1024 * 1024
const files = 40
const fileBytes = MiB / 2
const two = createDeflater(2)
afterAll(() => two.close())

let dir: string
/** As a build an hour later has them. */
let digests: FileDigests
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocibuild-rebuilt-'))
  mkdirSync(join(dir, 'app'))
  digests = openFileDigests(join(dir, 'files'), dir, () => Date.now() + 3_600_000)
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const { deflater: watched, taken } = countingDeflater(two)

const pathOf = (index: number): string => join(dir, 'app', String(index).padStart(3, '0'))

/** Each file says which it is; `edits` are of the same length. */
function write(edits: Readonly<Record<number, string>> = {}): Changeset {
  const entries = Array.from({ length: files }, (_, index) => {
    const path = pathOf(index)
    writeFileSync(path, Buffer.alloc(fileBytes, `${edits[index] ?? 'as it was'} ${index}\n`))
    const common = { origin: '', mode: 0o644, uid: 0, gid: 0, mtime: 'content' } as const
    return { type: 'file', path: `app/${index}`, ...common, source: hostFileSource(path) } as const
  })
  return { name: 'test', entries }
}

async function build(
  changeset: Changeset,
  previous?: Descriptor,
  more: Partial<LayerBuilder> = {},
): Promise<BuiltLayer> {
  taken()
  const store = await openLayout(join(dir, 'content'), { create: true })
  const builder: LayerBuilder = {
    store,
    cache: createLayerCache(join(dir, 'layers'), store, Date.now),
    files: digests,
    encoderId: () => '',
    deflater: watched,
    segments: createSegmentMemory(join(dir, 'segments'), store, watched),
    ...more,
  }
  const step = { id: '', progress() {}, finish() {} }
  const size = { contentBytes: files * fileBytes }
  return buildLayer(changeset, { type: 'gzip', level: 1 }, builder, step, { previous, size })
}

/** What lies in the layout beside what belongs there. */
const leftovers = (): string[] =>
  readdirSync(join(dir, 'content')).filter((name) => !['blobs', 'index.json', 'oci-layout'].includes(name))
const blobs = (): number => readdirSync(join(dir, 'content/blobs/sha256')).length
const noCache = { mayHave: () => false, find: async () => undefined, keep() {} }

describe('a large layer that was made before', () => {
  it('is made of what it has in common with the last, as on the first day', async () => {
    const first = await build(write())
    const all = taken()
    const changeset = write({ 20: 'as it is!' })
    const again = await build(changeset, first.descriptor)
    expect(taken()).toBeLessThan(all / 2)
    expect(again).toMatchObject({ cached: false })
    expect(await build(changeset, undefined, { cache: noCache })).toEqual(again)
    expect(leftovers()).toEqual([])
  })

  it('is found where it was made earlier still', async () => {
    const first = await build(write())
    const second = await build(write({ 3: 'as it is!' }), first.descriptor)
    const before = blobs()
    const { layer, told } = await (async () => {
      const keys: string[] = []
      const back = write()
      const tell = ({ key }: { readonly key: string }): void => void keys.push(key)
      return { layer: await build(back, second.descriptor, { tell }), told: keys }
    })()
    expect(layer).toEqual({ ...first, cached: true, cachedFrom: undefined })
    expect(told).toEqual([first.key])
    expect([blobs(), leftovers()]).toEqual([before, []])
  })

  it('is made anew where a digest is remembered wrongly', async () => {
    const first = await build(write())
    const changeset = write({ 7: 'as it is!', 8: 'as it is!' })
    const wrong = sha256Bytes(Buffer.alloc(fileBytes, 'as it was 7\n'))
    const lookup: FileDigests['lookup'] = (source) =>
      source.path === pathOf(7) ? wrong : digests.lookup(source)
    const again = await build(changeset, first.descriptor, { files: { ...digests, lookup } })
    expect(await build(changeset, undefined, { cache: noCache })).toEqual(again)
    expect(leftovers()).toEqual([])
  })

  it.each([false, true])('fails for a file that went away, and leaves nothing (%s)', async (sameShape) => {
    const first = await build(write())
    const changeset = write({ 30: 'as it is!' })
    rmSync(pathOf(30))
    const cache = sameShape ? {} : { cache: noCache }
    const again = build(changeset, first.descriptor, cache)
    await expect(again).rejects.toMatchObject({ code: 'OCB-FILE-UNREADABLE' })
    expect(leftovers()).toEqual([])
  })

  it('ends when it is aborted, and leaves nothing', async () => {
    const first = await build(write())
    const controller = new AbortController()
    const again = build(write({ 30: 'as it is!' }), first.descriptor, { signal: controller.signal })
    setTimeout(() => controller.abort(), 5)
    await expect(again).rejects.toMatchObject({ code: 'OCB-INTERRUPTED' })
    expect(leftovers()).toEqual([])
  })
})
