/** Copied folders as trees: what they stand for is what placing one by one gives. */

import { linkSync, mkdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EntryMetadata } from '../../src/plan/entry-metadata.ts'
import { placeFound } from '../../src/plan/place-found.ts'
import { eachPlacement, type PlacedTree } from '../../src/plan/placed-tree.ts'
import { placeTree } from '../../src/plan/place-tree.ts'
import type { Placement } from '../../src/plan/placement.ts'
import { createPlacingRules, type PlacerOptions } from '../../src/plan/placing-rules.ts'
import { walkFolder, type WalkOptions } from '../../src/plan/walk-folder.ts'
import { makeFolder } from './plan-helpers.ts'

function oddFolder(): string {
  const root = makeFolder({
    'a.txt': 'a',
    'a/deep/er/x.js': 'x',
    'a/deep/y.js': 'yy',
    'a-b/run.sh': { text: '#!/bin/sh\n', mode: 0o755 },
    empty: null,
    'über/ñ': 'n',
    'z/link': { link: '../a' },
    'z/dangling': { link: 'nowhere/at all' },
  })
  linkSync(join(root, 'a.txt'), join(root, 'z/again.txt'))
  utimesSync(join(root, 'a/deep/y.js'), 1_700_000_000.25, 1_700_000_000.25)
  return root
}

const metadata: EntryMetadata = { mode: undefined, dirMode: undefined, owner: undefined, mtime: 'content' }
const excluded = { paths: new Set<string>(), parents: new Set<string>() }
const walk: WalkOptions = { excluded, filter: undefined, followRoot: undefined }

function options(more: Partial<PlacerOptions> = {}): PlacerOptions {
  const executable = (_: string, mode: number): boolean => (mode & 0o100) !== 0
  return { origin: 'layers[0]', metadata, hardLinks: 'copy', executable, windows: false, ...more }
}

/** With every property that a source has by way of its class. */
function plain(placements: Iterable<Placement>): readonly unknown[] {
  return Array.from(placements, (placement) => {
    if (placement.type !== 'file' || placement.source.kind !== 'host') return placement
    const { kind, path, size, mtimeMs, ctimeMs, ino } = placement.source
    return { ...placement, source: { kind, path, size, mtimeMs, ctimeMs, ino } }
  })
}

function oneByOne(root: string, to: string, walked: WalkOptions, placer: PlacerOptions): readonly unknown[] {
  const rules = createPlacingRules(placer)
  const prefix = to === '/' ? '/' : `${to}/`
  return plain(
    walkFolder(root, walked).map(({ path, hostPath, type }) =>
      placeFound(prefix + path, hostPath, type, rules),
    ),
  )
}

describe('a tree stands for what its files, folders and links would be one by one', () => {
  it.each<readonly [string, string, Partial<PlacerOptions>]>([
    ['as it is', '/app', {}],
    ['onto the root', '/', {}],
    ['with hard links', '/app', { hardLinks: 'preserve' }],
    ['with the host’s modes', '/app', { metadata: { ...metadata, mode: 'preserve' } }],
    ['with the host’s times', '/app', { metadata: { ...metadata, mtime: 'preserve' } }],
    [
      'with modes, owner and time of the spec',
      '/app',
      { metadata: { mode: 0o600, dirMode: 0o700, owner: 'node', mtime: 7 } },
    ],
    ['on Windows', '/app', { windows: true, metadata: { ...metadata, mode: 'preserve' } }],
  ])('%s', (_, to, more) => {
    const root = oddFolder()
    const placed = placeTree(to, root, walk, createPlacingRules(options(more)))
    const expected = oneByOne(root, to, walk, options(more))
    expect(expected.length).toBeGreaterThan(12)
    expect(plain(eachPlacement([placed]))).toEqual(expected)
  })

  it('with links followed', () => {
    const root = oddFolder()
    const elsewhere = makeFolder()
    mkdirSync(join(elsewhere, 'in'))
    writeFileSync(join(elsewhere, 'in/file'), 'f')
    const inside = { ...walk, followRoot: '/' }
    symlinkSync(join(elsewhere, 'in'), join(root, 'a/folder'))
    symlinkSync(join(elsewhere, 'in/file'), join(root, 'a/file'))
    const noDangling: WalkOptions = {
      ...inside,
      excluded: { ...excluded, paths: new Set([join(root, 'z')]) },
    }
    const placed = placeTree('/app', root, noDangling, createPlacingRules(options()))
    const placements = plain(eachPlacement([placed]))
    expect(placements).toEqual(oneByOne(root, '/app', noDangling, options()))
    expect(placements).toContainEqual(
      expect.objectContaining({
        path: '/app/a/folder/file',
        source: expect.objectContaining({ path: join(elsewhere, 'in/file') }),
      }),
    )
  })

  it('less folders that only led to what is left out', () => {
    const root = oddFolder()
    const through: WalkOptions = {
      ...walk,
      excluded: {
        paths: new Set([join(root, 'a/deep/er/x.js')]),
        parents: new Set([join(root, 'a/deep/er'), join(root, 'a/deep'), join(root, 'a')]),
      },
    }
    const placed = placeTree('/app', root, through, createPlacingRules(options()))
    const paths = Array.from(eachPlacement([placed]), ({ path }) => path)
    expect(paths).not.toContain('/app/a/deep/er')
    expect(paths).toContain('/app/a/deep/y.js')
    expect(plain(eachPlacement([placed]))).toEqual(oneByOne(root, '/app', through, options()))
  })

  it('and says which of its files’ times is the newest', () => {
    const root = makeFolder({ 'a/old': 'x', 'a/new': 'x', b: null })
    const soon = Math.ceil(Date.now() / 1000) + 60
    const newestOf = (): number =>
      placeTree('/app', root, walk, createPlacingRules(options())).columns.newestMs
    // Of a change time, which is now; the time of a folder says nothing of a file's bytes.
    utimesSync(join(root, 'a/old'), 1, 1)
    utimesSync(join(root, 'a/new'), 2, 2)
    utimesSync(join(root, 'b'), soon, soon)
    const changes = ['a/old', 'a/new'].map((name) => statSync(join(root, name)).ctimeMs)
    expect(newestOf()).toBe(Math.max(...changes))
    utimesSync(join(root, 'a/new'), soon, soon)
    expect(newestOf()).toBe(soon * 1000)
    expect(placeTree('/app', makeFolder(), walk, createPlacingRules(options())).columns.newestMs).toBe(0)
  })

  it('and tells of long files as they are found', () => {
    const MiB = 1024 * 1024
    const root = makeFolder({
      'a/long': 'x'.repeat(MiB),
      'a/short': 'x'.repeat(MiB - 1),
      'b/longer': 'x'.repeat(MiB + 1),
    })
    const met: unknown[] = []
    const placed = placeTree('/app', root, walk, createPlacingRules(options()), (file) => met.push(file))
    const sources = Array.from(eachPlacement([placed]), (found) =>
      found.type === 'file' ? found.source : undefined,
    )
    expect(met).toEqual(
      sources.filter((source) => source !== undefined && source.kind === 'host' && source.size >= MiB),
    )
  })

  it('among others, in order', () => {
    const root = oddFolder()
    const placed: PlacedTree = placeTree('/app', root, walk, createPlacingRules(options()))
    const before: Placement = { type: 'remove', path: '/x', origin: '' }
    const all = Array.from(eachPlacement([before, placed, before]))
    expect([all[0], all.at(-1)]).toEqual([before, before])
    expect(all).toHaveLength(placed.columns.names.length + 2)
    expect(statSync(join(root, 'a.txt')).nlink).toBe(2)
  })
})
