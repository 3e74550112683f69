/** What a walk takes, in columns: those of the last one, for as long as no folder that it looked into has changed. */

import { sha256 } from '../content/hash.ts'
import { statsIfPresent, type HostType, type ListingMemory } from './host-file.ts'
import { rowTypes, type TreeColumns } from './placed-tree.ts'
import { neverCopiedGlobs } from './excluded-paths.ts'
import { walkInto, type Taker, type WalkOptions } from './walk-folder.ts'

export type WalkedColumns = Pick<TreeColumns, 'names' | 'parents' | 'types' | 'hostPaths'>

/** What a walk took, and what it depended on. */
export interface TakenWalk extends Pick<TreeColumns, 'names' | 'parents' | 'types'> {
  /** Absolute host paths of the folders that it looked into, those that were not taken too. */
  readonly folders: readonly string[]
  /** Of each, its row; -1 where it has none. */
  readonly folderRows: Int32Array
  /** Of each, `folderNumbers` of before it was listed. */
  readonly folderStats: Float64Array
  /** How many names each pattern hid. */
  readonly hidden: readonly (readonly [pattern: string, count: number])[]
}

/** Of each folder in `folderStats`: device, inode, mtimeMs, ctimeMs. */
export const folderNumbers = 4

/** Remembers walks by what they were to take. */
export interface WalkMemory {
  find(key: string): TakenWalk | undefined
  /** Copies what it keeps: the columns are the caller's to change. */
  keep(key: string, walk: TakenWalk): void
}

export interface ColumnsOptions extends WalkOptions {
  /** Absent: the folder is walked. */
  readonly walks?: WalkMemory | undefined
}

/** As `walkInto`, of all of a folder. */
export function walkColumns(folder: string, options: ColumnsOptions): WalkedColumns {
  const { walks, followRoot, filter } = options
  // A link that is followed leads to where nobody looks for a change.
  if (walks === undefined || followRoot !== undefined) return walk(folder, options)
  const key = keyOf(folder, options)
  const known = walks.find(key)
  if (known !== undefined && isAsItWas(known)) {
    for (const [pattern, count] of known.hidden) filter?.log.add(pattern, count)
    return { ...known, hostPaths: hostPathsOf(known) }
  }
  const hiddenBefore = new Map(filter?.log.all().map(({ rule, count }) => [rule, count]))
  const seen: SeenFolders = { folders: [], numbers: [], isLinked: false }
  const columns = walk(folder, { ...options, listings: noting(seen, options.listings) })
  const hidden = filter?.log
    .all()
    .map(({ rule, count }) => [rule, count - (hiddenBefore.get(rule) ?? 0)] as const)
    .filter(([, count]) => count > 0)
  if (!seen.isLinked) walks.keep(key, takenWalk(columns, seen, hidden ?? []))
  return columns
}

/** All that decides what a walk takes, beside what lies on the host. */
function keyOf(folder: string, { filter, excluded, start }: WalkOptions): string {
  const { paths, parents } = excluded
  const rules = [filter?.id, start?.path, [...paths], [...parents], neverCopiedGlobs]
  return sha256(JSON.stringify([folder, ...rules])).slice('sha256:'.length)
}

function isAsItWas({ folders, folderStats }: TakenWalk): boolean {
  let at = 0
  for (const folder of folders) {
    const stats = statsIfPresent(folder)
    if (
      stats === undefined ||
      stats.dev !== folderStats[at] ||
      stats.ino !== folderStats[at + 1] ||
      stats.mtimeMs !== folderStats[at + 2] ||
      stats.ctimeMs !== folderStats[at + 3]
    )
      return false
    at += folderNumbers
  }
  return true
}

function hostPathsOf({ folders, folderRows }: TakenWalk): ReadonlyMap<number, string> {
  const hostPaths = new Map<number, string>()
  for (const [index, folder] of folders.entries()) {
    const row = folderRows[index] ?? -1
    if (row >= 0) hostPaths.set(row, folder)
  }
  return hostPaths
}

/** The folders that were looked into. */
interface SeenFolders {
  readonly folders: string[]
  /** Of each, `folderNumbers`. */
  readonly numbers: number[]
  /** Whether a link stands for one: its times say nothing. */
  isLinked: boolean
}

/** Notes each folder that is looked into, with its stat of before. */
function noting(seen: SeenFolders, listings: ListingMemory | undefined): ListingMemory {
  return {
    find(folder, stat) {
      seen.folders.push(folder)
      seen.numbers.push(stat.dev, stat.ino, stat.mtimeMs, stat.ctimeMs)
      if (!stat.isDirectory()) seen.isLinked = true
      return listings?.find(folder, stat)
    },
    keep: (folder, stat, listing) => listings?.keep(folder, stat, listing),
  }
}

function takenWalk(
  { names, parents, types, hostPaths }: WalkedColumns,
  { folders, numbers }: SeenFolders,
  hidden: TakenWalk['hidden'],
): TakenWalk {
  const rows = new Map(Array.from(hostPaths, ([row, path]) => [path, row]))
  const folderRows = Int32Array.from(folders, (folder) => rows.get(folder) ?? -1)
  return { names, parents, types, folders, folderRows, folderStats: Float64Array.from(numbers), hidden }
}

function walk(folder: string, options: WalkOptions): WalkedColumns {
  const names: string[] = []
  const parents: number[] = []
  const types: number[] = []
  const hostPaths = new Map<number, string>()
  const isFollowed = options.followRoot !== undefined
  const typeNumbers: Readonly<Record<HostType, number>> = {
    file: rowTypes.indexOf('file'),
    directory: rowTypes.indexOf('directory'),
    symlink: rowTypes.indexOf('symlink'),
  }
  const taker: Taker = {
    take(inside, name, _path, hostPath, type) {
      if (type === 'directory' || isFollowed) hostPaths.set(names.length, hostPath)
      names.push(name)
      parents.push(inside)
      types.push(typeNumbers[type])
    },
    takeBack() {
      names.pop()
      parents.pop()
      types.pop()
      hostPaths.delete(names.length)
    },
  }
  walkInto(folder, options, taker)
  return { names, parents: Int32Array.from(parents), types: Uint8Array.from(types), hostPaths }
}
