/** Long files are hashed from when they are found, and believed as if they had been hashed when they were asked for. */

import { appendFileSync, lstatSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { openFileDigests, type FileDigests } from '../../src/cache/file-digests.ts'
import { sha256Bytes } from '../../src/content/hash.ts'
import { createDeflater, type Deflater } from '../../src/deflate/deflater.ts'
import type { FileRange } from '../../src/deflate/file-run.ts'
import { createLongFiles, type LongFiles } from '../../src/layer/long-files.ts'
import type { HostSource } from '../../src/layer/read-source.ts'

const MiB = 1024 * 1024
const folder = mkdtempSync(join(tmpdir(), 'long-files-'))
const two = createDeflater(2)
afterAll(async () => {
  await two.close()
  rmSync(folder, { recursive: true })
})

let asked: string[]
const watched: Deflater = {
  ...two,
  hashFiles(files: readonly FileRange[], stats) {
    asked.push(...files.map(({ path }) => path))
    return two.hashFiles(files, stats)
  },
}
/** As a build an hour later has them. */
let files: FileDigests
let longFiles: LongFiles
beforeEach(() => {
  asked = []
  files = openFileDigests(join(folder, 'none'), folder, () => Date.now() + 3_600_000)
  longFiles = createLongFiles(files, watched, undefined)
})

const bytesOf = (size: number): Buffer => Buffer.alloc(size, `of ${size}\n`)

function file(name: string, size: number): HostSource {
  const path = join(folder, name)
  writeFileSync(path, bytesOf(size))
  return look(path)
}

function look(path: string): HostSource {
  const { size, mtimeMs, ctimeMs, ino } = lstatSync(path)
  return { kind: 'host', path, size, mtimeMs, ctimeMs, ino }
}

describe('long files', () => {
  it('are hashed when they are met, each once', async () => {
    const source = file('long', 9 * MiB)
    longFiles.meet(source)
    longFiles.meet({ ...source })
    expect(asked).toEqual([source.path])
    // Whoever asks may have looked at it for itself.
    expect(await longFiles.digestOf({ ...source })).toEqual(sha256Bytes(bytesOf(9 * MiB)))
    expect(files.lookup(source)).toBeUndefined()
  })

  it('are worth a thread from 8 MiB on, and others from 1 MiB on once there is one', async () => {
    const [shorter, long, short] = [file('a', 2 * MiB), file('b', 8 * MiB), file('c', MiB - 1)]
    for (const source of [shorter, short, long, short, shorter]) longFiles.meet(source)
    expect(asked).toEqual([long.path, shorter.path])
    expect(longFiles.digestOf(short)).toBeUndefined()
    expect(await longFiles.digestOf(shorter)).toEqual(sha256Bytes(bytesOf(2 * MiB)))
  })

  it('are left alone where they are remembered, were written just now, or where there is one core', () => {
    const source = file('known', 9 * MiB)
    createLongFiles(files, { ...watched, threads: 1 }, undefined).meet(source)
    const now = openFileDigests(join(folder, 'none'), folder, () => Date.now())
    createLongFiles(now, watched, undefined).meet(source)
    files.remember(source, sha256Bytes('anything'))
    longFiles.meet(source)
    expect(asked).toEqual([])
    expect(longFiles.digestOf(source)).toBeUndefined()
  })

  it.each([
    ['grew', (path: string) => appendFileSync(path, 'more')],
    ['was touched', (path: string) => utimesSync(path, 1, 1)],
    ['was cut short', (path: string) => writeFileSync(path, 'x')],
    ['went away', (path: string) => rmSync(path)],
  ])('have no digest where one %s since it was looked at', async (_, change) => {
    const source = file('changing', 9 * MiB)
    change(source.path)
    longFiles.meet(source)
    expect(await longFiles.digestOf(source)).toBeUndefined()
  })

  it('are not those that lie there now', () => {
    const source = file('replaced', 9 * MiB)
    longFiles.meet(source)
    utimesSync(source.path, 1, 1)
    expect(longFiles.digestOf(look(source.path))).toBeUndefined()
    expect(longFiles.digestOf({ kind: 'bytes', bytes: bytesOf(2 * MiB) })).toBeUndefined()
  })

  it('are given up when the build is aborted', async () => {
    const controller = new AbortController()
    const aborted = createLongFiles(files, watched, controller.signal)
    const source = file('aborted', 64 * MiB)
    aborted.meet(source)
    controller.abort()
    expect(await aborted.digestOf(source)).toBeUndefined()
  })
})
