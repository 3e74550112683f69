/** The digests of host files, remembered by (path, size, mtime, ctime, inode). */

import { join } from 'node:path'
import { writeFileAtomic } from '../content/atomic-file.ts'
import { sha256 } from '../content/hash.ts'
import type { FileSource } from '../rootfs/file-source.ts'
import { readDigestTable, type DigestRow, type DigestTable, type FileStat } from './digest-table.ts'

type HostSource = Extract<FileSource, { readonly kind: 'host' }>

/**
 * A file written within this time of being hashed could be written again without its times moving (coarse
 * file-system clocks), so it is not remembered.
 */
const racyMs = 2000
/** Beyond this many files that the run did not ask for, the old ones are forgotten. */
const maxUnused = 200_000

export interface FileDigests {
  /** The sha256 in hex, when the file is the one that was hashed, by an earlier run or by this one. */
  lookup(source: HostSource): string | undefined
  remember(source: HostSource, hex: string): void
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
  const used = new Set<number>()
  const fresh = createFreshRows()
  const isSettled = ({ mtimeMs, ctimeMs }: HostSource): boolean =>
    Math.max(mtimeMs, ctimeMs) <= wallClockMs() - racyMs
  return {
    isSettled,
    lookup(source) {
      const row = fresh.get(source.path)
      if (row !== undefined && isSameStat(row.stat, source)) return row.hex
      const known = open()
      const index = known.find(source.path, source)
      if (index === undefined) return undefined
      used.add(index)
      return known.hexAt(index)
    },
    remember(source, hex) {
      if (source.temporary === true || source.offset !== undefined) return
      if (!isSettled(source)) return
      const known = open()
      const index = known.count === 0 ? undefined : known.find(source.path, source)
      if (index === undefined || known.hexAt(index) !== hex) fresh.add(source, hex)
      else used.add(index)
    },
    save() {
      if (fresh.isEmpty()) return
      const known = open()
      const keepsUnused = known.count - used.size <= maxUnused
      writeFileAtomic(
        file,
        known.encodeWith(fresh.all(), (row) => keepsUnused || used.has(row)),
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
  add(source: HostSource, hex: string): void
  get(path: string): DigestRow | undefined
  isEmpty(): boolean
  all(): ReadonlyMap<string, DigestRow>
} {
  const byPath = new Map<string, DigestRow>()
  let added: (readonly [HostSource, string])[] = []
  const all = (): ReadonlyMap<string, DigestRow> => {
    for (const [source, hex] of added) byPath.set(source.path, { path: source.path, stat: source, hex })
    added = []
    return byPath
  }
  return {
    add: (source, hex) => void added.push([source, hex]),
    get: (path) => (added.length === 0 && byPath.size === 0 ? undefined : all().get(path)),
    isEmpty: () => added.length === 0 && byPath.size === 0,
    all,
  }
}
