/** A layer that has blocks in common with an earlier one: their bytes are copied, and are those of a layer made anew. */

import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openFileDigests, type FileDigests } from '../../src/cache/file-digests.ts'
import { sha256Bytes } from '../../src/content/hash.ts'
import type { Compression } from '../../src/config/resolved-spec.ts'
import { createDeflater, type Deflater } from '../../src/deflate/deflater.ts'
import { buildLayer, type BuiltLayer } from '../../src/layer/build-layer.ts'
import type { Changeset } from '../../src/layer/changeset.ts'
import { createLayerCache } from '../../src/layer/layer-cache.ts'
import { createSegmentMemory } from '../../src/layer/segments.ts'
import { hostFileSource } from '../../src/plan/host-file.ts'
import { openLayout } from '../../src/layout/layout-store.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { countingDeflater } from '../helpers/layers.ts'

const KiB = 1024
const threads = createDeflater(2)
afterAll(() => threads.close())

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocibuild-segments-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Path to size and seed of its bytes. */
type Files = ReadonlyMap<string, { readonly size: number; readonly seed: number }>

/** As `changesetOf`, of files on the disk. */
function hostChangesetOf(files: Files): Changeset {
  const { name, entries } = changesetOf(files)
  return {
    name,
    entries: entries.map((entry) => {
      if (entry.type !== 'file' || entry.source.kind !== 'bytes') return entry
      const path = join(dir, entry.path.replaceAll('/', '-'))
      writeFileSync(path, entry.source.bytes)
      return { ...entry, source: hostFileSource(path) }
    }),
  }
}

function changesetOf(files: Files): Changeset {
  const paths = Array.from(files.keys()).toSorted()
  const entries = paths.map((path) => {
    const { size, seed } = files.get(path) ?? { size: 0, seed: 0 }
    const source = { kind: 'bytes', bytes: bytesOf(size, seed) } as const
    return { type: 'file', path, mode: 0o644, uid: 0, gid: 0, mtime: 'content', source } as const
  })
  return { name: 'test', entries }
}

function bytesOf(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = (seed * 2_654_435_761) >>> 0 || 1
  for (let index = 0; index < size; index += 1) {
    if (index % 4 === 0) state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[index] = (state >>> 24) % 17
  }
  return bytes
}

/** Builds without any memory of layers, but for the segments of `previous`; counts what was compressed. */
async function build(
  files: Files,
  previous?: Descriptor,
  compression: Compression = { type: 'gzip', level: 1 },
  changeset: Changeset = changesetOf(files),
  remembered: Partial<FileDigests> = {},
): Promise<{ readonly layer: BuiltLayer; readonly compressed: number; readonly blob: Buffer }> {
  const { deflater, taken } = countingDeflater(threads)
  const store = await openLayout(join(dir, 'content'), { create: true })
  const layer = await buildLayer(
    changeset,
    compression,
    {
      store,
      cache: createLayerCache(join(dir, 'none', String(Math.random())), store, Date.now),
      files: { ...openFileDigests(join(dir, 'files'), dir, Date.now), ...remembered },
      encoderId: () => '',
      deflater,
      segments: createSegmentMemory(join(dir, 'segments'), store, deflater),
    },
    { id: '', progress() {}, finish() {} },
    { previous },
  )
  const blob = readFileSync(join(dir, 'content/blobs/sha256', layer.descriptor.digest.slice(7)))
  return { layer, compressed: taken(), blob }
}

const many: Files = new Map(
  Array.from({ length: 120 }, (_, index) => [
    `d/${String(index).padStart(3, '0')}`,
    { size: 60 * KiB, seed: index },
  ]),
)
const having = (files: Files, path: string, seed: number, size = 60 * KiB): Files =>
  new Map([...files, [path, { size, seed }]])

describe('segments of an earlier layer', () => {
  it('are all that is needed where nothing changed', async () => {
    const first = await build(many)
    expect(first.compressed).toBeGreaterThan(7)
    const again = await build(many, first.layer.descriptor)
    expect(again.layer.descriptor).toEqual(first.layer.descriptor)
    expect(again.layer.diffId).toBe(first.layer.diffId)
    expect(again.compressed).toBe(0)
  })

  it('leave the changed block and the one after it to be compressed', async () => {
    const first = await build(many)
    const edited = having(many, 'd/050', 999)
    const warm = await build(edited, first.layer.descriptor)
    expect(warm.compressed).toBeGreaterThan(0)
    expect(warm.compressed).toBeLessThanOrEqual(2)
    expect(warm.blob.equals((await build(edited)).blob)).toBe(true)
  })

  it('hold for pieces of large files too', async () => {
    const files = having(many, 'e/large', 5, 5000 * KiB)
    const first = await build(files)
    const edited = having(files, 'd/119', 999)
    const warm = await build(edited, first.layer.descriptor)
    expect(warm.compressed).toBeLessThanOrEqual(3)
    expect(warm.blob.equals((await build(edited)).blob)).toBe(true)
    const other = await build(having(files, 'e/large', 6, 5000 * KiB), first.layer.descriptor)
    expect(other.compressed).toBeGreaterThanOrEqual(5)
  })

  it.each([60 * KiB, 3000 * KiB])(
    'are not taken for a file of %i bytes that is remembered with another content',
    async (size) => {
      const files = having(many, 'd/050', 1, size)
      const first = await build(files)
      const changed = having(files, 'd/050', 2, size)
      // As if it had been written again without its times moving.
      const digestOf = new Map(
        Array.from(files, ([path, { size: bytes, seed }]) => [
          join(dir, path.replaceAll('/', '-')),
          sha256Bytes(bytesOf(bytes, seed)),
        ]),
      )
      const asked: string[] = []
      const lookup: FileDigests['lookup'] = ({ path }) => {
        asked.push(path)
        return digestOf.get(path)
      }
      const gzip = { type: 'gzip', level: 1 } as const
      const source = hostChangesetOf(changed)
      const warm = await build(changed, first.layer.descriptor, gzip, source, { lookup })
      const cold = await build(changed)
      expect(asked.length).toBeGreaterThan(0)
      expect(warm.layer).toEqual(cold.layer)
      expect(warm.blob.equals(cold.blob)).toBe(true)
    },
  )

  it.each([60 * KiB, 3000 * KiB])(
    'are not the only ones for which a file of %i bytes is remembered with another content',
    async (size) => {
      const files = having(many, 'd/050', 1, size)
      const first = await build(files)
      // Its neighbours change too, so that no block with it is taken.
      const edited = having(having(files, 'd/049', 7), 'd/051', 8)
      const changed = having(edited, 'd/050', 2, size)
      const lookup: FileDigests['lookup'] = ({ path }) => {
        if (!path.endsWith('d-050')) return undefined
        return sha256Bytes(bytesOf(size, 1))
      }
      const gzip = { type: 'gzip', level: 1 } as const
      const warm = await build(changed, first.layer.descriptor, gzip, hostChangesetOf(changed), { lookup })
      const cold = await build(changed)
      expect(warm.layer).toEqual(cold.layer)
      expect(warm.blob.equals(cold.blob)).toBe(true)
    },
  )

  it('spare the contents that are remembered a second digest', async () => {
    const first = await build(many)
    const changeset = hostChangesetOf(many)
    const known = new Map(
      Array.from(many, ([path, { size, seed }]) => [
        join(dir, path.replaceAll('/', '-')),
        sha256Bytes(bytesOf(size, seed)),
      ]),
    )
    const lookup: FileDigests['lookup'] = ({ path }) => known.get(path)
    const gzip = { type: 'gzip', level: 1 } as const
    const again = await build(many, first.layer.descriptor, gzip, changeset, { lookup })
    expect(again.compressed).toBe(0)
    expect(again.layer).toEqual({ ...first.layer, cached: false })
  })

  it.each([
    ['grew', 60 * KiB, 'OCB-FILE-CHANGED', (path: string) => appendFileSync(path, 'more')],
    ['grew', 3000 * KiB, 'OCB-FILE-CHANGED', (path: string) => appendFileSync(path, 'more')],
    ['shrank', 60 * KiB, 'OCB-FILE-CHANGED', (path: string) => truncateSync(path, 1)],
    ['shrank', 3000 * KiB, 'OCB-FILE-CHANGED', (path: string) => truncateSync(path, 2000 * KiB)],
    ['has other times', 60 * KiB, 'OCB-FILE-CHANGED', (path: string) => utimesSync(path, 1, 1)],
    ['has other times', 3000 * KiB, 'OCB-FILE-CHANGED', (path: string) => utimesSync(path, 1, 1)],
    ['went away', 60 * KiB, 'OCB-FILE-UNREADABLE', (path: string) => rmSync(path)],
    ['went away', 3000 * KiB, 'OCB-FILE-UNREADABLE', (path: string) => rmSync(path)],
  ])(
    'are no reason to take a file that %s since it was selected, of %i bytes',
    async (_, size, code, change) => {
      const files = having(many, 'd/050', 1, size)
      const first = await build(files)
      const known = new Map(
        Array.from(files, ([path, { size: bytes, seed }]) => [
          join(dir, path.replaceAll('/', '-')),
          sha256Bytes(bytesOf(bytes, seed)),
        ]),
      )
      const source = hostChangesetOf(files)
      change(join(dir, 'd-050'))
      const lookup: FileDigests['lookup'] = ({ path }) => known.get(path)
      const gzip = { type: 'gzip', level: 1 } as const
      const again = build(files, first.layer.descriptor, gzip, source, { lookup })
      await expect(again).rejects.toMatchObject({ code })
    },
  )

  it('are looked at once, as soon as they are expected', async () => {
    const { descriptor } = (await build(having(many, 'e/large', 5, 14_000 * KiB))).layer
    const looks: string[] = []
    const deflater: Deflater = {
      ...threads,
      hashFiles(files) {
        looks.push(...files.map(({ path }) => path))
        return threads.hashFiles(files)
      },
    }
    const store = await openLayout(join(dir, 'content'))
    const memory = createSegmentMemory(join(dir, 'segments'), store, deflater)
    await memory.expect({ ...descriptor, digest: `sha256:${'0'.repeat(64)}` })
    expect(looks).toEqual([])
    await memory.expect(descriptor)
    expect(looks.length).toBe(1)
    const known = await memory.open(descriptor)
    expect(await known?.isWhole()).toBe(true)
    expect(looks.length).toBe(1)
    known?.close()
  })

  it('are those of their own settings only', async () => {
    const first = await build(many)
    const other = await build(many, first.layer.descriptor, { type: 'gzip', level: 2 })
    expect(other.compressed).toBe(first.compressed)
    expect(other.blob.equals((await build(many, undefined, { type: 'gzip', level: 2 })).blob)).toBe(true)
  })

  it.each([
    ['small', many],
    // Beyond what is hashed here: a thread does it meanwhile.
    ['large', having(many, 'e/large', 5, 14_000 * KiB)],
  ])(
    'are not believed of a %s blob whose bytes went bad, or where their own record did',
    async (_, files) => {
      const first = await build(files)
      const path = join(dir, 'content/blobs/sha256', first.layer.descriptor.digest.slice(7))
      const record = join(dir, 'segments', readdirSync(join(dir, 'segments'))[0] ?? '')
      const sound = readFileSync(record)
      const damaged = Buffer.from(sound)
      damaged[damaged.length - 2] = (damaged.at(-2) ?? 0) ^ 1
      writeFileSync(record, damaged)
      const edited = having(files, 'd/000', 999)
      const blob = (await build(edited)).blob
      const mistrusted = await build(edited, first.layer.descriptor)
      expect(mistrusted.compressed).toBe(first.compressed)
      writeFileSync(record, sound)
      const bytes = readFileSync(path)
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
      writeFileSync(path, bytes)
      const again = await build(edited, first.layer.descriptor)
      expect(again.compressed).toBeGreaterThanOrEqual(first.compressed)
      expect(again.blob.equals(blob)).toBe(true)
    },
  )

  it('give the bytes of a layer made anew, whatever was edited, added, removed or renamed', async () => {
    const path = fc.integer({ min: 0, max: 60 }).map((index) => `d/${String(index).padStart(3, '0')}`)
    const size = fc.constantFrom(0, 1, 511, 40 * KiB, 300 * KiB, 1024 * KiB - 512, 1100 * KiB)
    type Edit = (files: Map<string, { size: number; seed: number }>) => void
    const edit = fc.oneof(
      fc.tuple(path, size, fc.nat(50)).map(
        ([at, bytes, seed]): Edit =>
          (files) =>
            void files.set(at, { size: bytes, seed }),
      ),
      path.map(
        (at): Edit =>
          (files) =>
            void files.delete(at),
      ),
      fc.tuple(path, path).map(([from, to]): Edit => (files) => {
        const moved = files.get(from)
        if (moved === undefined) return
        files.delete(from)
        files.set(to, moved)
      }),
    )
    let files = new Map(Array.from(many).slice(0, 50))
    let previous = (await build(files)).layer.descriptor
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        const next = new Map(files)
        for (const apply of edits) apply(next)
        const warm = await build(next, previous)
        expect(warm.blob.equals((await build(next)).blob)).toBe(true)
        files = next
        previous = warm.layer.descriptor
      }),
      { numRuns: 20 },
    )
  })
})
