import { execFileSync } from 'node:child_process'
import * as zlib from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decompress } from '../../src/content/decompress.ts'
import { sha256 } from '../../src/content/hash.ts'
import { standardLimits } from '../../src/layer/block-cutter.ts'
import type { Changeset, ChangesetEntry } from '../../src/layer/changeset.ts'
import { encodeLayer } from '../../src/layer/encode-layer.ts'
import { tarBlocks } from '../../src/layer/tar-blocks.ts'
import { listTar } from '../helpers/gnu-tar.ts'
import { encodeBytes, encoding, passDigests } from '../helpers/layers.ts'
import { collectBytes } from '../helpers/images.ts'
import { chunked } from '../helpers/layer-store.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { slowBlockLengths, slowGzip } from '../helpers/slow-blocks.ts'

const MiB = 1024 * 1024
/** Of a zstd frame. */
const magic = Buffer.from('28b52ffd', 'hex')

function changesetOf(files: readonly (readonly [path: string, content: Buffer])[]): Changeset {
  const entries = files.map(([path, bytes]): ChangesetEntry => {
    const source = { kind: 'bytes', bytes } as const
    return { type: 'file', path, mode: 0o644, uid: 0, gid: 0, mtime: 'content', source }
  })
  return { name: 'test', entries }
}

/** Bytes that compress, without a pattern that repeats at once; the same for the same seed. */
function content(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = (seed * 2_654_435_761) >>> 0 || 1
  for (let index = 0; index < size; index += 1) {
    if (index % 4 === 0) state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[index] = (state >>> 24) % 17
  }
  return bytes
}

function filesOf(sizes: readonly number[]): Changeset {
  return changesetOf(
    sizes.map((size, index) => [`d/${String(index).padStart(4, '0')}`, content(size, index + 1)]),
  )
}

function blockLengths(changeset: Changeset): number[] {
  const takeBuffer = (): Buffer<ArrayBuffer> => Buffer.alloc(standardLimits.maxBytes + 1024, 0xaa)
  const lengths: number[] = []
  for (const block of tarBlocks(changeset, { limits: standardLimits, digests: passDigests(), takeBuffer })) {
    if (!(block instanceof Promise)) lengths.push(block.bytes.length)
  }
  return lengths
}

/** A header is 512 bytes: a unit is a record more than its content, rounded up. */
const edges = [0, 1, 511, 512, 513, MiB - 1025, MiB - 1024, MiB - 513, MiB - 512, MiB - 511, MiB, MiB + 1]
const large = [2 * MiB - 512, 2 * MiB - 511, 2 * MiB, 5 * MiB + 3]

async function check(changeset: Changeset, level = 1): Promise<void> {
  const { blob: tar, diffId } = await encodeBytes(changeset)
  expect(diffId).toBe(sha256(tar))
  expect(blockLengths(changeset)).toEqual(slowBlockLengths(tar))
  const gzip = await encodeBytes(changeset, { type: 'gzip', level })
  expect(gzip.diffId).toBe(diffId)
  expect(gzip.blob.equals(slowGzip(tar, level))).toBe(true)
  expect(zlib.gunzipSync(gzip.blob).equals(tar)).toBe(true)
}

describe('the blocks of a layer', () => {
  it('are cut and compressed by the rule, at every edge of sizes', async () => {
    for (const size of [...edges, ...large]) await check(filesOf([size]))
    await check(filesOf([...edges, ...large, ...edges.toReversed(), 3 * MiB, 3 * MiB, 10, 3 * MiB]))
    await check({ name: 'empty', entries: [] })
  })

  it('are cut and compressed by the rule in random trees, with dictionaries across short blocks', async () => {
    const small = fc.integer({ min: 0, max: 40_000 })
    const size = fc.oneof(
      { weight: 20, arbitrary: small },
      { weight: 2, arbitrary: fc.integer({ min: 100_000, max: 900_000 }) },
      { weight: 2, arbitrary: fc.integer({ min: MiB - 2000, max: MiB + 2000 }) },
      { weight: 1, arbitrary: fc.integer({ min: MiB, max: 4 * MiB }) },
    )
    const name = fc.oneof(fc.stringMatching(/^[a-z]{1,12}$/), fc.stringMatching(/^[a-zäé]{90,120}$/))
    const tree = fc.uniqueArray(fc.tuple(name, size), {
      minLength: 5,
      maxLength: 150,
      selector: ([path]) => path,
    })
    await fc.assert(
      fc.asyncProperty(tree, async (files) => {
        await check(changesetOf(files.map(([path, bytes], index) => [path, content(bytes, index)])))
      }),
      { numRuns: 20, seed: 20_260_101 },
    )
  })

  it('are the same at every level, and each level is one gzip member of the same tar', async () => {
    const changeset = filesOf([300_000, 10, 500_000, 900_000])
    for (let level = 1; level <= 9; level += 1) await check(changeset, level)
  })

  it('use a path that may cut, wherever it falls', () => {
    const lengths = blockLengths(filesOf(Array.from({ length: 700 }, () => 9_000)))
    expect(lengths.filter((length) => length > 256 * 1024 && length < 900_000).length).toBeGreaterThan(3)
  })
})

describe('the blob', () => {
  it('has a gzip header without time, name and system', async () => {
    const { blob } = await encodeBytes(filesOf([5]), { type: 'gzip', level: 9 })
    expect(blob.subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff')
  })

  it('says its media type', () => {
    const of = (type: 'gzip' | 'none'): string => {
      const compression = type === 'gzip' ? ({ type, level: 5 } as const) : ({ type } as const)
      return encodeLayer(filesOf([]), { compression, ...encoding, digests: passDigests() }).mediaType
    }
    expect(of('gzip')).toBe('application/vnd.oci.image.layer.v1.tar+gzip')
    expect(of('none')).toBe('application/vnd.oci.image.layer.v1.tar')
  })

  it('is the same with one thread and with eight, in any time zone and locale', () => {
    const script = new URL('../fixtures/encode-layer.ts', import.meta.url).pathname
    const run = (env: Readonly<Record<string, string>>): string =>
      execFileSync(process.execPath, ['--import', 'jiti/register', script], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
      })
    const one = run({ THREADS: '1', TZ: 'Asia/Tokyo', LC_ALL: 'tr_TR.UTF-8' })
    expect(one).toMatch(/^sha256:[0-9a-f]{64} sha256:[0-9a-f]{64}\n$/)
    expect(run({ THREADS: '8', TZ: 'UTC', LC_ALL: 'C' })).toBe(one)
  })

  it.skipIf('zstdCompress' in zlib)('as zstd is refused where Node.js has none, naming the release', () => {
    const options = { compression: { type: 'zstd', level: 3 }, ...encoding, digests: passDigests() } as const
    expect(() => encodeLayer(filesOf([1]), options)).toThrow(
      expect.objectContaining({
        code: 'OCB-ZSTD-UNAVAILABLE',
        hint: expect.stringContaining('22.15') as string,
      }),
    )
  })

  it.runIf('zstdCompress' in zlib)('as zstd is independent frames that make the same tar', async () => {
    const changeset = filesOf([9 * MiB, 10, 400_000])
    const { diffId } = await encodeBytes(changeset)
    const zstd = await encodeBytes(changeset, { type: 'zstd', level: 3 })
    expect(zstd.diffId).toBe(diffId)
    expect(zstd.blob.indexOf(magic, 1)).toBeGreaterThan(0)
    const tar = await collectBytes(decompress(chunked(zstd.blob, 100_000), 'zstd'))
    expect(sha256(tar)).toBe(diffId)
  })
})

describeWithPeers('gzip and GNU tar', ['gzip', 'tar'], () => {
  it('take the blob as one sound member, equal to the tar', async () => {
    const changeset = filesOf([3, 300_000, 2 * MiB, 0, 5 * MiB + 1, 40_000])
    const { blob: tar } = await encodeBytes(changeset)
    const { blob } = await encodeBytes(changeset, { type: 'gzip', level: 5 })
    execFileSync('gzip', ['-t'], { input: blob })
    expect(execFileSync('gzip', ['-dc'], { input: blob, maxBuffer: 64 * MiB }).equals(tar)).toBe(true)
    expect(listTar(tar).map(({ name, size }) => [name, size])).toEqual(
      changeset.entries.map((entry) => [
        entry.path,
        entry.type === 'file' && entry.source.kind === 'bytes' ? entry.source.bytes.length : 0,
      ]),
    )
  })
})
