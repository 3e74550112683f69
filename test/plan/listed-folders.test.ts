import { lstatSync, mkdirSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openFolderListings } from '../../src/cache/folder-listings.ts'
import type { ListingMemory } from '../../src/plan/host-file.ts'
import { walkFolder, type Found } from '../../src/plan/walk-folder.ts'
import { createRandom } from '../helpers/fixture-tree.ts'
import { editFolder, fillFolder, makeFolder } from './plan-helpers.ts'

const nothingExcluded = { paths: new Set<string>(), parents: new Set<string>() }

function walk(root: string, listings?: ListingMemory): readonly Found[] {
  return walkFolder(root, { excluded: nothingExcluded, filter: undefined, followRoot: undefined, listings })
}

/** A memory that counts what it knew; its clock is an hour ahead, so that what a test just made counts as settled. */
function memoryIn(folder: string): ListingMemory & { save(): void; known(): number } {
  const listings = openFolderListings(folder, '/project', () => Date.now() + 3_600_000)
  let known = 0
  return {
    find(path, stat) {
      const found = listings.find(path, stat)
      if (found !== undefined) known += 1
      return found
    },
    keep: (path, stat, listing) => listings.keep(path, stat, listing),
    save: () => listings.save(),
    known: () => known,
  }
}

describe('folders that were listed before', () => {
  it('are not listed again, and hold the same', () => {
    const root = makeFolder({ 'a/b/c.js': '', 'a/d.js': '', e: { link: 'a' }, empty: null })
    const cache = makeFolder()
    const first = memoryIn(cache)
    const listed = walk(root, first)
    first.save()
    expect(first.known()).toBe(0)
    const second = memoryIn(cache)
    expect(walk(root, second)).toEqual(listed)
    expect(second.known()).toBe(4)
    expect(walk(root)).toEqual(listed)
  })

  it('are listed again where a file took the place of another kind, though the old time was given back', () => {
    const root = makeFolder({ 'a/b': 'text', 'a/c': 'text' })
    const cache = makeFolder()
    const first = memoryIn(cache)
    walk(root, first)
    first.save()
    const { atimeMs, mtimeMs } = lstatSync(join(root, 'a'))
    rmSync(join(root, 'a/b'))
    mkdirSync(join(root, 'a/b'))
    utimesSync(join(root, 'a'), atimeMs / 1000, mtimeMs / 1000)
    expect(walk(root, memoryIn(cache)).find(({ path }) => path === 'a/b')?.type).toBe('directory')
  })

  it('are told as they are after any edit', async () => {
    const random = createRandom(7)
    const root = makeFolder()
    const cache = makeFolder()
    for (const name of ['a/x', 'a/y/z', 'b/x', 'c']) fillFolder(root, { [name]: 'text' })
    for (let round = 0; round < 60; round += 1) {
      editFolder(root, random)
      // Two edits of a folder within one tick of the file system's clock are what the two seconds are for.
      await new Promise((resolve) => {
        setTimeout(resolve, 12)
      })
      const memory = memoryIn(cache)
      expect(walk(root, memory), `round ${round}`).toEqual(walk(root))
      memory.save()
    }
  })
})
