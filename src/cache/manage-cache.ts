/** The cache folder from outside: what it holds, and making it smaller beside builds that run. */

import { readdirSync, readFileSync, rmSync, statSync, type Dirent } from 'node:fs'
import { basename, join } from 'node:path'
import { isTemporaryName, removeStaleTemporaries } from '../content/atomic-file.ts'
import { systemErrorCode } from '../errors.ts'

/** What is remembered, by the folder that holds it. */
export type CacheKind =
  | 'blobs'
  | 'layers'
  | 'segments'
  | 'built'
  | 'files'
  | 'names'
  | 'packages'
  | 'facts'
  | 'tmp'

export interface CacheKindInfo {
  readonly kind: CacheKind
  readonly count: number
  readonly bytes: number
}

export interface CacheInfo {
  /** As it was given. */
  readonly dir: string
  readonly kinds: readonly CacheKindInfo[]
  readonly bytes: number
  /** When the longest unused item was used last, in milliseconds since the epoch; null for an empty cache. */
  readonly oldestUseMs: number | null
}

export interface PruneOptions {
  /** Removes the least recently used until what is left is at most this. */
  readonly maxBytes?: number | undefined
  /** Removes what was not used for longer than this. */
  readonly olderThanMs?: number | undefined
  /** Removes all that no build can be using. */
  readonly all?: boolean | undefined
  /** Milliseconds since the epoch. */
  readonly nowMs: number
}

export interface PruneResult {
  readonly removed: number
  readonly removedBytes: number
  readonly kept: number
  readonly keptBytes: number
  /** Of `kept`: items that would have gone but for a use within the last hour. */
  readonly inUse: number
}

/** A build may still need what was used this lately. */
export const protectedMs: number = 60 * 60 * 1000

const temporaryFolders = [
  '.',
  'content',
  'content/blobs/sha256',
  'layers',
  'segments',
  'built',
  'files',
  'names',
  'packages',
  'facts',
  'tmp',
]

interface Item {
  readonly kind: CacheKind
  readonly path: string
  readonly bytes: number
  /** The latest of mtime, atime (not of records) and, for a blob, the last use of the records that name it. */
  readonly lastUseMs: number
  /** Of a blob: the layer records that name it. */
  readonly records: readonly string[]
}

/** Counts what a cache folder holds; a folder that does not exist is empty. */
export function cacheInfo(dir: string): CacheInfo {
  const items = listItems(dir)
  const kinds: readonly CacheKind[] = [
    'blobs',
    'layers',
    'segments',
    'built',
    'files',
    'names',
    'packages',
    'facts',
    'tmp',
  ]
  return {
    dir,
    kinds: kinds.map((kind) => {
      const ofKind = items.filter((item) => item.kind === kind)
      return { kind, count: ofKind.length, bytes: sumBytes(ofKind) }
    }),
    bytes: sumBytes(items),
    oldestUseMs: items.length === 0 ? null : Math.min(...items.map((item) => item.lastUseMs)),
  }
}

/**
 * Removes from a cache folder, least recently used first. What was used within the last hour stays, so that
 * builds may run meanwhile; a layer's record goes before its blob, so that none finds a record without one.
 * What killed processes left behind goes in any case. Items that cannot be removed are kept and counted so.
 */
export function pruneCache(dir: string, options: PruneOptions): PruneResult {
  const { maxBytes, olderThanMs, all = false, nowMs } = options
  const before = listItems(dir)
  for (const folder of temporaryFolders) removeStaleTemporaries(join(dir, folder), nowMs)
  const items = listItems(dir).toSorted((a, b) => a.lastUseMs - b.lastUseMs)
  const bytesOf = new Map(items.map((item) => [item.path, item.bytes]))
  const gone = new Set<string>()
  let keptBytes = sumBytes(items)
  let removed = before.length - items.length
  let removedBytes = sumBytes(before) - keptBytes
  let inUse = 0
  for (const item of items) {
    // What is left of work in progress has a live owner.
    if (item.kind === 'tmp' || gone.has(item.path)) continue
    const ageMs = nowMs - item.lastUseMs
    const unwanted =
      all ||
      (olderThanMs !== undefined && ageMs > olderThanMs) ||
      (maxBytes !== undefined && keptBytes > maxBytes)
    if (!unwanted) continue
    if (ageMs < protectedMs) {
      inUse += 1
      continue
    }
    for (const path of [...item.records, item.path]) {
      if (gone.has(path) || !remove(path)) continue
      gone.add(path)
      const bytes = bytesOf.get(path) ?? 0
      removed += 1
      removedBytes += bytes
      keptBytes -= bytes
    }
  }
  return { removed, removedBytes, kept: items.length - gone.size, keptBytes, inUse }
}

function listItems(dir: string): Item[] {
  const layers = listFolder(join(dir, 'layers'), 'layers')
  const records = readRecords(layers)
  const blobs = ['sha256', 'sha512'].flatMap((algorithm) =>
    listFolder(join(dir, 'content', 'blobs', algorithm), 'blobs').map((item) => {
      const naming = records.get(`${algorithm}:${basename(item.path)}`)
      if (naming === undefined) return item
      const lastUseMs = Math.max(item.lastUseMs, ...naming.map((record) => record.lastUseMs))
      return { ...item, lastUseMs, records: naming.map((record) => record.path) }
    }),
  )
  return [
    ...blobs,
    ...layers,
    ...(['segments', 'built', 'files', 'names', 'packages', 'facts', 'tmp'] as const).flatMap((kind) =>
      listFolder(join(dir, kind), kind),
    ),
  ]
}

function listFolder(folder: string, kind: CacheKind): Item[] {
  const items: Item[] = []
  for (const name of namesIn(folder)) {
    const path = join(folder, name.name)
    if (name.isDirectory()) {
      items.push(...listFolder(path, kind))
      continue
    }
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats === undefined) continue
    // Records are read to be listed, so their atime says nothing; builds touch them on use.
    const lastUseMs = kind === 'layers' ? stats.mtimeMs : Math.max(stats.mtimeMs, stats.atimeMs)
    items.push({
      kind: isTemporaryName(name.name) ? 'tmp' : kind,
      path,
      bytes: stats.size,
      lastUseMs,
      records: [],
    })
  }
  return items
}

/** The layer records that name a digest, whatever else they say. */
function readRecords(records: readonly Item[]): Map<string, Item[]> {
  const byDigest = new Map<string, Item[]>()
  for (const record of records) {
    let text: string
    try {
      text = readFileSync(record.path, 'utf8')
    } catch {
      // Another process removed it: it names nothing.
      continue
    }
    for (const digest of new Set(text.match(/sha(?:256|512):[a-f0-9]{64,128}/g))) {
      const known = byDigest.get(digest)
      if (known === undefined) byDigest.set(digest, [record])
      else known.push(record)
    }
  }
  return byDigest
}

function namesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

function remove(path: string): boolean {
  try {
    rmSync(path, { force: true })
    return true
  } catch {
    // Windows keeps a file that somebody has open.
    return false
  }
}

function sumBytes(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + item.bytes, 0)
}
