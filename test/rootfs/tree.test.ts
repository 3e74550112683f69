import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { createTree } from '../../src/rootfs/tree.ts'
import type { LayerEntry, LayerEntryType, Tree } from '../../src/rootfs/tree-types.ts'

function entry(type: LayerEntryType, path: string, target?: string): LayerEntry {
  const plain: LayerEntry = { path, type, mode: 0o700, uid: 1, gid: 1, mtime: 0, size: 0 }
  return target === undefined ? plain : { ...plain, target }
}
const dir = (path: string): LayerEntry => entry('directory', path)
const file = (path: string): LayerEntry => entry('file', path)
const link = (path: string, target: string): LayerEntry => entry('symlink', path, target)
const whiteout = (path: string): LayerEntry => entry('whiteout', path)
const opaque = (path: string): LayerEntry => entry('opaque', path)

function allPaths(tree: Tree, top = ''): string[] {
  return tree.childNames(top).flatMap((name) => {
    const path = top === '' ? name : `${top}/${name}`
    return [path, ...allPaths(tree, path)]
  })
}
const sorted = (tree: Tree): string[] => allPaths(tree).toSorted()

it('merges a directory over a directory and takes the upper attributes', () => {
  const tree = createTree([
    [dir('a'), file('a/x')],
    [{ ...dir('a'), mode: 0o755 }, file('a/y')],
  ])
  expect(sorted(tree)).toEqual(['a', 'a/x', 'a/y'])
  expect(tree.get('a')).toMatchObject({ mode: 0o755, layer: 1 })
  expect(tree.get('a/x')?.layer).toBe(0)
  expect(tree.layers).toBe(2)
})

it('hides a path, and all below it, by a whiteout', () => {
  const tree = createTree([
    [dir('a'), dir('a/b'), file('a/b/c'), file('a/d')],
    [whiteout('a/b'), whiteout('none/x')],
  ])
  expect(sorted(tree)).toEqual(['a', 'a/d'])
})

it('hides what lower layers hold in an opaque directory and keeps what its own layer puts there, in any order', () => {
  const lower = [dir('a'), file('a/old')]
  for (const upper of [
    [dir('a'), opaque('a'), file('a/new')],
    [dir('a'), file('a/new'), opaque('a')],
    [file('a/new'), opaque('a')],
  ]) {
    expect(sorted(createTree([lower, upper]))).toEqual(['a', 'a/new'])
  }
})

it('keeps an entry that its own layer also hides, and drops what lower layers had there', () => {
  const lower = [dir('a'), file('a/old')]
  for (const upper of [
    [whiteout('a'), dir('a')],
    [dir('a'), whiteout('a')],
  ]) {
    expect(sorted(createTree([lower, upper]))).toEqual(['a'])
  }
})

it('replaces a tree by a file and a link by a directory', () => {
  const tree = createTree([
    [dir('a'), file('a/x'), dir('usr'), dir('usr/bin'), file('usr/bin/sh'), link('bin', 'usr/bin')],
    [file('a'), dir('bin'), file('bin/own')],
  ])
  expect(sorted(tree)).toEqual(['a', 'bin', 'bin/own', 'usr', 'usr/bin', 'usr/bin/sh'])
})

it('gives implied parents a node that says so, until an entry comes', () => {
  const tree = createTree([[file('a/b/c')]])
  expect(tree.get('a')).toMatchObject({ type: 'directory', mode: 0o755, uid: 0, gid: 0, implied: true })
  tree.apply([dir('a')])
  expect(tree.get('a')).toMatchObject({ mode: 0o700, layer: 1 })
  expect(tree.get('a')?.implied).toBeUndefined()
  expect(tree.has('a/b/c')).toBe(true)
})

it('knows the root only when a layer has an entry for it', () => {
  const tree = createTree([[file('a')]])
  expect(tree.get('')).toBeUndefined()
  tree.apply([dir('')])
  expect(tree.get('')).toMatchObject({ type: 'directory', layer: 1 })
  expect(tree.childNames('')).toEqual(['a'])
  expect(tree.childNames('a')).toEqual([])
  tree.apply([opaque('')])
  expect(tree.childNames('')).toEqual([])
})

it('takes names for names, whatever objects have', () => {
  const tree = createTree([[file('__proto__'), file('constructor/x')]])
  expect(tree.get('__proto__')?.type).toBe('file')
  expect(tree.get('toString')).toBeUndefined()
})

it('resolves links inside the root', () => {
  const tree = createTree([
    [
      link('bin', 'usr/bin'),
      dir('usr'),
      dir('usr/bin'),
      link('usr/bin/sh', 'dash'),
      link('abs', '/usr/bin'),
      link('out', '../../../usr'),
      link('usr/up', '..'),
      link('chain', 'bin/'),
      link('dangling', 'no/such'),
    ],
  ])
  const cases: readonly (readonly [string, string, string])[] = [
    ['bin/x', 'usr/bin/x', 'usr/bin/x'],
    ['/bin/sh', 'usr/bin/sh', 'usr/bin/dash'],
    ['abs/sh', 'usr/bin/sh', 'usr/bin/dash'],
    ['out/bin/../x', 'usr/x', 'usr/x'],
    ['usr/up/bin/x', 'usr/bin/x', 'usr/bin/x'],
    ['chain', 'chain', 'usr/bin'],
    ['bin/..', 'usr', 'usr'],
    ['../../etc', 'etc', 'etc'],
    ['dangling/y', 'no/such/y', 'no/such/y'],
    ['new//./z/', 'new/z', 'new/z'],
    ['', '', ''],
  ]
  for (const [path, parents, all] of cases) {
    expect(tree.resolve(path), path).toBe(parents)
    expect(tree.resolve(path, { followLast: true }), path).toBe(all)
  }
})

it('says OCB-PATH-LOOP when links lead in a circle', () => {
  const tree = createTree([[link('a', 'b'), link('b', 'a')]])
  expect(() => tree.resolve('a/x')).toThrow(expect.objectContaining({ code: 'OCB-PATH-LOOP' }))
  expect(tree.resolve('a')).toBe('a')
})

/** The same by plain path lists: slow, and simple enough to be seen to be right. */
function applyToModel(model: Map<string, LayerEntryType>, entries: readonly LayerEntry[]): void {
  const removeBelow = (path: string): void => {
    for (const key of model.keys()) if (path === '' || key.startsWith(`${path}/`)) model.delete(key)
  }
  const makeDirectories = (path: string): void => {
    const parts = path === '' ? [] : path.split('/')
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const parent = parts.slice(0, depth).join('/')
      if (model.get(parent) !== 'directory') removeBelow(parent)
      model.set(parent, 'directory')
    }
  }
  for (const { type, path } of entries) {
    if (type === 'whiteout') {
      model.delete(path)
      removeBelow(path)
    } else if (type === 'opaque') {
      makeDirectories(path)
      removeBelow(path)
    }
  }
  for (const { type, path } of entries) {
    if (type === 'whiteout' || type === 'opaque') continue
    makeDirectories(path.split('/').slice(0, -1).join('/'))
    if (type !== 'directory') removeBelow(path)
    model.set(path, type)
  }
}

it('agrees with a simple model on any layers', () => {
  const path = fc
    .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join('/'))
  const type = fc.constantFrom<LayerEntryType[]>(
    'file',
    'directory',
    'directory',
    'symlink',
    'whiteout',
    'opaque',
  )
  const layer = fc.array(fc.record({ type, path }), { maxLength: 12 })
  fc.assert(
    fc.property(fc.array(layer, { maxLength: 4 }), (layers) => {
      const model = new Map<string, LayerEntryType>()
      const tree = createTree()
      for (const names of layers) {
        const entries = names.map((name) =>
          entry(name.type, name.path, name.type === 'symlink' ? 'a' : undefined),
        )
        tree.apply(entries)
        applyToModel(model, entries)
      }
      expect(sorted(tree)).toEqual([...model.keys()].toSorted())
      for (const [key, kind] of model) expect(tree.get(key)?.type, key).toBe(kind)
    }),
    { numRuns: 500 },
  )
})
