/** A walk that is remembered gives what a walk gives, and only while no folder changed. */

import { linkSync, lstatSync, mkdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openTakenWalks } from '../../src/cache/taken-walks.ts'
import { createCopyFilter } from '../../src/plan/copy-filter.ts'
import { compileGlobs } from '../../src/plan/glob-rules.ts'
import { createHiddenLog } from '../../src/plan/hidden-log.ts'
import type { HiddenBy } from '../../src/plan/placement.ts'
import { rowTypes } from '../../src/plan/placed-tree.ts'
import { walkColumns, type WalkedColumns, type WalkMemory } from '../../src/plan/walk-columns.ts'
import { createRandom } from '../helpers/fixture-tree.ts'
import { copyEntry, editFolder, fillFolder, makeFolder, planContext, planEntries } from './plan-helpers.ts'

interface Asked {
  readonly exclude?: readonly string[]
  readonly excluded?: readonly string[]
}

interface Took {
  readonly columns: WalkedColumns
  readonly hidden: readonly HiddenBy[]
}

function walk(root: string, memory?: WalkMemory, { exclude = [], excluded = [] }: Asked = {}): Took {
  const log = createHiddenLog('app')
  const rules = {
    ignore: [],
    ignorePrefix: '',
    ignoredTop: undefined,
    exclude: compileGlobs(exclude, 'exclude', 'here'),
    include: undefined,
  }
  const { names, parents, types, hostPaths } = walkColumns(root, {
    excluded: { paths: new Set(excluded), parents: new Set() },
    filter: createCopyFilter(rules, log),
    followRoot: undefined,
    walks: memory,
  })
  return { columns: { names, parents, types, hostPaths }, hidden: log.all() }
}

interface Counted extends WalkMemory {
  save(): void
  kept(): number
}

/** A memory that counts what it keeps; its clock is an hour ahead, so that what a test just made counts as settled. */
function memoryIn(folder: string): Counted {
  const walks = openTakenWalks(folder, () => Date.now() + 3_600_000)
  let kept = 0
  return {
    find: (key) => walks.find(key),
    keep(key, one) {
      kept += 1
      walks.keep(key, one)
    },
    save: () => walks.save(),
    kept: () => kept,
  }
}

const tree = {
  'a/b/c.js': '',
  'a/d.js': '',
  'a/d.map': '',
  'maps/only.map': '',
  e: { link: 'a' },
  empty: null,
}

describe('a walk', () => {
  it('is remembered by the next run: the same rows, and as many names hidden', () => {
    const root = makeFolder(tree)
    const cache = makeFolder()
    const asked = { exclude: ['**/*.map', 'empty'] }
    const first = memoryIn(cache)
    const taken = walk(root, first, asked)
    expect(taken.columns.names).toEqual(['a', 'b', 'c.js', 'd.js', 'e', 'maps'])
    expect(taken.hidden).toEqual([
      { layer: 'app', rule: 'exclude "**/*.map"', count: 2 },
      { layer: 'app', rule: 'exclude "empty"', count: 1 },
    ])
    first.save()
    const second = memoryIn(cache)
    expect(walk(root, second, asked)).toEqual(taken)
    expect([first.kept(), second.kept()]).toEqual([1, 0])
    expect(walk(root, undefined, asked)).toEqual(taken)
  })

  it('is another one with other rules, or other paths that are never copied', () => {
    const root = makeFolder(tree)
    const memory = memoryIn(makeFolder())
    walk(root, memory)
    expect(walk(root, memory, { exclude: ['e'] }).columns.names).not.toContain('e')
    expect(walk(root, memory, { excluded: [join(root, 'a')] }).columns.names).not.toContain('d.js')
    expect(walk(root, memory)).toEqual(walk(root))
    expect(memory.kept()).toBe(3)
  })

  it('is done again where a folder changed in which nothing was taken', () => {
    const root = makeFolder({ 'out/x.map': '', 'in/x.js': '' })
    const memory = memoryIn(makeFolder())
    const asked = { exclude: ['**/*.map'] }
    walk(root, memory, asked)
    fillFolder(root, { 'out/y.js': '' })
    expect(walk(root, memory, asked).columns.names).toContain('y.js')
  })

  it('is done again where a file took the place of another kind, though the old time was given back', () => {
    const root = makeFolder({ 'a/b': 'text', 'a/c': 'text' })
    const memory = memoryIn(makeFolder())
    walk(root, memory)
    const { atimeMs, mtimeMs } = lstatSync(join(root, 'a'))
    rmSync(join(root, 'a/b'))
    mkdirSync(join(root, 'a/b'))
    utimesSync(join(root, 'a'), atimeMs / 1000, mtimeMs / 1000)
    const { names, types } = walk(root, memory).columns
    expect(types[names.indexOf('b')]).toBe(rowTypes.indexOf('directory'))
  })

  it('is not remembered through a link to its folder: the link says nothing of what lies there', () => {
    const root = makeFolder({ 'real/a.js': '' })
    symlinkSync('real', join(root, 'link'))
    const memory = memoryIn(makeFolder())
    const through = `${join(root, 'link')}`
    expect(walk(through, memory).columns.names).toEqual(['a.js'])
    fillFolder(root, { 'real/b.js': '' })
    expect(walk(through, memory).columns.names).toEqual(['a.js', 'b.js'])
    expect(memory.kept()).toBe(0)
  })

  it('knows nothing of hard links, which a copy may preserve or not', async () => {
    const root = makeFolder({ 'd/b/first': 'x', 'd/single': 'y' })
    linkSync(join(root, 'd/b/first'), join(root, 'd/z-link'))
    const memory = memoryIn(makeFolder())
    const types = async (hardLinks: 'copy' | 'preserve', walks?: WalkMemory): Promise<readonly string[]> => {
      const entries = [copyEntry(root, 'd', '/x', { hardLinks })]
      const { placements } = await planEntries(entries, planContext(root, { walks }))
      return placements.map(({ type, path }) => `${type} ${path}`)
    }
    expect(await types('preserve')).toContain('hardlink /x/z-link')
    for (const hardLinks of ['preserve', 'copy', 'preserve'] as const) {
      expect(await types(hardLinks, memory)).toEqual(await types(hardLinks))
    }
    expect(memory.kept()).toBe(1)
  })

  it('goes a thousand folders deep', () => {
    const root = makeFolder()
    const depth = 1000
    mkdirSync(`${root}${'/a'.repeat(depth)}`, { recursive: true })
    const memory = memoryIn(makeFolder())
    const { columns } = walk(root, memory)
    expect(columns.names).toHaveLength(depth)
    expect(columns.parents.at(-1)).toBe(depth - 2)
    expect(walk(root, memory).columns).toEqual(columns)
  })

  it('is told as it is after any edit', async () => {
    const random = createRandom(11)
    const root = makeFolder()
    const cache = makeFolder()
    for (const name of ['a/x', 'a/y/z', 'b/n1', 'c']) fillFolder(root, { [name]: 'text' })
    let kept = 0
    for (let round = 0; round < 60; round += 1) {
      editFolder(root, random)
      // Two edits of a folder within one tick of the file system's clock are what the two seconds are for.
      await setTimeout(12)
      const memory = memoryIn(cache)
      const asked = { exclude: ['**/n1*', '!b/**'] }
      expect(walk(root, memory, asked), `round ${round}`).toEqual(walk(root, undefined, asked))
      memory.save()
      kept += memory.kept()
    }
    // Writing into a file changes no folder.
    expect(kept).toBeLessThan(60)
    expect(kept).toBeGreaterThan(30)
  })
})
