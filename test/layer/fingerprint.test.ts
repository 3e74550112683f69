/** Fingerprints of planned layers: equal for the same input, another for any other. */

import { describe, expect, it } from 'vitest'
import { baseFingerprint, fingerprintOf, type FingerprintOptions } from '../../src/layer/fingerprint.ts'
import { noMode, type PlacedTree, type TreeColumns } from '../../src/plan/placed-tree.ts'
import type { Placed, Placement } from '../../src/plan/placement.ts'

type File = Extract<Placement, { readonly type: 'file' }>
type HostFile = Extract<File['source'], { readonly kind: 'host' }>

const host: HostFile = { kind: 'host', path: '/h/a', size: 3, mtimeMs: 1000.5, ctimeMs: 2000.5, ino: 7 }
const file: File = {
  type: 'file',
  path: '/a',
  origin: 'layers[0].entries[0]',
  mode: 0o644,
  owner: undefined,
  mtime: 'content',
  source: host,
}
const options: FingerprintOptions = {
  compression: { type: 'gzip', level: 5 },
  lower: baseFingerprint(['sha256:1']),
  encoderId: '',
  startedMs: 10_000,
}

function of(placements: readonly Placed[], changed: Partial<FingerprintOptions> = {}): string | undefined {
  const layer = { name: 'app', at: 'layers[0]', compression: options.compression, placements }
  return fingerprintOf(layer, { ...options, ...changed })
}

const fileWith = (source: Partial<HostFile>): File => ({ ...file, source: { ...host, ...source } })
const folder: Placement = {
  type: 'directory',
  path: '/d',
  origin: '',
  mode: undefined,
  owner: undefined,
  mtime: 0,
  explicit: false,
}
const link: Placement = { type: 'symlink', path: '/l', origin: '', target: 'a', owner: undefined, mtime: 0 }

// A folder with a file, and a link beside it.
const columns: TreeColumns = {
  hostFolder: '/h',
  names: ['d', 'f', 'l'],
  parents: Int32Array.of(-1, 0, -1),
  types: Uint8Array.of(1, 0, 2),
  modes: Uint16Array.of(noMode, 0o644, noMode),
  stats: Float64Array.of(0, 0, 0, 0, 3, 1000.5, 2000.5, 7, 0, 0, 0, 0),
  newestMs: 2000.5,
  targets: new Map([[2, 'd']]),
  hostPaths: new Map([[0, '/h/d']]),
}
const tree: PlacedTree = { type: 'tree', path: '/t', origin: '', owner: undefined, mtime: 'content', columns }
const treeWith = (changed: Partial<TreeColumns>): PlacedTree => ({
  ...tree,
  columns: { ...columns, ...changed },
})
const stats = (...changed: readonly (readonly [number, number])[]): Partial<TreeColumns> => {
  const copy = Float64Array.from(columns.stats)
  for (const [index, value] of changed) copy[index] = value
  return { stats: copy }
}

describe('the fingerprint of a layer with a copied folder', () => {
  it('is the same for the same tree, whichever entry placed it', () => {
    expect(of([tree])).toBeDefined()
    expect(of([{ ...tree, origin: 'elsewhere', columns: { ...columns } }])).toBe(of([tree]))
  })

  it.each<readonly [string, PlacedTree]>([
    ['path', { ...tree, path: '/u' }],
    ['owner', { ...tree, owner: '1:1' }],
    ['time', { ...tree, mtime: 5 }],
    ['folder on the host', treeWith({ hostFolder: '/i' })],
    ['name', treeWith({ names: ['d', 'g', 'l'] })],
    ['place of a file', treeWith({ parents: Int32Array.of(-1, -1, -1) })],
    ['type', treeWith({ types: Uint8Array.of(1, 2, 2) })],
    ['mode', treeWith({ modes: Uint16Array.of(noMode, 0o755, noMode) })],
    ['size', treeWith(stats([4, 4]))],
    ['time of a file', treeWith(stats([5, 1000.25]))],
    ['change time of a file', treeWith(stats([6, 2001]))],
    ['inode', treeWith(stats([7, 8]))],
    ['target', treeWith({ targets: new Map([[2, 'f']]) })],
    ['folder that a link led to', treeWith({ hostPaths: new Map([[0, '/else/d']]) })],
  ])('is another where it has another %s', (_, other) => {
    expect(of([other])).toBeDefined()
    expect(of([other])).not.toBe(of([tree]))
  })

  it('is none where a file of it was written just now', () => {
    expect(of([treeWith({ newestMs: 8500 })])).toBeUndefined()
    expect(of([treeWith({ newestMs: 7500 })])).toBeDefined()
  })
})

describe('the fingerprint of a planned layer', () => {
  it('is the same for the same placements, whichever entry placed them', () => {
    expect(of([file, folder, link])).toBeDefined()
    expect(of([{ ...file, origin: 'elsewhere' }, { ...folder }, { ...link }])).toBe(of([file, folder, link]))
  })

  it.each<readonly [string, readonly Placement[]]>([
    ['path in the image', [{ ...file, path: '/b' }]],
    ['mode', [{ ...file, mode: 0o755 }]],
    ['owner', [{ ...file, owner: '1:1' }]],
    ['time', [{ ...file, mtime: 5 }]],
    ['path on the host', [fileWith({ path: '/h/b' })]],
    ['place in a file of many', [fileWith({ offset: 512 })]],
    ['size', [fileWith({ size: 4 })]],
    ['time on the host', [fileWith({ mtimeMs: 1000.25 })]],
    ['change time on the host', [fileWith({ ctimeMs: 2001 })]],
    ['inode', [fileWith({ ino: 8 })]],
    ['known digest', [fileWith({ digest: 'sha256:aa' })]],
    ['bytes', [{ ...file, source: { kind: 'bytes', bytes: Uint8Array.of(1) } }]],
    ['neighbours', [file, file]],
  ])('is another where a file has another %s', (_, placements) => {
    expect(of(placements)).toBeDefined()
    expect(of(placements)).not.toBe(of([file]))
  })

  it.each<readonly [string, Placement, Placement]>([
    ['a folder has another mode', folder, { ...folder, mode: 0o700 }],
    ['a folder is the spec’s own', folder, { ...folder, explicit: true }],
    ['a link leads elsewhere', link, { ...link, target: 'b' }],
    [
      'a path is hidden, not removed',
      { type: 'remove', path: '/x', origin: '' },
      { type: 'opaque', path: '/x', origin: '' },
    ],
    [
      'a hard link leads elsewhere',
      { type: 'hardlink', path: '/x', origin: '', target: '/a' },
      { type: 'hardlink', path: '/x', origin: '', target: '/b' },
    ],
    [
      'other bytes are appended',
      { type: 'append', path: '/x', origin: '', source: { kind: 'bytes', bytes: Uint8Array.of(1) } },
      { type: 'append', path: '/x', origin: '', source: { kind: 'bytes', bytes: Uint8Array.of(2) } },
    ],
  ])('is another where %s', (_, one, other) => {
    expect(of([one])).not.toBe(of([other]))
  })

  it('is another over another base, compression or encoder', () => {
    const seen = [
      of([file]),
      of([file], { lower: baseFingerprint(['sha256:2']) }),
      of([file], { lower: baseFingerprint(['sha256:1', 'sha256:2']) }),
      of([file], { compression: { type: 'gzip', level: 6 } }),
      of([file], { encoderId: 'zlib x' }),
    ]
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('tells files apart beyond what is digested at once', () => {
    const many = Array.from({ length: 40_000 }, (_, index) => fileWith({ path: `/h/${index}`, ino: index }))
    const last = many.at(-1)
    expect(of(many)).toBe(of([...many]))
    expect(of(many)).not.toBe(of([...many.slice(0, -1), { ...(last ?? file), mode: 0o755 }]))
    expect(of(many)).not.toBe(of([fileWith({ path: '/h/0', ino: 99_999 }), ...many.slice(1)]))
  })

  it('is none where a file was written just now, whose times need not move with its bytes', () => {
    expect(of([fileWith({ mtimeMs: 8500 })])).toBeUndefined()
    expect(of([fileWith({ ctimeMs: 8500 })])).toBeUndefined()
    expect(of([fileWith({ ctimeMs: 7500 })])).toBeDefined()
  })

  it('is none for a copy of this build that has no digest, and does not look at the path of one that has', () => {
    const copy = { temporary: true, digest: 'sha256:aa' } as const
    expect(of([fileWith({ temporary: true })])).toBeUndefined()
    expect(of([fileWith({ ...copy, path: '/tmp/1', mtimeMs: 9999 })])).toBe(
      of([fileWith({ ...copy, path: '/tmp/2' })]),
    )
  })
})
