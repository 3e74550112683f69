/** Any tree comes back from umoci and GNU tar as it went in, on nothing and on a base with links and odd owners. */

import { lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { build } from '../../src/build.ts'
import { validateLayout } from '../../src/image/validate-layout.ts'
import { contentSecond, describeNode, readTree, type TreeNode } from '../helpers/file-tree.ts'
import { gzipLayer, makeImage, plainLayer, rawTar } from '../helpers/hand-made-image.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { applyLayersWithTar, temporaryFolder, umociUnpack } from '../helpers/unpack.ts'
import { writeLayout } from '../helpers/write-layout.ts'
import { contentOf, folder, folderOf, writeTree, type FolderNode, type Node } from './arbitrary-tree.ts'

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 1_000_000_000)
const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 25)

let work = ''
beforeAll(async () => {
  work = temporaryFolder('ocibuild-property-')
  await writeLayout(join(work, 'base'), await makeImage(baseLayers), 'latest')
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

// No setgid: GNU tar lets folders that it makes in such a one inherit it, when it needs no chmod otherwise.
const baseLayers = [
  gzipLayer(
    rawTar([
      { name: 'usr/', mode: 0o755 },
      { name: 'usr/bin/', mode: 0o751, uid: 3, gid: 4 },
      { name: 'usr/bin/.sh of the base', content: 'shell', mode: 0o4755 },
      { name: 'bin', flag: '2', target: 'usr/bin', mode: 0o777 },
      { name: 'run/', mode: 0o1777 },
      { name: 'var/', mode: 0o700, uid: 2_097_151, gid: 1 },
      { name: 'var/run', flag: '2', target: '/run', mode: 0o777 },
    ]),
  ),
  plainLayer(
    rawTar([
      { name: 'srv/', mode: 0o711, uid: 12, gid: 34 },
      { name: 'srv/data/', mode: 0o1770, uid: 7, gid: 8 },
      { name: 'srv/data/.kept of the base', content: 'kept', mode: 0o600, uid: 7, gid: 8 },
    ]),
  ),
]

const directory = { type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0 } as const
const baseNodes: ReadonlyMap<string, TreeNode> = new Map<string, TreeNode>([
  ['usr', directory],
  ['usr/bin', { ...directory, mode: 0o751, uid: 3, gid: 4 }],
  ['usr/bin/.sh of the base', { ...directory, type: 'file', mode: 0o4755, content: Buffer.from('shell') }],
  ['bin', { ...directory, type: 'symlink', target: 'usr/bin' }],
  ['run', { ...directory, mode: 0o1777 }],
  ['var', { ...directory, mode: 0o700, uid: 2_097_151, gid: 1 }],
  ['var/run', { ...directory, type: 'symlink', target: '/run' }],
  ['srv', { ...directory, mode: 0o711, uid: 12, gid: 34 }],
  ['srv/data', { ...directory, mode: 0o1770, uid: 7, gid: 8 }],
  [
    'srv/data/.kept of the base',
    { ...directory, type: 'file', mode: 0o600, uid: 7, gid: 8, content: Buffer.from('kept') },
  ],
])

interface Case {
  readonly tree: FolderNode
  readonly to: string
  readonly mode: 'default' | 'preserve'
  readonly hardLinks: 'copy' | 'preserve'
  /** Undefined: the spec says none, and folders of the base keep theirs. */
  readonly owner: string | undefined
  readonly compression: string
}

const choices = {
  mode: fc.constantFrom('default', 'preserve'),
  hardLinks: fc.constantFrom('copy', 'preserve'),
  owner: fc.constantFrom(undefined, undefined, '0:0', '1000:1000', '2097152:4294967294'),
  compression: fc.constantFrom('gzip', 'gzip:1', 'none'),
} as const

/** Where it goes: below names of its own, or where the base has links and folders. */
const aboveBase = fc.oneof(
  fc.record({ bin: folder, srv: folder.map((data) => folderOf({ data })) }).map(folderOf),
  fc
    .record({ usr: folder.map((bin) => folderOf({ bin })), var: folder.map((run) => folderOf({ run })) })
    .map(folderOf),
  fc.record({ run: folder, new: folder }).map(folderOf),
)

/** What must come out: the base's rest, and the tree by the contract's rules. Links of the base are followed. */
function expectedOf(item: Case, base: ReadonlyMap<string, TreeNode>): ReadonlyMap<string, string> {
  const nodes = new Map(base)
  const [uid = 0, gid = 0] = item.owner?.split(':').map(Number) ?? []
  const resolve = (path: string): string => {
    const found = base.get(path)
    if (found?.type !== 'symlink') return path
    return found.target?.replace(/^\//, '') ?? path
  }
  const place = (path: string, node: Node): void => {
    if (node.type === 'directory') {
      const at = resolve(path)
      const below = base.get(at)
      const mode = item.mode === 'preserve' ? node.mode : (below?.mode ?? 0o755)
      const owner = below && item.owner === undefined ? { uid: below.uid, gid: below.gid } : { uid, gid }
      if (at !== '') nodes.set(at, { ...directory, ...owner, mode })
      for (const [name, child] of node.children) place(at === '' ? name : `${at}/${name}`, child)
    } else if (node.type === 'symlink') {
      nodes.set(path, { type: 'symlink', mode: 0o777, uid, gid, mtime: 0, target: node.target })
    } else {
      const content = contentOf(node)
      const plain = node.mode & 0o100 ? 0o755 : 0o644
      const mode = item.mode === 'preserve' ? node.mode : plain
      const file: TreeNode = { type: 'file', mode, uid, gid, mtime: contentSecond(content), content }
      nodes.set(path, file)
      if (node.twin !== undefined)
        nodes.set(
          path.replace(/[^/]*$/, () => node.twin ?? ''),
          file,
        )
    }
  }
  const to = item.to.slice(1)
  if (to !== '')
    for (const [i] of Array.from(to.matchAll(/$|\//g)).entries())
      nodes.set(
        to
          .split('/')
          .slice(0, i + 1)
          .join('/'),
        directory,
      )
  place(to, item.tree)
  return new Map([...nodes].map(([path, node]) => [path, describeNode(node)]))
}

/** Paths that are one file, as sets; those of one name only are left out. */
function sameFiles(root: string, paths: Iterable<string>): readonly string[] {
  const byInode = new Map<number, string[]>()
  for (const path of paths) {
    const stats = lstatSync(join(root, path))
    if (stats.isFile() && stats.nlink > 1)
      byInode.set(stats.ino, [...(byInode.get(stats.ino) ?? []), path].sort())
  }
  return Array.from(byInode.values(), (names) => JSON.stringify(names)).sort()
}

let count = 0

async function check(item: Case, onBase: boolean): Promise<void> {
  count += 1
  const place = join(work, `case-${count}`)
  try {
    writeTree(place, folderOf({ tree: item.tree }))
    const layout = join(place, 'layout')
    await build({
      cwd: place,
      cacheDir: join(work, 'cache'),
      spec: {
        name: 'property',
        base: onBase ? `oci:${join(work, 'base')}` : 'scratch',
        platforms: ['linux/amd64'],
        compression: item.compression,
        layers: [
          {
            copy: 'tree',
            to: item.to,
            ...(item.owner !== undefined && { owner: item.owner }),
            hardLinks: item.hardLinks,
            ...(item.mode === 'preserve' && { mode: 'preserve' }),
          },
        ],
        metadata: 'none',
        created: 'epoch',
        outputs: [`oci:${layout}`],
      },
    })
    expect((await validateLayout(layout)).findings).toEqual([])
    const expected = Object.fromEntries([...expectedOf(item, onBase ? baseNodes : new Map())].sort())
    const unpacked = umociUnpack(layout, 'latest', join(place, 'bundle'))
    expect(Object.fromEntries([...readTree(unpacked)].sort())).toEqual(expected)
    const extracted = applyLayersWithTar(layout, 'latest', join(place, 'extracted'))
    // Extracting onto what a lower layer made moves the times of folders.
    const timeless = (tree: Readonly<Record<string, string>>): object =>
      Object.fromEntries(
        Object.entries(tree).map(([path, node]) => [path, node.replace(/^(directory .*) @\d+$/, '$1')]),
      )
    expect(timeless(Object.fromEntries([...readTree(extracted)].sort()))).toEqual(timeless(expected))
    for (const root of [unpacked, extracted]) {
      const linked = sameFiles(root, Object.keys(expected))
      if (item.hardLinks === 'copy') expect(linked).toEqual([])
      else expect(linked).toHaveLength(countTwins(item.tree))
    }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

function countTwins(node: Node): number {
  if (node.type === 'file') return node.twin === undefined ? 0 : 1
  if (node.type === 'symlink') return 0
  return Array.from(node.children.values()).reduce((sum, child) => sum + countTwins(child), 0)
}

describeWithPeers(`any tree (PROPERTY_SEED=${seed})`, ['umoci', 'tar'], () => {
  const settings = { seed, numRuns, interruptAfterTimeLimit: 20_000, endOnFailure: false } as const

  it.skipIf(process.getuid?.() !== 0)('comes back from an image on scratch', async () => {
    const tree = folder.filter(({ children }) => children.size > 0)
    const cases = fc.record({ tree, to: fc.constantFrom('/', '/app', '/deep/er'), ...choices })
    await fc.assert(
      fc.asyncProperty(cases, (item) => check(item, false)),
      settings,
    )
  })

  it.skipIf(process.getuid?.() !== 0)(
    'comes back from an image on a base, with the rest of the base',
    async () => {
      const cases = fc.record({ tree: aboveBase, to: fc.constant('/'), ...choices })
      await fc.assert(
        fc.asyncProperty(cases, (item) => check(item, true)),
        settings,
      )
    },
  )
})
