/** What walks of the host's folders took, each in a file named by what it was to take. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeMemory } from '../content/atomic-file.ts'
import { sha256Bytes } from '../content/hash.ts'
import { racyMs } from './racy-times.ts'

/** Rows of names, and the folders that decide whether they are still what would be taken. */
export interface TakenWalk {
  readonly names: readonly string[]
  readonly parents: Int32Array
  readonly types: Uint8Array
  readonly folders: readonly string[]
  readonly folderRows: Int32Array
  /** Of each folder: device, inode, mtimeMs, ctimeMs. */
  readonly folderStats: Float64Array
  readonly hidden: readonly (readonly [pattern: string, count: number])[]
}

export interface TakenWalks {
  /** Undefined too where the file is damaged. */
  find(key: string): TakenWalk | undefined
  /** Copies it. Nothing is kept where a folder changed so lately that it could change again without its times moving. */
  keep(key: string, walk: TakenWalk): void
  /** Writes what is new, atomically. */
  save(): void
}

const folderNumbers = 4

// The file: format, sha256 of the rest; the order of bytes, the number of rows and of folders and a zero, 4 bytes each;
// the columns as they lie in memory; names, folders and what was hidden, with NUL between them.
const format = Buffer.from('ocibuild walk 1\n')
const headBytes = format.length + 32
const countBytes = 16
const byteOrder = 1

/** `wallClockMs`: when this run began to look, in milliseconds since the epoch. */
export function openTakenWalks(dir: string, wallClockMs: () => number): TakenWalks {
  const pathOf = (key: string): string => join(dir, `${key}.walk`)
  const fresh = new Map<string, TakenWalk>()
  return {
    find(key) {
      const unsaved = fresh.get(key)
      if (unsaved !== undefined) return copyOf(unsaved)
      try {
        return decode(readFileSync(pathOf(key)))
      } catch {
        return undefined
      }
    },
    keep(key, walk) {
      const settledMs = wallClockMs() - racyMs
      // The last two of four are times.
      if (walk.folderStats.some((value, index) => index % folderNumbers > 1 && value > settledMs)) return
      fresh.set(key, copyOf(walk))
    },
    save() {
      for (const [key, walk] of fresh) {
        const text = [...walk.names, ...walk.folders, JSON.stringify(walk.hidden)].join('\0')
        // A name of Windows may be half a character, which UTF-8 cannot tell.
        if (!/\p{Surrogate}/u.test(text)) writeMemory(pathOf(key), encode(walk, text))
      }
      fresh.clear()
    },
  }
}

/** What is nobody else's to change: names and folders are nobody's. */
function copyOf(walk: TakenWalk): TakenWalk {
  return { ...walk, parents: walk.parents.slice(), types: walk.types.slice() }
}

function encode(
  { names, parents, types, folders, folderRows, folderStats }: TakenWalk,
  text: string,
): Buffer {
  const counts = Int32Array.of(byteOrder, names.length, folders.length, 0)
  const columns = [counts, folderStats, parents, folderRows, types].map(
    ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength),
  )
  const body = Buffer.concat([...columns, Buffer.from(text)])
  return Buffer.concat([format, sha256Bytes(body), body])
}

function decode(bytes: Buffer): TakenWalk | undefined {
  if (!bytes.subarray(0, format.length).equals(format)) return undefined
  // A copy begins where numbers may.
  const body = new Uint8Array(bytes.subarray(headBytes))
  if (!sha256Bytes(body).equals(bytes.subarray(format.length, headBytes))) return undefined
  const { buffer } = body
  const [order, rows = 0, count = 0] = new Int32Array(buffer, 0, countBytes / 4)
  if (order !== byteOrder) return undefined
  let at = countBytes
  const take = (length: number): number => {
    const start = at
    at += length
    return start
  }
  const folderStats = new Float64Array(buffer, take(count * folderNumbers * 8), count * folderNumbers)
  const parents = new Int32Array(buffer, take(rows * 4), rows)
  const folderRows = new Int32Array(buffer, take(count * 4), count)
  const types = new Uint8Array(buffer, take(rows), rows)
  const texts = Buffer.from(buffer, at).toString().split('\0')
  const hidden: unknown = JSON.parse(texts.pop() ?? '')
  const folders = texts.splice(rows)
  return { names: texts, parents, types, folders, folderRows, folderStats, hidden: readCounts(hidden) }
}

function readCounts(value: unknown): TakenWalk['hidden'] {
  if (!Array.isArray(value)) return []
  const counts: readonly unknown[] = value
  return counts.flatMap((pair) => {
    if (!Array.isArray(pair)) return []
    const [pattern, count]: readonly unknown[] = pair
    return typeof pattern === 'string' && typeof count === 'number' ? [[pattern, count] as const] : []
  })
}
