import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { openFileDigests } from '../../src/cache/file-digests.ts'
import type { Compression } from '../../src/config/resolved-spec.ts'
import { OciBuildError } from '../../src/errors.ts'
import { createSegmentMemory } from '../../src/layer/segments.ts'
import { encoding } from '../helpers/layers.ts'
import { buildLayer, type BuiltLayer } from '../../src/layer/build-layer.ts'
import type { Changeset, ChangesetEntry } from '../../src/layer/changeset.ts'
import { createLayerCache } from '../../src/layer/layer-cache.ts'
import { openLayout } from '../../src/layout/layout-store.ts'
import { hostFileSource } from '../../src/plan/host-file.ts'
import { collectBytes } from '../helpers/images.ts'
import { encodeBytes } from '../helpers/layers.ts'
import { temporaryFolder } from '../helpers/unpack.ts'

const folder = temporaryFolder()
const project = join(folder, 'project')
const cacheDir = join(folder, 'cache')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(project, { recursive: true })
})

const gzip = { type: 'gzip', level: 5 } as const
const step = { id: 'step', progress: () => {}, finish: () => {} }

function changeset(files: Readonly<Record<string, string | Buffer>>): Changeset {
  const entries = Object.entries(files).map(([path, content]): ChangesetEntry => {
    writeFileSync(join(project, path), content)
    return hostEntry(path)
  })
  return { name: 'app', entries }
}

function hostEntry(path: string): ChangesetEntry {
  const source = hostFileSource(join(project, path))
  return { type: 'file', path, mode: 0o644, uid: 0, gid: 0, mtime: 'content', source }
}

interface RunOptions {
  readonly compression?: Compression
  readonly encoderId?: string
  /** How long after now the run takes itself to be: beyond two seconds, files count as settled. */
  readonly laterMs?: number
  readonly signal?: AbortSignal
}

/** One run of the builder over the shared cache folder, from opening it to saving it. */
async function build(layer: Changeset, options: RunOptions = {}): Promise<BuiltLayer> {
  const { compression = gzip, encoderId = '', laterMs = 10_000, signal } = options
  const wallClockMs = (): number => Date.now() + laterMs
  const store = await openLayout(join(cacheDir, 'content'), { create: true, nowMs: Date.now() })
  const cache = createLayerCache(join(cacheDir, 'layers'), store, wallClockMs)
  const files = openFileDigests(join(cacheDir, 'files'), project, wallClockMs)
  const segments = createSegmentMemory(join(cacheDir, 'segments'), store, encoding.deflater)
  const { deflater } = encoding
  const builder = { store, cache, files, encoderId: () => encoderId, deflater, segments, signal }
  const built = await buildLayer(layer, compression, builder, step)
  files.save()
  const bytes = await collectBytes(await store.fetch(built.descriptor))
  expect(bytes).toHaveLength(built.descriptor.size)
  return built
}

function records(): string[] {
  const layers = join(cacheDir, 'layers')
  return readdirSync(layers).flatMap((shape) =>
    readdirSync(join(layers, shape)).map((name) => join(layers, shape, name)),
  )
}

const mixed = { a: 'small', b: Buffer.alloc(2_500_000, 'large'), c: '' }

describe('the memory of files', () => {
  it('is not asked nor kept for few and small ones', async () => {
    const few = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`f${index}`, 'x']))
    await build(changeset(few))
    expect(existsSync(join(cacheDir, 'files'))).toBe(false)
    await build(changeset({ ...few, more: 'x' }))
    expect(existsSync(join(cacheDir, 'files'))).toBe(true)
  })
})

describe('a layer that is built again', () => {
  it('comes from the cache, and is what it was', async () => {
    const layer = changeset(mixed)
    const first = await build(layer)
    const second = await build(layer)
    expect(first.cached).toBe(false)
    expect(second).toEqual({ ...first, cached: true })
    const { digest, diffId } = await encodeBytes(layer, gzip)
    expect(second).toMatchObject({ diffId, descriptor: { digest } })
  })

  it('comes from the cache where no file is remembered: they are hashed', async () => {
    const layer = changeset(mixed)
    const first = await build(layer, { laterMs: 0 })
    rmSync(join(cacheDir, 'files'), { recursive: true, force: true })
    expect(await build(layer)).toEqual({ ...first, cached: true })
  })

  it('comes from the cache without a look at its files where they are remembered', async () => {
    const layer = changeset(mixed)
    const first = await build(layer)
    rmSync(project, { recursive: true })
    expect(await build(layer)).toEqual({ ...first, cached: true })
  })

  it('comes from the cache where its files were copied elsewhere', async () => {
    const first = await build(changeset(mixed))
    rmSync(project, { recursive: true })
    mkdirSync(project)
    expect(await build(changeset(mixed))).toEqual({ ...first, cached: true })
  })

  it('is built again, the same, where its blob is gone or cut', async () => {
    const layer = changeset(mixed)
    const first = await build(layer)
    const blob = join(cacheDir, 'content', 'blobs', 'sha256', first.descriptor.digest.slice('sha256:'.length))
    rmSync(blob)
    expect(await build(layer)).toEqual(first)
    writeFileSync(blob, 'cut')
    expect(await build(layer)).toEqual(first)
    expect(await build(layer)).toEqual({ ...first, cached: true })
  })

  it.each([
    '',
    '{',
    'null',
    '{}',
    '{"descriptor":{},"diffId":"sha256:aa"}',
    '{"descriptor":{"mediaType":"a","digest":"../../x","size":1},"diffId":"sha256:aa"}',
  ])('is built again where its record is %o', async (damaged) => {
    const layer = changeset(mixed)
    const first = await build(layer)
    const [record = ''] = records()
    writeFileSync(record, damaged)
    expect(await build(layer)).toEqual(first)
    expect(await build(layer)).toEqual({ ...first, cached: true })
  })

  it('marks its record as used', async () => {
    const layer = changeset(mixed)
    await build(layer)
    const [record = ''] = records()
    utimesSync(record, 1, 1)
    await build(layer)
    expect(statSync(record).mtimeMs).toBeGreaterThan(1_000_000)
  })
})

describe('a layer is built anew', () => {
  it('where a file has other bytes of the same size, its mtime set back', async () => {
    const first = await build(changeset({ a: 'one' }))
    const { mtime } = statSync(join(project, 'a'))
    writeFileSync(join(project, 'a'), 'two')
    utimesSync(join(project, 'a'), mtime, mtime)
    const second = await build({ name: 'app', entries: [hostEntry('a')] })
    expect(second.cached).toBe(false)
    expect(second.diffId).not.toBe(first.diffId)
  })

  it('where the compression, its level or the encoder is another', async () => {
    const layer = changeset(mixed)
    const variants: RunOptions[] = [
      {},
      { compression: { type: 'gzip', level: 9 } },
      { compression: { type: 'none' } },
      { encoderId: 'zlib 1.2.11' },
    ]
    for (const variant of variants) expect((await build(layer, variant)).cached).toBe(false)
    for (const variant of variants) expect((await build(layer, variant)).cached).toBe(true)
  })

  it('never from a file that changed after it was selected', async () => {
    const layer = changeset({ a: 'one' })
    await build(layer, { laterMs: 0 })
    writeFileSync(join(project, 'a'), 'two')
    await expect(build(layer, { laterMs: 0 })).rejects.toMatchObject({ code: 'OCB-FILE-CHANGED' })
  })
})

it('builders that share a cache folder at once give one result', async () => {
  const layer = changeset(mixed)
  const built = await Promise.all(Array.from({ length: 6 }, () => build(layer)))
  for (const one of built) expect({ ...one, cached: false }).toEqual(built[0])
  expect(records()).toHaveLength(1)
  expect(await build(layer)).toMatchObject({ cached: true, diffId: built[0]?.diffId })
})

it('an abort ends the search for digests', async () => {
  const layer = changeset(mixed)
  await build(layer, { laterMs: 0 })
  await expect(build(layer, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(OciBuildError)
})
