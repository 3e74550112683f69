/** Many files are hashed as each by itself would be, and what is wrong with one is told as it would be there. */

import { appendFileSync, lstatSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { sha256 } from '../../src/content/hash.ts'
import { createDeflater, type Deflater } from '../../src/deflate/deflater.ts'
import { hashContents } from '../../src/layer/content-hashes.ts'
import type { FileSource } from '../../src/rootfs/file-source.ts'

const folder = mkdtempSync(join(tmpdir(), 'content-hashes-'))
const two = createDeflater(2)
afterAll(async () => {
  await two.close()
  rmSync(folder, { recursive: true })
})

/** What the threads were asked to hash, in files. */
let asked = 0
const counted: Deflater = {
  ...two,
  hashFiles: (files) => {
    asked += files.length
    return two.hashFiles(files)
  },
}
beforeEach(() => {
  asked = 0
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
const hash = (sources: readonly FileSource[]): Promise<readonly string[]> =>
  hashContents(sources, counted, undefined)

it('hashes many files, in order, some of them on the threads', async () => {
  const hexes = await hash(many())
  expect(hexes).toEqual(Array.from({ length: 900 }, (_, index) => hexOf(`f${index}`, index * 7)))
  expect(asked).toBeGreaterThan(100)
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
  expect(asked).toBeGreaterThan(5)
})

it('starts no thread for little, nor where there is one core', async () => {
  expect(await hash([file('small', 10)])).toEqual([hexOf('small', 10)])
  const one = { ...counted, threads: 1 }
  await hashContents(many(), one, undefined)
  expect(asked).toBe(0)
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
  const hashed = hashContents(many(), counted, controller.signal)
  controller.abort()
  await expect(hashed).rejects.toThrow()
})

it('fails where a thread ends, and reads no further', async () => {
  const ended = createDeflater(2)
  await ended.close()
  await expect(hashContents(many(), ended, undefined)).rejects.toThrow('ended')
})
