/** What folders of the host held when they were last listed, remembered by (path, device, inode, mtime, ctime). */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeMemory } from '../content/atomic-file.ts'
import { sha256 } from '../content/hash.ts'
import { racyMs } from './racy-times.ts'

/** Of a folder: adding, removing and renaming what lies in it moves its times. */
export interface FolderStat {
  readonly dev: number
  readonly ino: number
  readonly mtimeMs: number
  readonly ctimeMs: number
}

export interface FolderListing {
  readonly names: readonly string[]
  /** A letter a name. */
  readonly types: string
}

export interface FolderListings {
  /** What the folder held, when it is the one that was listed, by an earlier run or by this one. */
  find(folder: string, stat: FolderStat): FolderListing | undefined
  /** `stat` must be of before the folder was listed. */
  keep(folder: string, stat: FolderStat, listing: FolderListing): void
  /** Writes what is new, atomically; the last of several processes wins, the others' folders are listed again. */
  save(): void
}

/** Beyond this many folders that the run did not ask for, the old ones are forgotten. */
const maxUnused = 50_000

/** The file: the sha256 of its second line, then that line, an array of rows. */
type Row = readonly [
  folder: string,
  dev: number,
  ino: number,
  mtimeMs: number,
  ctimeMs: number,
  names: string,
  types: string,
]

/**
 * Opens the memory of one project (`root` is an absolute host folder). It is read when it is first asked; a damaged one
 * is taken as empty.
 */
export function openFolderListings(dir: string, root: string, wallClockMs: () => number): FolderListings {
  const file = join(dir, `${sha256(root).slice('sha256:'.length, 32)}.json`)
  let known: Map<string, Row> | undefined
  const open = (): Map<string, Row> => (known ??= new Map(readRows(file).map((row) => [row[0], row])))
  const asked = new Set<string>()
  let isChanged = false
  return {
    find(folder, { dev, ino, mtimeMs, ctimeMs }) {
      asked.add(folder)
      const row = open().get(folder)
      if (row?.[1] !== dev || row[2] !== ino || row[3] !== mtimeMs || row[4] !== ctimeMs) return undefined
      return { names: row[5] === '' ? [] : row[5].split('/'), types: row[6] }
    },
    keep(folder, { dev, ino, mtimeMs, ctimeMs }, { names, types }) {
      if (Math.max(mtimeMs, ctimeMs) > wallClockMs() - racyMs) return
      open().set(folder, [folder, dev, ino, mtimeMs, ctimeMs, names.join('/'), types])
      isChanged = true
    },
    save() {
      if (!isChanged) return
      const rows = [...open().values()]
      const keepsUnused = rows.length - asked.size <= maxUnused
      const text = JSON.stringify(keepsUnused ? rows : rows.filter(([folder]) => asked.has(folder)))
      writeMemory(file, `${sha256(text)}\n${text}`)
      isChanged = false
    },
  }
}

function readRows(file: string): readonly Row[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return []
  }
  const end = text.indexOf('\n')
  const body = text.slice(end + 1)
  if (text.slice(0, end) !== sha256(body)) return []
  const value: unknown = JSON.parse(body)
  return Array.isArray(value) && value.every(isRow) ? value : []
}

function isRow(value: unknown): value is Row {
  if (!Array.isArray(value)) return false
  const [folder, dev, ino, mtimeMs, ctimeMs, names, types]: readonly unknown[] = value
  return (
    typeof folder === 'string' &&
    typeof dev === 'number' &&
    typeof ino === 'number' &&
    typeof mtimeMs === 'number' &&
    typeof ctimeMs === 'number' &&
    typeof names === 'string' &&
    typeof types === 'string'
  )
}
