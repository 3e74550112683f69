/** A cache folder shrinks by last use, and never under a build's feet. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo, pruneCache } from '../../src/cache/manage-cache.ts'

const hourMs = 60 * 60 * 1000
const dayMs = 24 * hourMs
const nowMs = Date.UTC(2030, 0, 1)
let dir = ''

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocibuild-cache-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Writes a file that was used last `ageMs` before now. */
function put(path: string, content: string, ageMs: number): string {
  const file = join(dir, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  const seconds = (nowMs - ageMs) / 1000
  utimesSync(file, seconds, seconds)
  return file
}

function putBlob(letter: string, bytes: number, ageMs: number): string {
  return put(`content/blobs/sha256/${letter.repeat(64)}`, 'x'.repeat(bytes), ageMs)
}

function putRecord(name: string, letter: string, ageMs: number): string {
  return put(`layers/${name}/encoder.json`, JSON.stringify({ digest: `sha256:${letter.repeat(64)}` }), ageMs)
}

describe('info', () => {
  it('counts what is there, by kind', () => {
    putBlob('a', 100, dayMs)
    putBlob('b', 50, 2 * dayMs)
    const record = putRecord('one', 'a', dayMs)
    put('files/index', '12345', dayMs)
    const info = cacheInfo(dir)
    expect(info.kinds.find(({ kind }) => kind === 'blobs')).toEqual({ kind: 'blobs', count: 2, bytes: 150 })
    expect(info.kinds.find(({ kind }) => kind === 'layers')?.count).toBe(1)
    expect(info.bytes).toBe(155 + JSON.stringify({ digest: `sha256:${'a'.repeat(64)}` }).length)
    expect(info.oldestUseMs).toBe(nowMs - 2 * dayMs)
    expect(existsSync(record)).toBe(true)
  })

  it('finds nothing where there is no cache', () => {
    expect(cacheInfo(join(dir, 'none'))).toMatchObject({ bytes: 0, oldestUseMs: null })
  })
})

describe('prune', () => {
  it('removes what was not used for longer than asked', () => {
    const old = putBlob('a', 100, 10 * dayMs)
    const young = putBlob('b', 100, dayMs)
    const names = put('names/x', 'n', 10 * dayMs)
    expect(pruneCache(dir, { olderThanMs: 7 * dayMs, nowMs })).toEqual({
      removed: 2,
      removedBytes: 101,
      kept: 1,
      keptBytes: 100,
      inUse: 0,
    })
    expect([old, young, names].map((file) => existsSync(file))).toEqual([false, true, false])
  })

  it('removes the least recently used until the rest is small enough', () => {
    const oldest = putBlob('a', 100, 3 * dayMs)
    const middle = putBlob('b', 100, 2 * dayMs)
    const newest = putBlob('c', 100, 1 * dayMs)
    expect(pruneCache(dir, { maxBytes: 250, nowMs }).keptBytes).toBe(200)
    expect([oldest, middle, newest].map((file) => existsSync(file))).toEqual([false, true, true])
    expect(pruneCache(dir, { maxBytes: 0, nowMs }).kept).toBe(0)
  })

  it('takes the use of a record for a use of its blob', () => {
    const blob = putBlob('a', 100, 30 * dayMs)
    const other = putBlob('b', 100, 20 * dayMs)
    putRecord('hit', 'a', 5 * dayMs)
    pruneCache(dir, { olderThanMs: 7 * dayMs, nowMs })
    expect(existsSync(blob)).toBe(true)
    expect(existsSync(other)).toBe(false)
  })

  it('removes the records of a blob with it, even when they were wanted', () => {
    putBlob('a', 1000, 3 * dayMs)
    const record = putRecord('one', 'a', 3 * dayMs)
    const kept = putBlob('b', 10, 2 * dayMs)
    pruneCache(dir, { maxBytes: 200, nowMs })
    expect(existsSync(record)).toBe(false)
    expect(existsSync(kept)).toBe(true)
  })

  it('keeps what was used within the last hour, whatever is asked', () => {
    const fresh = putBlob('a', 100, hourMs / 2)
    const touched = putBlob('b', 100, 30 * dayMs)
    const record = putRecord('hit', 'b', hourMs / 2)
    const future = putBlob('c', 100, -hourMs)
    const result = pruneCache(dir, { all: true, maxBytes: 0, olderThanMs: 0, nowMs })
    expect(result).toMatchObject({ removed: 0, kept: 4, inUse: 4 })
    expect([fresh, touched, record, future].every((file) => existsSync(file))).toBe(true)
  })

  it('removes everything else with all', () => {
    putBlob('a', 100, 2 * hourMs)
    putRecord('one', 'a', 2 * hourMs)
    put('files/deep/index', 'x', 2 * hourMs)
    put('facts/zlib', 'x', 2 * hourMs)
    put('packages/sha512-0/files', 'x', 2 * hourMs)
    expect(pruneCache(dir, { all: true, nowMs })).toMatchObject({ removed: 5, kept: 0, keptBytes: 0 })
  })

  it('leaves the work of a build that has run for hours', () => {
    const half = put(`tmp/.ocibuild-tmp-${process.pid}-elsewhere-abc/half`, 'x', 5 * hourMs)
    utimesSync(dirname(half), nowMs / 1000, nowMs / 1000)
    const blob = put('content/blobs/sha256/.ocibuild-tmp-2-elsewhere-abc', 'x', 5 * hourMs)
    expect(pruneCache(dir, { all: true, nowMs })).toMatchObject({ removed: 0 })
    expect([half, blob].map((file) => existsSync(file))).toEqual([true, true])
  })

  it('removes what a killed process left behind, and nothing else, when nothing is asked', () => {
    const stale = put('content/blobs/sha256/.ocibuild-tmp-1-elsewhere-abc', 'x', 2 * dayMs)
    const live = put('content/blobs/sha256/.ocibuild-tmp-2-elsewhere-abc', 'x', hourMs / 2)
    putBlob('a', 1, 400 * dayMs)
    expect(pruneCache(dir, { nowMs }).removed).toBe(1)
    expect([stale, live].map((file) => existsSync(file))).toEqual([false, true])
  })

  it('leaves the rest of the folder alone', () => {
    put('content/oci-layout', '{}', 400 * dayMs)
    put('notes.txt', 'mine', 400 * dayMs)
    pruneCache(dir, { all: true, nowMs })
    expect(readdirSync(dir).toSorted()).toEqual(['content', 'notes.txt'])
    expect(existsSync(join(dir, 'content/oci-layout'))).toBe(true)
  })
})
