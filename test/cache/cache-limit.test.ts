/** The cache keeps to its limit after builds, least recently used first, and looks closely only when it must. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limitCache } from '../../src/cache/cache-limit.ts'
import { cacheLimitOf, parseBytes, parseLimit } from '../../src/cache/cache-size.ts'
import { processEnvironment } from '../../src/environment.ts'
import { build, createPlan } from '../../src/index.ts'

const hourMs = 60 * 60 * 1000
const dayMs = 24 * hourMs
let dir = ''

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocibuild-limit-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** A file that was used last so long ago. */
function put(path: string, bytes: number, ageMs: number): string {
  const file = join(dir, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, 'x'.repeat(bytes))
  const seconds = (Date.now() - ageMs) / 1000
  utimesSync(file, seconds, seconds)
  return file
}

const putBlob = (letter: string, bytes: number, ageMs: number): string =>
  put(`content/blobs/sha256/${letter.repeat(64)}`, bytes, ageMs)

const limit = (maxBytes: number, grown: boolean, laterMs = 0): void =>
  limitCache(dir, { maxBytes, grown, nowMs: Date.now() + laterMs })

describe('a cache over its limit', () => {
  it('loses what was used longest ago, to some room below', () => {
    const files = [4, 3, 2].map((days) => putBlob(String(days), 400, days * dayMs))
    const fresh = putBlob('f', 400, 0)
    limit(1500, true)
    expect(files.map((file) => existsSync(file))).toEqual([false, true, true])
    expect(existsSync(fresh)).toBe(true)
  })

  it('keeps what was used within the last hour, however much that is', () => {
    const files = [putBlob('a', 4000, 0), putBlob('b', 4000, hourMs / 2), put('names/old', 10, dayMs)]
    limit(1000, true)
    expect(files.map((file) => existsSync(file))).toEqual([true, true, false])
  })

  it('counts what is not blobs too, as it was when all was counted last', () => {
    const blob = putBlob('a', 400, 3 * dayMs)
    const names = put('names/x', 800, 2 * dayMs)
    limit(2000, true)
    expect(readFileSync(join(dir, 'facts', 'usage'), 'utf8')).toBe('800')
    const second = putBlob('b', 900, dayMs)
    limit(2000, true)
    expect([blob, names, second].map((file) => existsSync(file))).toEqual([false, true, true])
  })
})

describe('what a build costs', () => {
  it('is nothing where nothing was added, until a day has passed', () => {
    putBlob('f', 1, 0)
    limit(1000, true)
    const old = putBlob('a', 4000, 2 * dayMs)
    limit(1000, false)
    expect(existsSync(old)).toBe(true)
    limit(1000, false, 25 * hourMs)
    expect(existsSync(old)).toBe(false)
  })

  it('is no more than the blobs where they are below the limit', () => {
    putBlob('a', 100, 0)
    limit(1000, true)
    // Much that is no blob came along since: it is seen when all is counted again.
    const names = put('names/x', 5000, 2 * dayMs)
    limit(1000, true)
    expect(existsSync(names)).toBe(true)
    limit(1000, true, 25 * hourMs)
    expect(existsSync(names)).toBe(false)
  })

  it('is nothing without a limit, and nothing fails where there is no cache', () => {
    const old = putBlob('a', 4000, 2 * dayMs)
    limit(Number.POSITIVE_INFINITY, true)
    expect(existsSync(old)).toBe(true)
    limitCache(join(dir, 'nowhere'), { maxBytes: 1, grown: true, nowMs: Date.now() })
    const file = put('file', 1, 0)
    limitCache(file, { maxBytes: 1, grown: true, nowMs: Date.now() })
  })
})

describe('a build', () => {
  const spec = { name: 'x', platforms: ['linux/amd64'], layers: [{ file: '/a', content: 'a' }] }

  it('makes room when it is done, and what it made stays', async () => {
    const cacheDir = join(dir, 'cache')
    const options = { cwd: dir, cacheDir, spec, maxCacheBytes: 5000 }
    await build(options)
    const old = put(`cache/content/blobs/sha256/${'e'.repeat(64)}`, 9000, 3 * dayMs)
    const [again] = (await build(options)).images
    expect(again?.platforms[0]?.layers[0]?.cached).toBe(true)
    expect(existsSync(old)).toBe(true)
    const other = { ...spec, layers: [...spec.layers, { file: '/b', content: 'b' }] }
    await build({ ...options, spec: other })
    expect(existsSync(old)).toBe(false)
    const [last] = (await build({ ...options, spec: other })).images
    expect(last?.platforms[0]?.layers.map(({ cached }) => cached)).toEqual([true, true])
  })

  it('refuses a limit that is no size before it begins', async () => {
    const variables = { OCIBUILD_CACHE_MAX_SIZE: 'much' }
    const environment = { ...processEnvironment(), cwd: dir, variables }
    for (const work of [build, createPlan]) {
      await expect(work({ cwd: dir, cacheDir: join(dir, 'cache'), spec, environment })).rejects.toMatchObject(
        {
          code: 'OCB-USAGE-CACHE-SIZE',
          message: expect.stringContaining('"much"'),
        },
      )
    }
  })
})

describe('a limit', () => {
  const withVariables = (variables: Readonly<Record<string, string>>) => ({
    ...processEnvironment(),
    variables,
  })

  it('is what was asked, what the variable says, or 10 GB', () => {
    expect(cacheLimitOf(7, withVariables({ OCIBUILD_CACHE_MAX_SIZE: '1k' }))).toBe(7)
    expect(cacheLimitOf(undefined, withVariables({ OCIBUILD_CACHE_MAX_SIZE: '1.5 GiB' }))).toBe(1.5 * 2 ** 30)
    expect(cacheLimitOf(undefined, withVariables({ OCIBUILD_CACHE_MAX_SIZE: '' }))).toBe(10e9)
    expect(cacheLimitOf(undefined, withVariables({}))).toBe(10e9)
  })

  it('is a size or none', () => {
    expect(parseLimit('x', 'none')).toBe(Number.POSITIVE_INFINITY)
    expect(parseLimit('x', '0')).toBe(0)
    for (const wrong of ['', '-1', '1PB', 'ten', '1e9', 'None '])
      expect(() => parseLimit('x', wrong)).toThrow(`"${wrong}"`)
    expect(['1', '2kb', '3 MiB', '0.5T'].map(parseBytes)).toEqual([1, 2000, 3 * 2 ** 20, 5e11])
  })
})
