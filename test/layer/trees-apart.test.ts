/** Copied folders that stand apart give the entries that drafting them one by one gives. */

import { rmSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { setTreesApart } from '../../src/layer/trees-apart.ts'
import type { Changeset } from '../../src/layer/changeset.ts'
import { normalizeLayer } from '../../src/layer/normalize.ts'
import type { LowerFiles } from '../../src/layer/lower.ts'
import { eachPlacement, type PlacedTree } from '../../src/plan/placed-tree.ts'
import { placeTree } from '../../src/plan/place-tree.ts'
import type { Placed } from '../../src/plan/placement.ts'
import { createPlacingRules, type PlacerOptions } from '../../src/plan/placing-rules.ts'
import { createTree } from '../../src/rootfs/tree.ts'
import type { LayerEntry } from '../../src/rootfs/tree-types.ts'
import { temporaryFolder } from '../helpers/unpack.ts'
import { fillFolder, type Made } from '../plan/plan-helpers.ts'

const files: Readonly<Record<string, Made>> = {
  'a/b.js': 'b',
  'a/c/d.js': 'd',
  'a.js': 'a',
  'a-b/x': { text: '#!/bin/sh', mode: 0o755 },
  'a/link': { link: '../a.js' },
  empty: null,
  'é/ü': 'u',
}

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true, force: true }))
fillFolder(folder, files)

function treeAt(path: string, more: Partial<PlacerOptions> = {}, owner?: string): PlacedTree {
  const excluded = { paths: new Set<string>(), parents: new Set<string>() }
  const metadata = { mode: undefined, dirMode: undefined, owner, mtime: 'content' } as const
  const rules = createPlacingRules({
    origin: `copy to ${path}`,
    metadata,
    hardLinks: 'copy',
    executable: (_, mode) => (mode & 0o100) !== 0,
    windows: false,
    ...more,
  })
  return placeTree(path, folder, { excluded, filter: undefined, followRoot: undefined }, rules)
}

function directory(path: string, more: object = {}): Placed {
  const own = { type: 'directory', path, origin: `dir ${path}`, mode: undefined, owner: undefined } as const
  return { ...own, mtime: 0, explicit: false, ...more }
}

function file(path: string): Placed {
  const source = { kind: 'bytes', bytes: Uint8Array.of(1) } as const
  return { type: 'file', path, origin: `file ${path}`, mode: 0o644, owner: undefined, mtime: 0, source }
}

function lowerOf(entries: readonly Partial<LayerEntry>[] = []): LowerFiles {
  const own = { type: 'directory', mode: 0o700, uid: 5, gid: 6, mtime: 0, size: 0 } as const
  const layer = entries.map((entry) => ({ path: '', target: undefined, xattrs: undefined, ...own, ...entry }))
  return {
    tree: createTree([layer]),
    readFile: async () => new TextEncoder().encode('node:x:1000:1001::/:/\n'),
  }
}

async function changesetOf(placements: readonly Placed[], lower: LowerFiles): Promise<Changeset> {
  const compression = { type: 'none' } as const
  return normalizeLayer({ name: 'l', at: 'layers[0]', compression, placements }, async () => lower)
}

/** Sources compared by what they say. */
function plain({ entries }: Changeset): readonly unknown[] {
  return entries.map((entry) => {
    if (entry.type !== 'file' || entry.source.kind !== 'host') return entry
    const { kind, path, size, mtimeMs, ctimeMs, ino } = entry.source
    return { ...entry, source: { kind, path, size, mtimeMs, ctimeMs, ino } }
  })
}

async function expectSame(placements: readonly Placed[], lower: LowerFiles): Promise<void> {
  const whole = await changesetOf([...eachPlacement(placements)], lower)
  expect(whole.entries.length).toBeGreaterThan(7)
  expect(plain(await changesetOf(placements, lower))).toEqual(plain(whole))
}

const link = { type: 'symlink', mode: 0o777, target: '/srv' } as const

describe('a copied folder that nothing else touches', () => {
  const tree = treeAt('/app/m')
  it.each<readonly [string, readonly Placed[], readonly Partial<LayerEntry>[]]>([
    ['alone', [directory('/app/m'), tree], []],
    ['beside other entries', [file('/app/m.js'), directory('/app/m'), tree, file('/app/l'), file('/z')], []],
    ['over a base that has its parent', [directory('/app/m'), tree], [{ path: 'app' }, { path: 'app/x' }]],
    ['with a mode for its directory', [directory('/app/m', { explicit: true, mode: 0o711 }), tree], []],
    ['beside another', [directory('/app/m'), tree, directory('/app/n'), treeAt('/app/n')], []],
    ['with a number for an owner', [directory('/o'), treeAt('/o', {}, '7:8')], []],
    [
      'with the base’s user for an owner',
      [directory('/o'), treeAt('/o', {}, 'node')],
      [{ path: 'etc' }, { path: 'etc/passwd', type: 'file', mode: 0o644 }],
    ],
  ])('%s', async (_, placements, below) => {
    const lower = lowerOf(below)
    expect(setTreesApart(placements, lower.tree).trees.size).toBe(
      placements.filter(({ type }) => type === 'tree').length,
    )
    await expectSame(placements, lower)
  })
})

describe('a copied folder is drafted', () => {
  const tree = treeAt('/app/m')
  const own = directory('/app/m')
  it.each<readonly [string, readonly Placed[], readonly Partial<LayerEntry>[]]>([
    ['onto the root', [treeAt('/')], []],
    ['where a file of it is replaced', [own, tree, file('/app/m/a.js')], []],
    ['where something is added to it', [own, tree, file('/app/m/new/er')], []],
    ['where a folder is copied over it', [own, tree, own, treeAt('/app/m')], []],
    ['where a folder is copied into it', [own, tree, directory('/app/m/a'), treeAt('/app/m/a')], []],
    ['where a folder around it is copied', [directory('/app'), treeAt('/app'), own, tree], []],
    [
      'where something of it is removed',
      [own, tree, { type: 'remove', path: '/app/m/a', origin: 'r' }],
      [{ path: 'app' }, { path: 'app/m' }, { path: 'app/m/a' }],
    ],
    ['beside a marker', [own, tree, { type: 'opaque', path: '/srv', origin: 'o' }], [{ path: 'srv' }]],
    [
      'beside a hard link',
      [own, tree, { type: 'hardlink', path: '/h', origin: 'h', target: '/app/m/a.js' }],
      [],
    ],
    ['over a folder of the base', [own, tree], [{ path: 'app' }, { path: 'app/m' }, { path: 'app/m/a' }]],
    ['through a link of the base', [own, tree], [{ path: 'app', ...link }, { path: 'srv' }]],
    ['onto a link of the base', [own, tree], [{ path: 'app' }, { path: 'app/m', ...link }, { path: 'srv' }]],
    ['without its directory', [directory('/app'), tree], []],
    ['onto /etc', [directory('/etc'), treeAt('/etc', {}, '1')], []],
  ])('%s', async (_, placements, below) => {
    const lower = lowerOf(below)
    expect(setTreesApart(placements, lower.tree).trees.size).toBe(0)
    await expectSame(placements, lower)
  })

  it('over a file of the base, and told of', async () => {
    const lower = lowerOf([{ path: 'app' }, { path: 'app/m', type: 'file', mode: 0o644 }])
    await expect(changesetOf([own, tree], lower)).rejects.toMatchObject({ code: 'OCB-ENTRY-BELOW-FILE' })
  })
})
