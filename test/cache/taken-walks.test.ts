import { readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTakenWalks, type TakenWalk, type TakenWalks } from '../../src/cache/taken-walks.ts'
import { freshFolder } from './fresh-folder.ts'

const folder = freshFolder()

const now = 1_800_000_000_000
const walk: TakenWalk = {
  names: ['a', 'b c\nd', 'é.js'],
  parents: Int32Array.of(-1, 0, 0),
  types: Uint8Array.of(1, 0, 2),
  folders: ['/project', '/project/a'],
  folderRows: Int32Array.of(-1, 0),
  folderStats: Float64Array.of(3, 2 ** 52 + 1, 1_000.25, 2_000.5, 3, 78, now - 2000, now - 2000),
  hidden: [['exclude "*.map"', 3]],
}
const empty: TakenWalk = {
  names: [],
  parents: new Int32Array(),
  types: new Uint8Array(),
  folders: ['/project/empty'],
  folderRows: Int32Array.of(-1),
  folderStats: Float64Array.of(3, 79, 1, 1),
  hidden: [],
}

function memory(wallClockMs = now): TakenWalks {
  return openTakenWalks(folder, () => wallClockMs)
}

function remembered(one = walk): void {
  const walks = memory()
  walks.keep('key', one)
  walks.save()
}

function file(): string {
  return join(folder, readdirSync(folder)[0] ?? '')
}

describe('what walks took', () => {
  it.each([walk, empty])('is remembered by the next run, and by this one: $folders', (one) => {
    const walks = memory()
    walks.keep('key', one)
    expect(walks.find('key')).toEqual(one)
    walks.save()
    expect(memory().find('key')).toEqual(one)
    expect(walks.find('key')).toEqual(one)
    expect(memory().find('other')).toBeUndefined()
  })

  it.each([2, 3])('is not remembered where a time of a folder is too new to tell: number %i', (time) => {
    const folderStats = Float64Array.from(walk.folderStats)
    folderStats[time] = now - 1999
    remembered({ ...walk, folderStats })
    expect(readdirSync(folder)).toEqual([])
    remembered()
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('is not remembered where a name is no text', () => {
    remembered({ ...walk, names: ['a', 'b\ud800', 'c'] })
    expect(readdirSync(folder)).toEqual([])
  })

  it('is forgotten where the file is cut or changed, byte by byte', () => {
    remembered()
    const bytes = readFileSync(file())
    for (let at = 0; at < bytes.length; at += 1) {
      writeFileSync(file(), bytes.with(at, (bytes[at] ?? 0) ^ 0x40))
      expect(memory().find('key'), `byte ${at}`).toBeUndefined()
    }
    writeFileSync(file(), bytes)
    for (let length = 0; length < bytes.length; length += 1) {
      truncateSync(file(), bytes.length - length - 1)
      expect(memory().find('key'), `cut by ${length + 1}`).toBeUndefined()
    }
    writeFileSync(file(), bytes)
    expect(memory().find('key')).toEqual(walk)
  })
})
