/** Many files are hashed as each by itself would be, and what is wrong with one is told as it would be there. */

import { appendFileSync, lstatSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { sha256 } from '../../src/content/hash.ts'
import { createDeflater, type Deflater } from '../../src/deflate/deflater.ts'
import type { FileRun } from '../../src/deflate/file-run.ts'
import { createHashing, hashContents } from '../../src/layer/content-hashes.ts'
import type { FileSource } from '../../src/rootfs/file-source.ts'

const folder = mkdtempSync(join(tmpdir(), 'content-hashes-'))
const two = createDeflater(2)
afterAll(async () => {
  await two.close()
  rmSync(folder, { recursive: true })
})

/** What the threads were asked for. */
let runs: FileRun[] = []
const watched: Deflater = {
  ...two,
  hashFiles(files, stats) {
    const run = two.hashFiles(files, stats)
    runs.push(run)
    return run
  },
}
beforeEach(() => {
  runs = []
})

type HostSource = Extract<FileSource, { readonly kind: 'host' }>

const bytesOf = (name: string, size: number): Buffer => Buffer.alloc(size, `${name} of ${size}\n`)

function file(name: string, size: number): HostSource {
  const path = join(folder, name)
  writeFileSync(path, bytesOf(name, size))
  const { mtimeMs, ctimeMs, ino } = lstatSync(path)
  return { kind: 'host', path, size, mtimeMs, ctimeMs, ino }
}

const many = (count = 900): HostSource[] =>
  Array.from({ length: count }, (_, index) => file(`f${index}`, index * 7))
const hexOf = (name: string, size: number): string => sha256(bytesOf(name, size)).slice('sha256:'.length)
const hash = async (sources: readonly FileSource[]): Promise<readonly string[]> => {
  const digests = await hashContents(sources, watched, undefined)
  return digests.map((digest) => Buffer.from(digest).toString('hex'))
}

/** In hex, of files that are added in two parts. */
function hashing(
  sources: readonly HostSource[],
  checks = true,
): { stop(): void; finished(): Promise<readonly (string | undefined)[]> } {
  const { add, finish, stop } = createHashing(watched, checks)
  add(sources.slice(0, 2))
  add(sources.slice(2))
  const finished = async (): Promise<readonly (string | undefined)[]> => {
    const { digests, isFound } = await finish(undefined)
    expect(digests.length).toBe(sources.length * 32)
    return Array.from(isFound, (found, index) => {
      const digest = digests.subarray(index * 32, (index + 1) * 32)
      return found === 1 ? Buffer.from(digest).toString('hex') : undefined
    })
  }
  return { stop, finished }
}

const done = (): Promise<unknown> => Promise.all(runs.map((run) => run.done))

it('hashes many files, in order', async () => {
  const hexes = await hash(many())
  expect(hexes).toEqual(Array.from({ length: 900 }, (_, index) => hexOf(`f${index}`, index * 7)))
  expect(runs).toHaveLength(1)
})

it('takes over what threads have hashed before', async () => {
  const MiB = 1024 * 1024
  const sources = [...many(3), file('long', 9 * MiB), file('part', 3 * MiB)]
  const parts = sources.map((source) =>
    source.path.endsWith('part') ? { ...source, offset: 5, size: 7 } : source,
  )
  const { finished } = hashing(parts)
  await done()
  for (const { path } of sources) rmSync(path)
  expect(await finished()).toEqual([
    hexOf('f0', 0),
    hexOf('f1', 7),
    hexOf('f2', 14),
    hexOf('long', 9 * MiB),
    sha256(bytesOf('part', 3 * MiB).subarray(5, 12)).slice(7),
  ])
})

it.each([true, false])(
  'leaves out what cannot be read, and what changed where it checks (%s)',
  async (checks) => {
    const sources = [...many(4), file('touched', 9)]
    rmSync(sources[1]?.path ?? '')
    writeFileSync(sources[3]?.path ?? '', 'short')
    utimesSync(sources[4]?.path ?? '', 1, 1)
    const touched = checks ? undefined : hexOf('touched', 9)
    const { finished } = hashing(sources, checks)
    const one = hashing(sources, checks)
    await done()
    const wanted = [hexOf('f0', 0), undefined, hexOf('f2', 14), undefined, touched]
    // By threads alone, and by this one, too.
    expect(await finished()).toEqual(wanted)
    expect(await one.finished()).toEqual(wanted)
  },
)

it('leaves what is left when it is stopped', async () => {
  const { stop, finished } = hashing(many())
  stop()
  await done()
  expect(runs.at(-1)?.take()).toBeUndefined()
  expect((await finished()).filter((hex) => hex !== undefined).length).toBeLessThan(900)
})

it('hashes bytes at hand, files of many sizes and parts of files', async () => {
  const MiB = 1024 * 1024
  const sizes = [
    0,
    1,
    256 * 1024 - 1,
    256 * 1024,
    256 * 1024 + 1,
    MiB,
    MiB + 1,
    4 * MiB,
    4 * MiB + 1,
    9 * MiB,
  ]
  const whole = sizes.map((size) => file(`s${size}`, size))
  const part: HostSource = { ...file('part', 3 * MiB), offset: 1000, size: 300_000 }
  const hexes = await hash([{ kind: 'bytes', bytes: Buffer.from('at hand') }, part, ...whole])
  expect(hexes).toEqual([
    sha256('at hand').slice(7),
    sha256(bytesOf('part', 3 * MiB).subarray(1000, 301_000)).slice(7),
    ...sizes.map((size) => hexOf(`s${size}`, size)),
  ])
  expect(runs).toHaveLength(1)
})

it('starts no thread for little, nor where there is one core', async () => {
  expect(await hash([file('small', 10)])).toEqual([hexOf('small', 10)])
  await hashContents(many(), { ...watched, threads: 1 }, undefined)
  expect(runs).toEqual([])
})

it.each([
  ['grew', (path: string) => appendFileSync(path, 'more'), /21 bytes when it was selected, 25 now/],
  ['was touched', (path: string) => utimesSync(path, 1, 1), /its times or its inode/],
  ['was cut short', (path: string) => writeFileSync(path, 'x'), /it ended after 1 of/],
  ['is gone', (path: string) => rmSync(path), /cannot read .*f3.*ENOENT/],
])('tells the first file that %s, wherever it was read', async (_, change, message) => {
  const sources = many()
  for (const index of [700, 500, 3, 800]) change(sources[index]?.path ?? '')
  await expect(hash(sources)).rejects.toThrow(message)
  await expect(hash(sources)).rejects.toThrow('/f3')
})

it('hashes no other file in place of one that was replaced', async () => {
  const sources = many()
  const replaced = sources.map((source, index) => (index === 0 ? { ...source, ino: source.ino + 1 } : source))
  await expect(hash(replaced)).rejects.toThrow('its times or its inode')
})

it('ends soon when it is aborted', async () => {
  const controller = new AbortController()
  const hashed = hashContents(many(), watched, controller.signal)
  controller.abort()
  await expect(hashed).rejects.toThrow()
  await expect(runs[0]?.done).resolves.toBeUndefined()
})

it('fails where a thread ends, and reads no further', async () => {
  const ended = createDeflater(2)
  await ended.close()
  await expect(hashContents(many(), ended, undefined)).rejects.toThrow('ended')
})
