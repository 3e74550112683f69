/** The digests of host files, remembered by (path, size, mtime, ctime, inode). */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeMemory } from '../content/atomic-file.ts'
import { sha256 } from '../content/hash.ts'
import type { FileSource } from '../rootfs/file-source.ts'
import {
  digestBytes,
  readDigestTable,
  type DigestTable,
  type FileStat,
  type NewRows,
} from './digest-table.ts'
import { racyMs } from './racy-times.ts'

type HostSource = Extract<FileSource, { readonly kind: 'host' }>

/** Beyond this many files that the run did not ask for, the old ones are forgotten. */
const maxUnused = 200_000

export interface FileDigests {
  /** Whether no earlier run remembered anything: told without reading what it did. */
  isNew(): boolean
  /** The sha256, 32 bytes, when the file is the one that was hashed, by an earlier run or by this one. */
  lookup(source: HostSource): Uint8Array | undefined
  remember(source: HostSource, digest: Uint8Array): void
  /** Many whole files that are settled: 32 bytes each in `digests`, of those that have a 1 in `isFound`. */
  rememberAll(sources: readonly HostSource[], digests: Uint8Array, isFound: Uint8Array): void
  /** Whether another writing of the file would move its times: not where it was written just now. */
  isSettled(source: HostSource): boolean
  /** Writes what is new, atomically; the last of several processes wins, the others' files are hashed again. */
  save(): void
}

/**
 * Opens the memory of one project (`root` is an absolute host folder). It is read when it is first asked; a damaged one
 * is taken as empty.
 */
export function openFileDigests(filesDir: string, root: string, wallClockMs: () => number): FileDigests {
  const file = join(filesDir, `${sha256(root).slice('sha256:'.length, 32)}.bin`)
  let table: DigestTable | undefined
  const open = (): DigestTable => (table ??= readDigestTable(file))
  /** By row, of the table. */
  let used = new Uint8Array(0)
  const use = (row: number, { count }: DigestTable): void => {
    if (used.length !== count) used = new Uint8Array(count)
    used[row] = 1
  }
  const fresh = createFreshRows()
  const isSettled = ({ mtimeMs, ctimeMs }: HostSource): boolean =>
    Math.max(mtimeMs, ctimeMs) <= wallClockMs() - racyMs
  const add = (source: HostSource, digest: Uint8Array): void => {
    const known = open()
    const row = known.count === 0 ? undefined : known.find(source.path, source)
    if (row === undefined || Buffer.compare(known.digestAt(row), digest) !== 0) fresh.add(source, digest)
    else use(row, known)
  }
  return {
    isNew: () => !existsSync(file),
    isSettled,
    lookup(source) {
      const found = fresh.find(source)
      if (found !== undefined) return found
      const known = open()
      // To make up a path takes longer than all else.
      const row = known.count === 0 ? undefined : known.find(source.path, source)
      if (row === undefined) return undefined
      use(row, known)
      return known.digestAt(row)
    },
    remember(source, digest) {
      const isKept = source.temporary !== true && source.offset === undefined && isSettled(source)
      if (isKept) add(source, digest)
    },
    rememberAll(sources, digests, isFound) {
      if (open().count === 0 && !isFound.includes(0)) return fresh.addAll(sources, digests)
      for (const [index, source] of sources.entries()) {
        const digest = digests.subarray(index * digestBytes, (index + 1) * digestBytes)
        if (isFound[index] === 1) add(source, digest)
      }
    },
    save() {
      if (fresh.isEmpty()) return
      const known = open()
      const keepsUnused = used.reduce((count, isUsed) => count - isUsed, known.count) <= maxUnused
      writeMemory(
        file,
        known.encodeWith(fresh.rows(), (row) => keepsUnused || used[row] === 1),
      )
    },
  }
}

function isSameStat(one: FileStat, other: FileStat): boolean {
  return (
    one.size === other.size &&
    one.mtimeMs === other.mtimeMs &&
    one.ctimeMs === other.ctimeMs &&
    one.ino === other.ino
  )
}

/** What this run found: told by path only when somebody asks, which in most runs is at their end. */
function createFreshRows(): {
  add(source: HostSource, digest: Uint8Array): void
  addAll(sources: readonly HostSource[], digests: Uint8Array): void
  find(source: HostSource): Uint8Array | undefined
  isEmpty(): boolean
  rows(): NewRows
} {
  const paths = new Map<string, number>()
  let stats: HostSource[] = []
  let digests = new Uint8Array(64 * digestBytes)
  let told = 0
  let next = 0
  const tell = (): void => {
    for (const { path } of stats.slice(told)) {
      paths.set(path, told)
      told += 1
    }
  }
  const isAt = (row: number, source: HostSource): boolean => {
    const stat = stats[row]
    if (stat === source) return true
    return stat !== undefined && isSameStat(stat, source) && stat.path === source.path
  }
  const search = (source: HostSource): number | undefined => {
    tell()
    const row = paths.get(source.path)
    return row !== undefined && isAt(row, source) ? row : undefined
  }
  const makeRoom = (count: number): void => {
    const wanted = (stats.length + count) * digestBytes
    if (wanted <= digests.length) return
    const more = new Uint8Array(Math.max(digests.length * 2, wanted))
    more.set(digests)
    digests = more
  }
  return {
    add(source, digest) {
      makeRoom(1)
      digests.set(digest, stats.length * digestBytes)
      stats.push(source)
    },
    addAll(sources, added) {
      makeRoom(sources.length)
      digests.set(added, stats.length * digestBytes)
      stats = stats.concat(sources)
    },
    find(source) {
      if (stats.length === 0) return undefined
      // Mostly they are asked for in the order in which they came.
      const row = isAt(next, source) ? next : search(source)
      if (row === undefined) return undefined
      next = row + 1
      return digests.subarray(row * digestBytes, (row + 1) * digestBytes)
    },
    isEmpty: () => stats.length === 0,
    rows: () => ({ paths: stats.map(({ path }) => path), stats, digests }),
  }
}
