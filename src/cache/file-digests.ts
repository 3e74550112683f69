/** The digests of host files, remembered by (path, size, mtime, ctime, inode). */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../content/atomic-file.ts'
import { sha256, sha256Bytes } from '../content/hash.ts'
import type { FileSource } from '../rootfs/file-source.ts'

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
  const path = join(filesDir, `${sha256(root).slice('sha256:'.length, 32)}.bin`)
  let table: Table | undefined
  const open = (): Table => (table ??= readTable(path))
  const used = new Set<number>()
  const fresh = createFreshRows()
  const isSettled = ({ mtimeMs, ctimeMs }: HostSource): boolean =>
    Math.max(mtimeMs, ctimeMs) <= wallClockMs() - racyMs
  return {
    isSettled,
    lookup(source) {
      const row = fresh.get(source.path)
      if (row !== undefined && isSameFile(row.source, source)) return row.hex
      const known = open()
      const index = known.indexes.get(source.path)
      if (index === undefined || !isSame(known.stats, index, source)) return undefined
      used.add(index)
      return known.digests.toString('hex', index * digestBytes, (index + 1) * digestBytes)
    },
    remember(source, hex) {
      if (source.temporary === true || source.offset !== undefined) return
      if (!isSettled(source)) return
      const { indexes } = open()
      const index = indexes.size === 0 ? undefined : indexes.get(source.path)
      if (index !== undefined && used.has(index)) return
      fresh.add({ source, hex })
    },
    save() {
      if (fresh.isEmpty()) return
      writeFileAtomic(path, encodeTable(keptRows(open(), used, fresh.all())))
    },
  }
}

/** One remembered file; of `source` only the stat is kept. */
interface Row {
  readonly source: Pick<HostSource, 'size' | 'mtimeMs' | 'ctimeMs' | 'ino'>
  readonly hex: string
}

interface FreshRow extends Row {
  readonly source: HostSource
}

/** What this run found: told by path only when somebody asks, which in most runs is at their end. */
function createFreshRows(): {
  add(row: FreshRow): void
  get(path: string): Row | undefined
  isEmpty(): boolean
  all(): ReadonlyMap<string, Row>
} {
  const byPath = new Map<string, Row>()
  let added: FreshRow[] = []
  const all = (): ReadonlyMap<string, Row> => {
    for (const row of added) byPath.set(row.source.path, row)
    added = []
    return byPath
  }
  return {
    add: (row) => void added.push(row),
    get: (path) => all().get(path),
    isEmpty: () => added.length === 0 && byPath.size === 0,
    all,
  }
}

interface Table {
  /** Row by path. */
  readonly indexes: ReadonlyMap<string, number>
  /** Four numbers a row: size, mtimeMs, ctimeMs, ino. */
  readonly stats: Float64Array
  /** 32 bytes a row. */
  readonly digests: Buffer
}

// Tens of thousands of rows are compared on every build, so numbers are kept as numbers. Layout, little-endian:
// format and checksum of what follows; the number of rows, 8 bytes; stats; digests; paths with a NUL between them.
const format = Buffer.from('ocibuild file digests 2\n')
const digestBytes = 32
const statNumbers = 4
const statBytes = statNumbers * 8
const headBytes = format.length + digestBytes
const empty: Table = { indexes: new Map(), stats: new Float64Array(0), digests: Buffer.alloc(0) }

function isSame(stats: Float64Array, index: number, source: Row['source']): boolean {
  const at = index * statNumbers
  return (
    stats[at] === source.size &&
    stats[at + 1] === source.mtimeMs &&
    stats[at + 2] === source.ctimeMs &&
    stats[at + 3] === source.ino
  )
}

function isSameFile(one: Row['source'], other: Row['source']): boolean {
  return (
    one.size === other.size &&
    one.mtimeMs === other.mtimeMs &&
    one.ctimeMs === other.ctimeMs &&
    one.ino === other.ino
  )
}

function readTable(path: string): Table {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    return empty
  }
  const body = bytes.subarray(headBytes)
  if (!bytes.subarray(0, format.length).equals(format)) return empty
  if (!sha256Bytes(body).equals(bytes.subarray(format.length, headBytes))) return empty
  const count = Number(body.readBigUInt64LE(0))
  const statsEnd = 8 + count * statBytes
  const digestsEnd = statsEnd + count * digestBytes
  const paths = body.toString('utf8', digestsEnd).split('\0')
  return {
    indexes: new Map(paths.slice(0, count).map((name, index) => [name, index])),
    // A copy: numbers must lie at a multiple of eight.
    stats: new Float64Array(Uint8Array.from(body.subarray(8, statsEnd)).buffer),
    digests: body.subarray(statsEnd, digestsEnd),
  }
}

function encodeTable(rows: ReadonlyMap<string, Row>): Buffer {
  const count = Buffer.alloc(8)
  count.writeBigUInt64LE(BigInt(rows.size))
  const stats = new Float64Array(rows.size * statNumbers)
  const digests = Buffer.alloc(rows.size * digestBytes)
  let index = 0
  for (const { source, hex } of rows.values()) {
    stats.set([source.size, source.mtimeMs, source.ctimeMs, source.ino], index * statNumbers)
    digests.write(hex, index * digestBytes, 'hex')
    index += 1
  }
  const paths = Buffer.from(Array.from(rows.keys()).join('\0'))
  const body = Buffer.concat([count, Buffer.from(stats.buffer), digests, paths])
  return Buffer.concat([format, sha256Bytes(body), body])
}

/** What this run asked for and found, and the rest while it is not too much. */
function keptRows(
  known: Table,
  used: ReadonlySet<number>,
  fresh: ReadonlyMap<string, Row>,
): ReadonlyMap<string, Row> {
  const keepUnused = known.indexes.size - used.size <= maxUnused
  const rows = new Map<string, Row>()
  for (const [path, index] of known.indexes) {
    if (!keepUnused && !used.has(index)) continue
    const at = index * statNumbers
    const [size = 0, mtimeMs = 0, ctimeMs = 0, ino = 0] = known.stats.subarray(at, at + statNumbers)
    const hex = known.digests.toString('hex', index * digestBytes, (index + 1) * digestBytes)
    rows.set(path, { source: { size, mtimeMs, ctimeMs, ino }, hex })
  }
  for (const [path, row] of fresh) rows.set(path, row)
  return rows
}
