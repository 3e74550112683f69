/** Digests of files as one file of columns: tens of thousands of rows are looked up without an object for each. */

import { readFileSync } from 'node:fs'
import { sha256Bytes } from '../content/hash.ts'

/** What tells a file from what it was. */
export interface FileStat {
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly ino: number
}

/** Rows to come, in columns too. */
export interface NewRows {
  /** Of each row. One that comes twice is found by its stat. */
  readonly paths: readonly string[]
  readonly stats: readonly FileStat[]
  /** 32 bytes a row. */
  readonly digests: Uint8Array
}

/** Bytes of a sha256. */
export const digestBytes = 32

export interface DigestTable {
  /** Rows in it. */
  readonly count: number
  /** The row of a file with this path and stat. Fast for files that are asked for in the table's order, and for a few. */
  find(path: string, stat: FileStat): number | undefined
  /** 32 bytes, which nobody may change. */
  digestAt(row: number): Uint8Array
  /** The file of a table of those of these rows whose path is not among `rows`, and of `rows` after them. */
  encodeWith(rows: NewRows, keeps: (row: number) => boolean): Buffer
}

// Layout, little-endian: format and checksum of what follows; the number of rows, 8 bytes; for each row four numbers
// (size, mtimeMs, ctimeMs, ino); for each its digest, 32 bytes; for each where its path ends, 4 bytes; the paths, UTF-8.
const format = Buffer.from('ocibuild file digests 3\n')
const statNumbers = 4
const inoAt = 3
const headBytes = format.length + digestBytes
/** So many rows are looked for from end to end before an index of all paths pays. */
const searches = 64

interface Columns {
  readonly count: number
  readonly stats: Float64Array
  readonly digests: Uint8Array
  readonly ends: Uint32Array
  readonly paths: Buffer
}

const empty: Columns = {
  count: 0,
  stats: new Float64Array(0),
  digests: Buffer.alloc(0),
  ends: new Uint32Array(0),
  paths: Buffer.alloc(0),
}

/** A file that is not there, or damaged, is an empty table. */
export function readDigestTable(file: string): DigestTable {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch {
    return tableOf(empty)
  }
  return tableOf(parseColumns(bytes) ?? empty)
}

function parseColumns(bytes: Buffer): Columns | undefined {
  const body = bytes.subarray(headBytes)
  if (!bytes.subarray(0, format.length).equals(format)) return undefined
  if (!sha256Bytes(body).equals(bytes.subarray(format.length, headBytes))) return undefined
  const count = Number(body.readBigUInt64LE(0))
  const statsEnd = 8 + count * statNumbers * 8
  const digestsEnd = statsEnd + count * digestBytes
  const endsEnd = digestsEnd + count * 4
  return {
    count,
    // Copies: numbers must lie at multiples of their length.
    stats: new Float64Array(new Uint8Array(body.subarray(8, statsEnd)).buffer),
    // A plain view: those that are taken of a Buffer take five times as long.
    digests: new Uint8Array(body.buffer, body.byteOffset + statsEnd, count * digestBytes),
    ends: new Uint32Array(new Uint8Array(body.subarray(digestsEnd, endsEnd)).buffer),
    paths: body.subarray(endsEnd),
  }
}

function tableOf(columns: Columns): DigestTable {
  const { count, stats, digests, ends, paths } = columns
  const startOf = (row: number): number => (row === 0 ? 0 : (ends[row - 1] ?? 0))
  const pathAt = (row: number): string => paths.toString('utf8', startOf(row), ends[row])
  // All in one, where a character is a byte: to compare in it is faster than to make a string of each.
  let joined: string | undefined
  const isPathAt = (row: number, path: string): boolean => {
    joined ??= paths.toString('utf8')
    if (joined.length !== paths.length) return pathAt(row) === path
    const start = startOf(row)
    return ends[row] === start + path.length && joined.startsWith(path, start)
  }
  const isAt = (row: number, path: string, { size, mtimeMs, ctimeMs, ino }: FileStat): boolean => {
    const at = row * statNumbers
    return (
      stats[at] === size &&
      stats[at + 1] === mtimeMs &&
      stats[at + 2] === ctimeMs &&
      stats[at + inoAt] === ino &&
      isPathAt(row, path)
    )
  }
  let next = 0
  let searched = 0
  let byPath: ReadonlyMap<string, number> | undefined
  const search = (path: string, stat: FileStat): number | undefined => {
    searched += 1
    if (searched > searches) {
      byPath ??= new Map(Array.from({ length: count }, (_, row) => [pathAt(row), row]))
      const row = byPath.get(path)
      return row !== undefined && isAt(row, path, stat) ? row : undefined
    }
    for (let at = stats.indexOf(stat.ino); at >= 0; at = stats.indexOf(stat.ino, at + 1)) {
      const row = (at - inoAt) / statNumbers
      if (Number.isInteger(row) && isAt(row, path, stat)) return row
    }
    return undefined
  }
  return {
    count,
    find(path, stat) {
      if (count === 0) return undefined
      // Mostly the next one, or the last one again.
      const near = isAt(next, path, stat) ? next : isAt(next - 1, path, stat) ? next - 1 : undefined
      const row = near ?? search(path, stat)
      if (row !== undefined) next = row + 1
      return row
    },
    digestAt: (row) => digestOf(digests, row),
    encodeWith(rows, keeps) {
      const added = addedPaths(rows)
      const news = new Set(count === 0 ? [] : rows.paths)
      // Of most paths their length tells that they are none of the new ones.
      const lengths = new Set(count === 0 ? [] : added.lengths)
      const replaced = (row: number): boolean =>
        lengths.has((ends[row] ?? 0) - startOf(row)) && news.has(pathAt(row))
      const kept = runsOf(count, (row) => keeps(row) && !replaced(row))
      let [total, pathBytes] = [rows.paths.length, added.bytes.length]
      for (const [start, end] of kept) {
        total += end - start
        pathBytes += startOf(end) - startOf(start)
      }
      const made = {
        stats: new Float64Array(total * statNumbers),
        digests: Buffer.alloc(total * digestBytes),
        ends: new Uint32Array(total),
        paths: Buffer.alloc(pathBytes),
      }
      let [index, pathsEnd] = [0, 0]
      for (const [start, end] of kept) {
        made.stats.set(stats.subarray(start * statNumbers, end * statNumbers), index * statNumbers)
        made.digests.set(digests.subarray(start * digestBytes, end * digestBytes), index * digestBytes)
        made.paths.set(paths.subarray(startOf(start), startOf(end)), pathsEnd)
        const moved = pathsEnd - startOf(start)
        for (let row = start; row < end; row += 1) made.ends[index++] = (ends[row] ?? 0) + moved
        pathsEnd += startOf(end) - startOf(start)
      }
      made.paths.set(added.bytes, pathsEnd)
      for (const [row, stat] of rows.stats.entries()) {
        const at = index * statNumbers
        made.stats[at] = stat.size
        made.stats[at + 1] = stat.mtimeMs
        made.stats[at + 2] = stat.ctimeMs
        made.stats[at + inoAt] = stat.ino
        made.digests.set(digestOf(rows.digests, row), index * digestBytes)
        pathsEnd += added.lengths[row] ?? 0
        made.ends[index++] = pathsEnd
      }
      const head = Buffer.alloc(8)
      head.writeBigUInt64LE(BigInt(total))
      const numbers = [Buffer.from(made.stats.buffer), made.digests, Buffer.from(made.ends.buffer)]
      const body = Buffer.concat([head, ...numbers, made.paths])
      return Buffer.concat([format, sha256Bytes(body), body])
    },
  }
}

/** One after the other, and the bytes of each. */
function addedPaths({ paths }: NewRows): { readonly bytes: Buffer; readonly lengths: readonly number[] } {
  const joined = paths.join('')
  const bytes = Buffer.from(joined)
  const isAscii = bytes.length === joined.length
  return { bytes, lengths: paths.map((path) => (isAscii ? path.length : Buffer.byteLength(path))) }
}

function digestOf(digests: Uint8Array, row: number): Uint8Array {
  return digests.subarray(row * digestBytes, (row + 1) * digestBytes)
}

/** The rows that are taken, as ranges: from the first row on, up to the second. */
function runsOf(count: number, takes: (row: number) => boolean): readonly (readonly [number, number])[] {
  const runs: (readonly [number, number])[] = []
  let start = 0
  for (let row = 0; row <= count; row += 1) {
    if (row < count && takes(row)) continue
    if (start < row) runs.push([start, row])
    start = row + 1
  }
  return runs
}
