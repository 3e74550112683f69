import { lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/content/hash.ts'
import { normalizeLayer } from '../../src/layer/normalize.ts'
import type { Placement } from '../../src/plan/placement.ts'
import { contentTime } from '../../src/tar/content-time.ts'
import { extractTar } from '../helpers/gnu-tar.ts'
import { directory, encodeBytes, file, hardlink, layerOf, lowerOf, symlink } from '../helpers/layers.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { temporaryFolder } from '../helpers/unpack.ts'

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const isRoot = process.getuid?.() === 0

/** A name that a host's file system can hold. */
const name = fc
  .oneof(
    {
      weight: 5,
      arbitrary: fc.constantFrom('a', 'b', 'a.txt', 'a-b', 'c', ' ', '-x', '…', '😀', '\uffee', 'a\nb', '\\'),
    },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }) },
    { weight: 1, arbitrary: fc.integer({ min: 90, max: 255 }).map((length) => 'n'.repeat(length)) },
    { weight: 1, arbitrary: fc.integer({ min: 30, max: 127 }).map((length) => 'é'.repeat(length)) },
  )
  .filter(
    (text) =>
      !/[/\0]/.test(text) &&
      text !== '.' &&
      text !== '..' &&
      !text.startsWith('.wh.') &&
      Buffer.byteLength(text) <= 255,
  )
const id = fc.constantFrom(0, 1, 1000, 65_534, 2 ** 21 - 1, 2 ** 21, 2 ** 31)
const owner = fc.tuple(id, id).map(([uid, gid]) => `${uid}:${gid}`)
const size = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 2000 }) },
  { weight: 1, arbitrary: fc.constantFrom(512, 1024, 300_000, 1_048_064, 1_048_065, 2_500_000) },
)
const leaf = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        size,
        mode: fc.constantFrom(0o644, 0o755, 0o400, 0o4755, 0o1777, 0),
        seed: fc.nat(255),
        owner,
      })
      .map((one) => ({ ...one, kind: 'file' as const })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        target: fc.oneof(
          name,
          fc.integer({ min: 90, max: 300 }).map((n) => 't/'.repeat(n)),
        ),
        owner,
      })
      .map((one) => ({ ...one, kind: 'symlink' as const })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ mode: fc.constantFrom(0o755, 0o700, 0o1777), owner })
      .map((one) => ({ ...one, kind: 'directory' as const })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ pick: fc.nat(1000) }).map((one) => ({ ...one, kind: 'hardlink' as const })),
  },
)
type Leaf = typeof leaf extends fc.Arbitrary<infer T> ? T : never

const tree = fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 5 }), leaf), {
  minLength: 1,
  maxLength: 25,
})

function content({ size: bytes, seed }: { readonly size: number; readonly seed: number }): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, index) => (index * index + seed) & 0xff))
}

/** The leaves as placements at paths of which none lies below another, and hard links at files among them. */
function placementsOf(leaves: readonly (readonly [readonly string[], Leaf])[]): Placement[] {
  const taken = new Map<string, Leaf>()
  const parents = new Set<string>()
  for (const [parts, one] of leaves) {
    const above = parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/'))
    const path = parts.join('/')
    const blocked = above.some((parent) => taken.has(parent) && taken.get(parent)?.kind !== 'directory')
    if (blocked || taken.has(path) || (parents.has(path) && one.kind !== 'directory')) continue
    taken.set(path, one)
    for (const parent of above) parents.add(parent)
  }
  const files = Array.from(taken).flatMap(([path, one]) => (one.kind === 'file' ? [path] : []))
  return Array.from(taken).flatMap(([path, one]): Placement[] => {
    const at = `/${path}`
    if (one.kind === 'file') return [file(at, content(one), { mode: one.mode, owner: one.owner })]
    if (one.kind === 'symlink') return [symlink(at, one.target, { owner: one.owner })]
    if (one.kind === 'directory') return [directory(at, { mode: one.mode, owner: one.owner })]
    const target = files[one.pick % Math.max(1, files.length)]
    return target === undefined ? [] : [hardlink(at, `/${target}`)]
  })
}

function pathsBelow(dir: string, prefix = ''): string[] {
  return readdirSync(join(dir, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = `${prefix}/${entry.name}`
    return entry.isDirectory() ? [path, ...pathsBelow(dir, path)] : [path]
  })
}

function expectedPaths(placements: readonly Placement[]): string[] {
  const paths = new Set<string>()
  for (const { path } of placements) {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) paths.add(path.slice(0, end))
  }
  return Array.from(paths)
}

function checkExtracted(placement: Placement, root: string): void {
  const path = join(root, placement.path)
  const stats = lstatSync(path)
  if (placement.type === 'hardlink') {
    expect(stats.ino).toBe(lstatSync(join(root, placement.target)).ino)
    return
  }
  if (placement.type === 'symlink') expect(readlinkSync(path)).toBe(placement.target)
  if (placement.type === 'file' && placement.source.kind === 'bytes') {
    expect(stats.size).toBe(placement.source.bytes.length)
    expect(stats.mtimeMs / 1000).toBe(contentTime(sha256Bytes(placement.source.bytes)))
    if (isRoot) expect(readFileSync(path).equals(placement.source.bytes)).toBe(true)
  } else {
    expect(stats.mtimeMs).toBe(0)
  }
  if ('mode' in placement)
    expect((stats.mode & 0o7777).toString(8)).toBe((placement.mode ?? 0o755).toString(8))
  if (isRoot && 'owner' in placement) expect(`${stats.uid}:${stats.gid}`).toBe(placement.owner)
}

describeWithPeers('any tree', ['tar'], () => {
  it('comes out of GNU tar as it went in', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(tree, async (leaves) => {
        const placements = placementsOf(leaves)
        const changeset = await normalizeLayer(layerOf(placements), lowerOf().open)
        const { blob } = await encodeBytes(changeset, { type: 'gzip', level: 1 })
        const root = join(folder, String((run += 1)))
        mkdirSync(root)
        try {
          extractTar(gunzipSync(blob), root)
          expect(pathsBelow(root).toSorted()).toEqual(expectedPaths(placements).toSorted())
          for (const placement of placements) checkExtracted(placement, root)
        } finally {
          rmSync(root, { recursive: true, force: true })
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('any tree', () => {
  it('gives the same bytes in whatever order its entries were placed', async () => {
    const shuffled = tree.chain((leaves) => {
      const placements = placementsOf(leaves)
      return fc.tuple(
        fc.constant(placements),
        fc.shuffledSubarray(placements, { minLength: placements.length }),
      )
    })
    await fc.assert(
      fc.asyncProperty(shuffled, async ([placements, others]) => {
        const digests = [placements, others].map(async (list) => {
          const changeset = await normalizeLayer(layerOf(list), lowerOf().open)
          return (await encodeBytes(changeset, { type: 'gzip', level: 1 })).digest
        })
        const [one, two] = await Promise.all(digests)
        expect(two).toBe(one)
      }),
      { numRuns: 60 },
    )
  })
})
