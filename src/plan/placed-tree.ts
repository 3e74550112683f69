/** What a copy of a folder places, in columns: for tens of thousands of files, objects cost more than the walk. */

import { sep } from 'node:path'
import type { MtimeSpec, OwnerSpec } from '../config/resolved-spec.ts'
import { fileMtimeFor, otherMtimeFor } from './entry-metadata.ts'
import type { FileSource } from '../rootfs/file-source.ts'
import type { Placed, Placement } from './placement.ts'

export type HostSource = Extract<FileSource, { readonly kind: 'host' }>

/** A row's type is its place here. */
export const rowTypes = ['file', 'directory', 'symlink', 'hardlink'] as const

export type RowType = (typeof rowTypes)[number]

/** Numbers a row in `TreeColumns.stats`. */
export const statNumbers = 4

/** In `TreeColumns.modes`: the user named none. */
export const noMode = 0xffff

/** A row for each thing taken below a folder of the host, folders before what they hold, names in byte order. */
export interface TreeColumns {
  /** Absolute. */
  readonly hostFolder: string
  /** The last part of each path. */
  readonly names: readonly string[]
  /** The row of the folder that each lies in; -1 is `hostFolder` itself. */
  readonly parents: Int32Array
  readonly types: Uint8Array
  /** In the image: 0 to 0o7777, or `noMode`. */
  readonly modes: Uint16Array
  /** Of files, and of what else has the host's time: size in bytes, mtimeMs, ctimeMs, inode. Zeros for the rest. */
  readonly stats: Float64Array
  /** The newest mtimeMs or ctimeMs of its files; 0 where there are none. */
  readonly newestMs: number
  /** By row: of symlinks as they stand, of hard links the absolute image path. */
  readonly targets: ReadonlyMap<number, string>
  /** By row: absolute host paths of folders, and of files that lie elsewhere since a link was followed. */
  readonly hostPaths: ReadonlyMap<number, string>
}

/** Stands among placements for one of each row. */
export interface PlacedTree {
  readonly type: 'tree'
  /** Absolute image path of what `hostFolder` becomes; the folder itself is placed by another placement. */
  readonly path: string
  readonly origin: string
  readonly owner: OwnerSpec | undefined
  readonly mtime: MtimeSpec
  readonly columns: TreeColumns
}

/** The placements, of trees those that they stand for, in order. */
export function* eachPlacement(items: Iterable<Placed>): Generator<Placement> {
  for (const item of items) {
    if (item.type === 'tree') yield* treePlacements(item)
    else yield item
  }
}

/** The files of all trees. */
export function* treeFiles(items: Iterable<Placed>): Generator<HostSource> {
  const isFile = rowTypes.indexOf('file')
  for (const item of items) {
    if (item.type !== 'tree') continue
    const sourceOf = treeSources(item.columns)
    for (const [row, type] of item.columns.types.entries()) if (type === isFile) yield sourceOf(row)
  }
}

/** One placement a row. */
export function* treePlacements(tree: PlacedTree): Generator<Placement> {
  const paths = rowPaths(tree.columns, tree.path === '/' ? '/' : `${tree.path}/`)
  const sourceOf = treeSources(tree.columns)
  for (const [row, path] of paths.entries()) yield placementOf(tree, row, path, sourceOf)
}

/** The image path of each row; `top` stands before those that lie in the walked folder itself. */
export function rowPaths({ names, parents, types }: TreeColumns, top: string): readonly string[] {
  const directory = rowTypes.indexOf('directory')
  const prefixes = new Map<number, string>()
  let [lastParent, prefix] = [-1, top]
  return names.map((name, row) => {
    const parent = parents[row] ?? -1
    if (parent !== lastParent) {
      prefix = prefixes.get(parent) ?? top
      lastParent = parent
    }
    const path = prefix + name
    if (types[row] === directory) prefixes.set(row, `${path}/`)
    return path
  })
}

function placementOf(
  { columns, origin, owner, mtime }: PlacedTree,
  row: number,
  path: string,
  sourceOf: (row: number) => HostSource,
): Placement {
  const { types, modes, stats, targets } = columns
  const mode = modes[row] ?? noMode
  const mtimeMs = stats[row * statNumbers + 1] ?? 0
  const type = rowTypes[types[row] ?? 0] ?? 'file'
  switch (type) {
    case 'directory': {
      const seconds = otherMtimeFor(mtime, mtimeMs)
      const named = mode === noMode ? undefined : mode
      return { type: 'directory', path, origin, mode: named, owner, mtime: seconds, explicit: false }
    }
    case 'symlink':
      return {
        type: 'symlink',
        path,
        origin,
        target: targets.get(row) ?? '',
        owner,
        mtime: otherMtimeFor(mtime, mtimeMs),
      }
    case 'hardlink':
      return { type: 'hardlink', path, origin, target: targets.get(row) ?? '' }
    case 'file':
      return {
        type: 'file',
        path,
        origin,
        mode,
        owner,
        mtime: fileMtimeFor(mtime, mtimeMs),
        source: sourceOf(row),
      }
  }
}

/** Absolute. */
function hostPathOf({ hostFolder, names, parents, hostPaths }: TreeColumns, row: number): string {
  const own = hostPaths.get(row)
  if (own !== undefined) return own
  return prefixOf(hostPaths.get(parents[row] ?? -1) ?? hostFolder) + (names[row] ?? '')
}

/** The absolute host paths of rows: fast where they are asked for in order. */
export function hostPathsInOrder(columns: TreeColumns): (row: number) => string {
  const { hostFolder, names, parents, hostPaths } = columns
  let [lastParent, prefix] = [-1, prefixOf(hostFolder)]
  return (row) => {
    const own = hostPaths.get(row)
    if (own !== undefined) return own
    const parent = parents[row] ?? -1
    if (parent !== lastParent) {
      prefix = prefixOf(hostPaths.get(parent) ?? hostFolder)
      lastParent = parent
    }
    return prefix + (names[row] ?? '')
  }
}

function prefixOf(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep
}

/** Each is made once: whoever knows something of one need not ask for its path. */
const sourcesOf = new WeakMap<TreeColumns, (HostSource | undefined)[]>()

/** The sources of the files in rows. */
export function treeSources(columns: TreeColumns): (row: number) => HostSource {
  let sources = sourcesOf.get(columns)
  if (sources === undefined) {
    sources = Array.from(columns.names, () => undefined)
    sourcesOf.set(columns, sources)
  }
  const made = sources
  return (row) => (made[row] ??= new TreeFile(columns, row))
}

/** The source of a file in a tree: two words in place of a path and boxed numbers. */
class TreeFile {
  readonly columns: TreeColumns
  readonly row: number

  constructor(columns: TreeColumns, row: number) {
    this.columns = columns
    this.row = row
  }

  get kind(): 'host' {
    return 'host'
  }

  #path: string | undefined
  get path(): string {
    return (this.#path ??= hostPathOf(this.columns, this.row))
  }

  get size(): number {
    return this.#stat(0)
  }

  get mtimeMs(): number {
    return this.#stat(1)
  }

  get ctimeMs(): number {
    return this.#stat(2)
  }

  get ino(): number {
    return this.#stat(3)
  }

  #stat(index: number): number {
    return this.columns.stats[this.row * statNumbers + index] ?? 0
  }
}
