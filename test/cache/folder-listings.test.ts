import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openFolderListings, type FolderListings } from '../../src/cache/folder-listings.ts'
import { freshFolder } from './fresh-folder.ts'

const folder = freshFolder()

const now = 1_800_000_000_000
const stat = { dev: 3, ino: 77, mtimeMs: 1_000.25, ctimeMs: 2_000.5 }
const listing = { names: ['a', 'b c', 'é.js'], types: 'fdl' }

function memory(root = '/project', wallClockMs = now): FolderListings {
  return openFolderListings(folder, root, () => wallClockMs)
}

function remembered(path = '/project/a'): void {
  const listings = memory()
  listings.keep(path, stat, listing)
  listings.save()
}

function file(): string {
  return join(folder, readdirSync(folder)[0] ?? '')
}

describe('what folders held', () => {
  it('is remembered by the next run, and by this one', () => {
    const listings = memory()
    listings.keep('/project/a', stat, listing)
    listings.keep('/project/empty', stat, { names: [], types: '' })
    expect(listings.find('/project/a', stat)).toEqual(listing)
    listings.save()
    expect(memory().find('/project/a', stat)).toEqual(listing)
    expect(memory().find('/project/empty', stat)).toEqual({ names: [], types: '' })
  })

  it.each([{ dev: 4 }, { ino: 78 }, { mtimeMs: 1_000.5 }, { ctimeMs: 2_000.25 }])(
    'is forgotten where the folder has another %o',
    (more) => {
      remembered()
      expect(memory().find('/project/a', { ...stat, ...more })).toBeUndefined()
    },
  )

  it('is not told of another folder or another project', () => {
    remembered()
    expect(memory().find('/project/b', stat)).toBeUndefined()
    expect(memory('/other').find('/project/a', stat)).toBeUndefined()
  })

  it.each(['mtimeMs', 'ctimeMs'])('is not remembered of a folder whose %s is too new to tell', (time) => {
    const listings = memory()
    const young = { ...stat, [time]: now - 1_999 }
    const settled = { ...stat, [time]: now - 2_000 }
    listings.keep('/project/a', young, listing)
    listings.keep('/project/b', settled, listing)
    expect(listings.find('/project/a', young)).toBeUndefined()
    expect(listings.find('/project/b', settled)).toEqual(listing)
  })

  it('stays where a later run asks for other folders, and is replaced where a folder changed', () => {
    remembered()
    const later = memory()
    const changed = { ...stat, mtimeMs: 5_000 }
    later.keep('/project/b', stat, listing)
    later.keep('/project/a', changed, { names: ['z'], types: 'f' })
    later.save()
    expect(memory().find('/project/a', changed)).toEqual({ names: ['z'], types: 'f' })
    expect(memory().find('/project/a', stat)).toBeUndefined()
    expect(memory().find('/project/b', stat)).toEqual(listing)
  })

  it('is not written where nothing is new', () => {
    remembered()
    const before = readFileSync(file(), 'utf8')
    rmSync(file())
    const later = memory()
    later.find('/project/a', stat)
    later.save()
    expect(readdirSync(folder)).toEqual([])
    expect(before).toContain('é.js')
  })

  it.each([
    ['cut', (text: string) => text.slice(0, -3)],
    ['altered', (text: string) => text.replace('b c', 'b d')],
    ['empty', () => ''],
    ['of another format', () => '[]'],
  ])('is taken as empty where its file is %s', (_, damage) => {
    remembered()
    writeFileSync(file(), damage(readFileSync(file(), 'utf8')))
    expect(memory().find('/project/a', stat)).toBeUndefined()
  })
})
