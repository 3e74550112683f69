/** The deflate encoder: what it writes is read by zlib and by gzip, is never much longer, and depends on the input alone. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { crc32, constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { makeDeflateText } from '../../scripts/write-deflate.ts'
import { gzipHeader, gzipTrailer } from '../../src/content/gzip-member.ts'
import { sha256 } from '../../src/content/hash.ts'
import { createDeflater } from '../../src/deflate/deflater.ts'
import { maxBlockBytes } from '../../src/deflate/deflate-module.ts'
import { encodeBlock, outputBytes, type DeflateJob } from '../../src/deflate/encode-block.ts'
import { itWithPeers } from '../helpers/peers.ts'

const KiB = 1024
const MiB = 1024 * KiB
const levels = [1, 2, 3, 4, 5, 6, 7, 8, 9]
const none = Buffer.alloc(0)

function jobOf(input: Uint8Array, dictionary: Uint8Array = none, level = 5): DeflateJob {
  const { buffer } = Uint8Array.from(Buffer.concat([dictionary, input]))
  const { length: dictionaryLength } = dictionary
  return { buffer, start: dictionaryLength, length: input.length, dictionaryLength, level }
}

const encode = (input: Uint8Array, dictionary?: Uint8Array, level?: number): Uint8Array =>
  encodeBlock(jobOf(input, dictionary, level))

function decode(bytes: Uint8Array, dictionary: Uint8Array = none): Buffer {
  const finishFlush = constants.Z_SYNC_FLUSH
  return inflateRawSync(bytes, { finishFlush, ...(dictionary.length > 0 && { dictionary }) })
}

/** Bytes of a kind, the same for the same seed. */
function sample(kind: string, length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length)
  let state = (seed * 2_654_435_761) >>> 0 || 1
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 8
  }
  const words = Array.from({ length: 300 }, () =>
    next()
      .toString(36)
      .slice(0, 2 + (next() % 6)),
  )
  for (let filled = 0; filled < length;) {
    if (kind === 'noise') bytes[filled++] = next()
    else if (kind === 'few') bytes[filled++] = next() % 5
    else if (kind === 'words') filled += bytes.write(`${words[next() % 300] ?? ''} `, filled, 'latin1')
    else {
      const run = 1 + (next() % 3000)
      bytes.fill(next() & 255, filled, Math.min(length, filled + run))
      filled += run
    }
  }
  return bytes
}

const kinds = ['noise', 'few', 'words', 'runs', 'zeros']
const of = (kind: string, length: number, seed?: number): Buffer =>
  kind === 'zeros' ? Buffer.alloc(length) : sample(kind, length, seed)

describe('a block that is compressed', () => {
  it.each(levels)('comes back, at level %i, of any kind and at every edge of lengths', (level) => {
    const lengths = [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 257, 258, 259, 32 * KiB, 64 * KiB + 1, MiB + KiB]
    for (const kind of kinds) {
      for (const length of lengths) {
        const input = of(kind, length)
        expect(decode(encode(input, none, level)).equals(input), `${kind} of ${length}`).toBe(true)
      }
    }
  })

  it('comes back after a dictionary of any length', () => {
    for (const kind of kinds) {
      for (const length of [1, 2, 3, 4, 5, 100, 32 * KiB - 1, 32 * KiB]) {
        const dictionary = of(kind, length, 7)
        const input = Buffer.concat([dictionary.subarray(0, 500), of(kind, 5000, 8), dictionary])
        for (const level of [1, 5, 9]) {
          expect(decode(encode(input, dictionary, level), dictionary).equals(input)).toBe(true)
        }
      }
    }
  })

  it('comes back where each of its last bytes finds a longer match in what follows its end', () => {
    // The encoder reads zeros there: every suffix has a match that is longer by some of them.
    const word = 'abcdefghi'
    const suffixes = Array.from(
      word,
      (_, at) => `${at === 0 ? 'abcdefgh' : word.slice(at) + '\0'.repeat(2 * at - 1)}%`,
    )
    const once = suffixes.join('')
    // At even and at odd places: not all of a dictionary is looked up.
    const dictionary = Buffer.from(once + (once.length % 2 === 0 ? 'x' : '') + once)
    const input = Buffer.from(`0123456789${word}`)
    for (const level of levels) {
      expect(decode(encode(input, dictionary, level), dictionary).equals(input), `level ${level}`).toBe(true)
    }
  })

  it('comes back whatever it is', () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.nat(255), fc.integer({ min: 1, max: 70_000 }))
        .map(([byte, length]) => Buffer.alloc(length, byte)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 2000 }))
        .map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes))),
      fc
        .tuple(fc.constantFrom(...kinds), fc.nat(60_000), fc.nat())
        .map(([kind, length, seed]) => of(kind, length, seed)),
    )
    const bytes = fc.array(part, { maxLength: 8 }).map((parts) => Buffer.concat(parts).subarray(0, MiB))
    fc.assert(
      fc.property(bytes, fc.constantFrom(...levels), fc.nat(32 * KiB), (all, level, before) => {
        const dictionary = all.subarray(0, before)
        const input = all.subarray(before)
        const encoded = encode(input, dictionary, level)
        expect(decode(encoded, dictionary).equals(input)).toBe(true)
        expect(encoded.length).toBeLessThanOrEqual(outputBytes(input.length))
      }),
      { numRuns: 150 },
    )
  })

  it('is stored where it would not shrink: five bytes more for each 64 KiB, and the flush', () => {
    for (const level of levels) {
      for (const length of [1, 5, 1000, 64 * KiB, MiB]) {
        expect(encode(sample('noise', length), none, level).length).toBeLessThanOrEqual(outputBytes(length))
      }
    }
    const mixed = Buffer.concat([sample('noise', 300 * KiB), sample('words', 300 * KiB)])
    expect(encode(mixed).length).toBeLessThan(
      300 * KiB * 1.01 + deflateRawSync(sample('words', 300 * KiB)).length * 1.1,
    )
  })

  it('is about as short as zlib makes it, and shorter the higher the level', () => {
    const input = Buffer.concat([
      sample('words', 200 * KiB),
      sample('few', 200 * KiB),
      sample('runs', 200 * KiB),
    ])
    const sizes = levels.map((level) => encode(input, none, level).length)
    for (const level of levels) {
      const zlib = deflateRawSync(input, { level, memLevel: 9 }).length
      expect(sizes[level - 1] ?? 0, `level ${level}`).toBeLessThan(zlib * 1.06)
    }
    expect(sizes.at(-1)).toBeLessThan(sizes[0] ?? 0)
  })

  it('ends on a byte boundary, so that blocks can be joined', () => {
    const parts = [sample('words', 5000), none, sample('noise', 3), sample('few', 70_000)]
    let before = Buffer.alloc(0)
    const encoded = parts.map((part) => {
      const bytes = encode(part, before.subarray(-32 * KiB))
      before = Buffer.concat([before, part])
      return bytes
    })
    expect(decode(Buffer.concat(encoded)).equals(before)).toBe(true)
  })

  it('depends on nothing that was compressed before', () => {
    const job = (): DeflateJob => jobOf(sample('words', 50_000), sample('words', 999, 3))
    const first = encodeBlock(job())
    for (const level of [9, 1, 5]) encode(sample('noise', MiB), sample('runs', 32 * KiB), level)
    expect(encodeBlock(job())).toEqual(first)
  })

  it('finds nothing in what an earlier block left before its beginning', () => {
    // Whatever distance is tried without a look, the same bytes lie there.
    const part = sample('noise', 2 * KiB)
    const before = Buffer.concat(Array.from({ length: 16 }, () => part))
    for (const level of levels) {
      expect(encode(part, before, level).length).toBeLessThan(100)
      expect(decode(encode(part, none, level)).equals(part), `level ${level}`).toBe(true)
    }
  })

  itWithPeers('is read by gzip', ['gzip'], async () => {
    const input = sample('words', MiB)
    const crc = crc32(input)
    for (const level of levels) {
      const member = Buffer.concat([gzipHeader, encode(input, none, level), gzipTrailer(crc, input.length)])
      const read = execFileSync('gzip', ['-dc'], { input: member, maxBuffer: 4 * MiB })
      expect(read.equals(input)).toBe(true)
    }
  })
})

const output = (): SharedArrayBuffer => new SharedArrayBuffer(outputBytes(maxBlockBytes))

describe('threads', () => {
  const deflater = createDeflater(2)
  afterAll(() => deflater.close())

  it('give the bytes that this one gives, in whatever order they end', async () => {
    const jobs = (): DeflateJob[] =>
      Array.from({ length: 9 }, (_, index) => {
        const input = of(kinds[index % kinds.length] ?? '', 1 + index * 100_000, index)
        return jobOf(input, sample('words', index * 3000), 1 + index)
      })
    const here = jobs().map(encodeBlock)
    const there = await Promise.all(jobs().map((job) => deflater.deflate(job, output())))
    expect(there.map((bytes) => Buffer.from(bytes))).toEqual(here.map((bytes) => Buffer.from(bytes)))
  })

  it('may be started before there is work, once, and not after their end', async () => {
    const early = createDeflater(2)
    early.start()
    early.start()
    const job = jobOf(sample('words', 100_000))
    const bytes = await Promise.all([early.deflate(job, output()), early.deflate(job, output())])
    expect(bytes.map((some) => Buffer.from(some))).toEqual([1, 2].map(() => Buffer.from(encodeBlock(job))))
    await early.close()
    early.start()
    await expect(early.deflate(job, output())).rejects.toThrow('ended')
  })

  it('leave nobody waiting once they are ended, and fail what is asked later', async () => {
    const short = createDeflater(2)
    const hasher = short.hasher(true)
    const block = { buffer: new SharedArrayBuffer(10), start: 0, length: 10 }
    await hasher.add(block)
    const pending = Promise.allSettled([
      short.deflate(jobOf(sample('noise', MiB)), output()),
      hasher.add(block),
    ])
    await short.close()
    // Done before the end came, or not: nobody waits for ever.
    expect(await pending).toHaveLength(2)
    await expect(short.deflate(jobOf(Buffer.from('again')), output())).rejects.toThrow('ended')
    await expect(hasher.add(block)).rejects.toThrow('ended')
    await expect(hasher.end()).rejects.toThrow('ended')
    await expect(short.hasher(true).add(block)).rejects.toThrow('ended')
  })

  it('hash streams of blocks side by side', async () => {
    const [one, other] = [deflater.hasher(true), deflater.hasher(true)]
    const parts = [sample('words', 100_000), none, sample('noise', 5), sample('few', 300_000)]
    for (const part of parts) {
      const block = { buffer: Uint8Array.from(part).buffer, start: 0, length: part.length }
      const sums = await Promise.all([one.add(block), other.add(block), other.add(block)])
      expect(sums).toEqual([crc32(part), crc32(part), crc32(part)])
    }
    const all = Buffer.concat(parts)
    const twice = Buffer.concat(parts.flatMap((part) => [part, part]))
    expect(await one.end()).toBe(sha256(all).slice(7))
    expect(await other.end()).toBe(sha256(twice).slice(7))
    expect(await deflater.hasher(true).end()).toBe(sha256('').slice(7))
    const unasked = { buffer: new ArrayBuffer(9), start: 0, length: 9 }
    expect(await deflater.hasher(false).add(unasked)).toBe(0)
  })
})

it('the module in the code is that of the source beside it', async () => {
  const path = new URL('../../src/deflate/deflate-wasm.ts', import.meta.url)
  expect(await makeDeflateText(), 'run npm run deflate').toBe(readFileSync(path, 'utf8'))
}, 120_000)
