/** What the last build made of layers stands in for looking into them, and never gives another image. */

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { build, processEnvironment, type BuildOptions, type BuildResult } from '../../src/index.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocibuild-memory-'))
  // Of a layer of less nothing is remembered.
  const large = 'x'.repeat(1024 * 1024)
  const files = { 'low/a': 'a', 'low/b': 'b', 'low/large': large, 'high/c': 'c', 'high/d/e': 'e' }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, 'app', path, '..'), { recursive: true })
    writeFileSync(join(folder, 'app', path), text)
  }
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

// The upper layers look below: at a directory's mode and owner, at a file's bytes, at what is to be removed.
const layers = [
  {
    name: 'low',
    entries: [
      { directory: '/data', mode: '0700', owner: '7:8' },
      { copy: 'low', to: '/data' },
    ],
  },
  { name: 'high', entries: [{ copy: 'high', to: '/data/high' }] },
  { name: 'top', entries: [{ append: '/data/a', content: '!' }, { remove: '/data/b' }] },
]

/** As if all files had been written long ago: only then are they remembered. */
function buildLater(options: BuildOptions = {}): Promise<BuildResult> {
  const environment = processEnvironment()
  return build({
    environment: { ...environment, cwd: folder, variables: {}, wallClockMs: () => Date.now() + 10_000 },
    cacheDir: join(folder, 'cache'),
    spec: {
      name: 'memory',
      root: join(folder, 'app'),
      platforms: ['linux/amd64'],
      created: 'epoch',
      layers,
      outputs: [`oci:${join(folder, 'image')}`],
    },
    ...options,
  })
}

const digestOf = (result: BuildResult): string | undefined => result.images[0]?.digest
const cachedOf = (result: BuildResult): readonly unknown[] =>
  result.images[0]?.platforms[0]?.layers.map(({ cached }) => cached) ?? []

/** Those that were looked into: the memory's files are as they were for all others. */
const remembered = (): number => readdirSync(join(folder, 'cache/facts/planned')).length

describe('the memory of layers', () => {
  it('has all layers of a build, and gives them to the next', async () => {
    const first = await buildLater()
    expect(remembered()).toBe(3)
    rmSync(join(folder, 'cache/files'), { recursive: true })
    const again = await buildLater()
    expect(digestOf(again)).toBe(digestOf(first))
    expect(cachedOf(again)).toEqual([true, true, true])
    // Nobody asked for a file's digest.
    expect(() => readdirSync(join(folder, 'cache/files'))).toThrow('ENOENT')
  })

  it('lets a layer above a remembered one look below', async () => {
    await buildLater()
    writeFileSync(join(folder, 'app/high/c'), 'changed')
    const again = await buildLater()
    expect(cachedOf(again)).toEqual([true, false, true])
    expect(digestOf(again)).toBe(digestOf(await buildLater({ cache: false })))
  })

  it('is not believed where the blob is gone', async () => {
    const first = await buildLater()
    rmSync(join(folder, 'cache/content/blobs'), { recursive: true })
    rmSync(join(folder, 'image'), { recursive: true })
    const again = await buildLater()
    expect(cachedOf(again)).toEqual([false, false, false])
    expect(digestOf(again)).toBe(digestOf(first))
  })

  it('is not asked by --verify-cache', async () => {
    await buildLater()
    expect(cachedOf(await buildLater({ verifyCache: true }))).toEqual([false, false, false])
  })

  it('does not tell layers by files that were written just now', async () => {
    await buildLater({ environment: { ...processEnvironment(), cwd: folder, variables: {} } })
    const planned = join(folder, 'cache/facts/planned')
    // The uppermost has no file of the host, but one below it has.
    const records = readdirSync(planned).map((name) => readFileSync(join(planned, name), 'utf8'))
    expect(records).toHaveLength(3)
    for (const record of records) expect(record).not.toContain('fingerprint')
  })

  it('is empty again where its file is damaged', async () => {
    const first = await buildLater()
    const planned = join(folder, 'cache/facts/planned')
    for (const name of readdirSync(planned)) writeFileSync(join(planned, name), '{"fingerprint":1')
    expect(digestOf(await buildLater())).toBe(digestOf(first))
  })

  it('is empty again, with all others, where a power cut left names without bytes', async () => {
    const first = await buildLater()
    const emptied = ['layers', 'segments', 'built', 'files', 'facts/planned'].map((part) => {
      const dir = join(folder, 'cache', part)
      const names = readdirSync(dir, { recursive: true, encoding: 'utf8' })
      const files = names.filter((name) => statSync(join(dir, name)).isFile())
      for (const name of files) writeFileSync(join(dir, name), '')
      return files.length
    })
    expect(Math.min(...emptied)).toBeGreaterThan(0)
    const again = await buildLater()
    expect(digestOf(again)).toBe(digestOf(first))
    expect(cachedOf(again)).toEqual([false, false, false])
    expect(cachedOf(await buildLater())).toEqual([true, true, true])
  })

  it('gives what a build without it gives, whatever was edited', async () => {
    const app = (path: string): string => join(folder, 'app', path)
    const name = fc.constantFrom('low/a', 'low/n', 'high/c', 'high/d/e', 'high/d/n', 'high/n')
    const edit = fc.oneof(
      fc.tuple(name, fc.string()).map(
        ([path, text]) =>
          () =>
            writeFileSync(app(path), text),
      ),
      name.map((path) => () => path !== 'low/a' && rmSync(app(path), { force: true })),
      name.map((path) => () => path !== 'low/a' && rename(app(path), app('high/d/moved'))),
      fc.tuple(name, fc.constantFrom(0o644, 0o755)).map(
        ([path, mode]) =>
          () =>
            chmod(app(path), mode),
      ),
      fc.constantFrom('x', 'y').map((to) => () => link(to, app('high/link'))),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        for (const apply of edits) apply()
        const warm = await buildLater()
        expect(digestOf(warm)).toBe(digestOf(await buildLater({ cache: false })))
      }),
      { numRuns: 12 },
    )
  })
})

function rename(from: string, to: string): void {
  rmSync(to, { force: true })
  ifThere(() => renameSync(from, to))
}

function chmod(path: string, mode: number): void {
  ifThere(() => chmodSync(path, mode))
}

function link(target: string, path: string): void {
  rmSync(path, { force: true })
  symlinkSync(target, path)
}

/** An earlier edit may have taken it away. */
function ifThere(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}
