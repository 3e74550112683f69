/** The index of a layer's names as a file: checked by a digest of its own, and parsed like anything from outside. */

import { sha256 } from '../content/hash.ts'
import type { Digest } from '../spec/digest.ts'
import { isNormalName } from './entry-name.ts'
import type { LayerEntry, LayerEntryType } from './tree-types.ts'

/** Part of the first line; another number is another format, and the layer is read again. */
const formatVersion = 1

// A type is stored as its position: append only.
const types: readonly LayerEntryType[] = [
  'file',
  'directory',
  'symlink',
  'hardlink',
  'character',
  'block',
  'fifo',
  'whiteout',
  'opaque',
]

/**
 * One line `ocibuild-names VERSION LAYER-DIGEST BODY-DIGEST`, then a JSON list with one row an entry:
 * `[shared, rest, type, mode, uid, gid, mtime, size, target?, xattrs?]`, where `shared` counts the UTF-16 units
 * that the path has in common with the row before.
 */
export function formatNames(layer: Digest, entries: readonly LayerEntry[]): string {
  let previous = ''
  const rows = entries.map((entry) => {
    const { path } = entry
    let shared = 0
    while (shared < path.length && path.charCodeAt(shared) === previous.charCodeAt(shared)) shared += 1
    previous = path
    const row: unknown[] = [shared, path.slice(shared), types.indexOf(entry.type)]
    row.push(entry.mode, entry.uid, entry.gid, entry.mtime, entry.size)
    if (entry.target !== undefined || entry.xattrs) row.push(entry.target ?? null)
    if (entry.xattrs) row.push(Object.entries(entry.xattrs))
    return row
  })
  const body = JSON.stringify(rows)
  return `${firstLine(layer, sha256(body))}\n${body}`
}

/** The entries; undefined when the file is of another layer or format, or damaged. */
export function parseNames(layer: Digest, text: string): readonly LayerEntry[] | undefined {
  const newline = text.indexOf('\n')
  const body = text.slice(newline + 1)
  if (newline < 0 || text.slice(0, newline) !== firstLine(layer, sha256(body))) return undefined
  let rows: unknown
  try {
    rows = JSON.parse(body)
  } catch {
    return undefined
  }
  if (!Array.isArray(rows)) return undefined
  const entries: LayerEntry[] = []
  let previous = ''
  for (const row of rows) {
    const entry = parseRow(row, previous)
    if (!entry) return undefined
    entries.push(entry)
    previous = entry.path
  }
  return entries
}

function firstLine(layer: Digest, body: Digest): string {
  return `ocibuild-names ${formatVersion} ${layer} ${body}`
}

function parseRow(row: unknown, previous: string): LayerEntry | undefined {
  if (!Array.isArray(row)) return undefined
  const [shared, rest, typeIndex, mode, uid, gid, mtime, size, target, xattrs]: unknown[] = row
  const type = isWhole(typeIndex) ? types[typeIndex] : undefined
  if (!isWhole(shared) || shared > previous.length || typeof rest !== 'string' || !type) return undefined
  if (!isWhole(mode) || !isWhole(uid) || !isWhole(gid) || !isWhole(size)) return undefined
  if (typeof mtime !== 'number' || !Number.isSafeInteger(mtime)) return undefined
  const path = previous.slice(0, shared) + rest
  if (!isNormalName(path)) return undefined
  const entry = { path, type, mode, uid, gid, mtime, size }
  const isLink = type === 'hardlink' || type === 'symlink'
  if (isLink && typeof target !== 'string') return undefined
  if (target === undefined) return entry
  if (target !== null && typeof target !== 'string') return undefined
  if (target !== null && type === 'hardlink' && !isNormalName(target)) return undefined
  const withTarget = target === null ? entry : { ...entry, target }
  if (xattrs === undefined) return withTarget
  const parsed = parseXattrs(xattrs)
  return parsed && { ...withTarget, xattrs: parsed }
}

function parseXattrs(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!Array.isArray(value)) return undefined
  const pairs: [string, string][] = []
  for (const pair of value) {
    if (!Array.isArray(pair)) return undefined
    const [name, base64]: unknown[] = pair
    if (typeof name !== 'string' || typeof base64 !== 'string') return undefined
    pairs.push([name, base64])
  }
  return Object.fromEntries(pairs)
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
