/** Trees that nobody would think of: names, links, sizes and modes for fast-check, and how to write them to the host. */

import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { oddNames } from '../helpers/fixture-tree.ts'

export type Node = FileNode | FolderNode | LinkNode

export interface FileNode {
  readonly type: 'file'
  readonly size: number
  /** What it is filled with. */
  readonly seed: string
  readonly mode: number
  /** Another name of this file, in the folder that it lies in. */
  readonly twin: string | undefined
}

export interface LinkNode {
  readonly type: 'symlink'
  readonly target: string
}

export interface FolderNode {
  readonly type: 'directory'
  readonly mode: number
  readonly children: ReadonlyMap<string, Node>
}

/** What Linux takes as a name, less what the contract refuses or keeps out. */
const anyName = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }) },
  { weight: 2, arbitrary: fc.constantFrom(...oddNames) },
  // At the widths of the ustar fields, and at the longest that Linux has.
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...'ab/é'.replace('/', '')), fc.constantFrom(90, 99, 100, 101, 120, 127))
      .map(([unit, count]) => unit.repeat(count)),
  },
)
const name = anyName.filter(isAllowed)

function isAllowed(text: string): boolean {
  if (['.', '..', '.git', '.ociignore', '.dockerignore'].includes(text)) return false
  return !/[/\0]|\.wh\./.test(text) && Buffer.byteLength(text) <= 255 && Buffer.from(text).toString() === text
}

const size = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 1, 511, 512, 513) },
  { weight: 6, arbitrary: fc.nat({ max: 5000 }) },
  { weight: 1, arbitrary: fc.constantFrom(262_144, 1_048_576, 1_048_577, 1_500_000) },
)

const target = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    fc.constantFrom('..', '../..', '/', '/etc/passwd', '/usr/bin', `${'up/'.repeat(50)}x`, 'é'.repeat(60)),
  )
  .filter((text) => !text.includes('\0') && Buffer.from(text).toString() === text)

const file: fc.Arbitrary<FileNode> = fc.record({
  type: fc.constant('file'),
  size,
  seed: fc.string({ minLength: 1 }),
  mode: fc.oneof(fc.constantFrom(0o644, 0o755, 0o600, 0o4755), fc.nat({ max: 0o7777 })),
  twin: fc.option(name, { nil: undefined, freq: 5 }),
})

const link: fc.Arbitrary<LinkNode> = fc.record({ type: fc.constant('symlink'), target })

/** Folders in folders, some of them empty. */
export const folder: fc.Arbitrary<FolderNode> = fc.letrec<{ folder: FolderNode; node: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 5, arbitrary: file },
    { weight: 2, arbitrary: link },
    { weight: 3, arbitrary: tie('folder') },
  ),
  folder: fc.record({
    type: fc.constant('directory'),
    mode: fc.constantFrom(0o755, 0o700, 0o1777, 0o2775),
    children: fc
      .uniqueArray(fc.tuple(name, tie('node')), { selector: ([key]) => key, maxLength: 6 })
      .map(withTwins),
  }),
})).folder

/** A twin gives way to a name that is there. */
function withTwins(pairs: readonly (readonly [string, Node])[]): ReadonlyMap<string, Node> {
  const names = new Set(pairs.map(([key]) => key))
  return new Map(
    pairs.map(([key, node]) => {
      if (node.type !== 'file' || node.twin === undefined) return [key, node]
      if (names.has(node.twin)) return [key, { ...node, twin: undefined }]
      names.add(node.twin)
      return [key, node]
    }),
  )
}

export function folderOf(children: Readonly<Record<string, Node>>): FolderNode {
  return { type: 'directory', mode: 0o755, children: new Map(Object.entries(children)) }
}

export function contentOf(node: FileNode): Buffer {
  return Buffer.alloc(node.size, node.seed)
}

export function writeTree(path: string, node: Node): void {
  switch (node.type) {
    case 'file':
      writeFileSync(path, contentOf(node))
      chmodSync(path, node.mode)
      if (node.twin !== undefined) linkSync(path, join(path, '..', node.twin))
      break
    case 'symlink':
      symlinkSync(node.target, path)
      break
    case 'directory':
      mkdirSync(path)
      for (const [child, below] of node.children) writeTree(join(path, child), below)
      chmodSync(path, node.mode)
  }
}
