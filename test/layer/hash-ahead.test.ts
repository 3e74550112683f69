/** Contents are hashed before they are asked for, and believed as if they had been hashed then. */

import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { openFileDigests, type FileDigests } from '../../src/cache/file-digests.ts'
import { sha256Bytes } from '../../src/content/hash.ts'
import { createDeflater } from '../../src/deflate/deflater.ts'
import type { Changeset } from '../../src/layer/changeset.ts'
import { contentsAhead, hashAhead } from '../../src/layer/hash-ahead.ts'
import type { LongFiles } from '../../src/layer/long-files.ts'
import type { HostSource } from '../../src/layer/read-source.ts'

const folder = mkdtempSync(join(tmpdir(), 'hash-ahead-'))
const deflater = createDeflater(2)
afterAll(async () => {
  await deflater.close()
  rmSync(folder, { recursive: true })
})

const entry = { origin: '', mode: 0o644, uid: 0, gid: 0 }
const text = (index: number): string => `file ${index}\n`
let sources: HostSource[]
/** As a build an hour later has them. */
let files: FileDigests
beforeEach(() => {
  files = openFileDigests(join(folder, 'none'), folder, () => Date.now() + 3_600_000)
  sources = Array.from({ length: 50 }, (_, index) => {
    const path = join(folder, String(index))
    rmSync(path, { force: true })
    writeFileSync(path, text(index))
    const { size, mtimeMs, ctimeMs, ino } = lstatSync(path)
    return { kind: 'host', path, size, mtimeMs, ctimeMs, ino }
  })
})

const known = (): readonly number[] =>
  sources.flatMap((source, index) => {
    const digest = files.lookup(source)
    return digest && Buffer.compare(digest, sha256Bytes(text(index))) === 0 ? index : []
  })

it('remembers all files when it is finished, however often', async () => {
  const ahead = hashAhead(sources, files, { deflater })
  expect(known()).toEqual([])
  await Promise.all([ahead?.finish(undefined), ahead?.finish(undefined)])
  await ahead?.finish(undefined)
  expect(known()).toEqual(sources.map((_, index) => index))
})

it('leaves out those that are not as they were planned, and tells nobody', async () => {
  rmSync(join(folder, '7'))
  writeFileSync(join(folder, '9'), 'grown by some bytes')
  await hashAhead(sources, files, { deflater })?.finish(undefined)
  expect(known()).toEqual(sources.map((_, index) => index).filter((index) => index !== 7 && index !== 9))
})

it('leaves out those that were written just now, also if that is long ago when it is finished', async () => {
  let now = Date.now()
  files = openFileDigests(join(folder, 'none'), folder, () => now)
  const ahead = hashAhead(sources, files, { deflater })
  now += 3_600_000
  await ahead?.finish(undefined)
  expect(known()).toEqual([])
})

it('gives way where the first file is known, and on one core', () => {
  const [first] = sources
  if (first !== undefined) files.remember(first, sha256Bytes(text(0)))
  expect(hashAhead(sources, files, { deflater })).toBeUndefined()
  expect(hashAhead(sources.slice(1), files, { deflater: { ...deflater, threads: 1 } })).toBeUndefined()
})

it('remembers nothing when it was stopped', async () => {
  const ahead = hashAhead(sources, files, { deflater })
  ahead?.stop()
  await ahead?.finish(undefined)
  expect(known()).toEqual([])
})

it('ends when it is aborted', async () => {
  const abort = AbortSignal.abort(new Error('enough'))
  await expect(hashAhead(sources, files, { deflater })?.finish(abort)).rejects.toThrow()
})

it('takes what is hashed elsewhere, and gives the contents of a layer of just these', async () => {
  const elsewhere = new Map<unknown, Buffer>(
    [5, 20].map((index) => [sources[index], sha256Bytes(text(index))]),
  )
  const lost = sources[30]
  const longFiles: LongFiles = {
    meet() {},
    digestOf: (source) =>
      elsewhere.has(source) || source === lost ? Promise.resolve(elsewhere.get(source)) : undefined,
  }
  const hashed = await hashAhead(sources, files, { deflater, longFiles })?.finish(undefined)
  const others = sources.filter((source) => source !== lost)
  const changeset = (of: readonly HostSource[]): Changeset => ({
    name: 'test',
    entries: of.map((source) => ({ ...entry, type: 'file', path: source.path, mtime: 'content', source })),
  })
  const ahead = (of: readonly HostSource[]): Uint8Array | undefined =>
    hashed && contentsAhead(changeset(of), hashed)
  const digests = others.map((source) => sha256Bytes(text(sources.indexOf(source))))
  expect(ahead(others)).toEqual(Uint8Array.from(Buffer.concat(digests)))
  // Whatever is not just these has to be looked for.
  for (const of of [sources, others.slice(1), others.slice(0, -1), others.toReversed()]) {
    expect(ahead(of)).toBeUndefined()
  }
  expect(known()).toEqual(sources.map((_, index) => index).filter((index) => index !== 30))
})
