/** The order of a layer's entries: by path components as bytes; in a directory its marker, the whiteouts, the rest. */

import { compareBytes } from '../spec/json.ts'
import type { ChangesetEntry } from './changeset.ts'

/**
 * A string that sorts as its path does. A slash becomes NUL, which no name holds and which is below every byte;
 * a second NUL puts markers and whiteouts before the names beside them.
 */
export function sortKey(path: string, type: ChangesetEntry['type'] = 'file'): string {
  if (type === 'opaque') return `${path.replaceAll('/', '\0')}${path === '' ? '' : '\0'}\0`
  const key = path.replaceAll('/', '\0')
  if (type !== 'whiteout') return key
  const name = key.lastIndexOf('\0') + 1
  return `${key.slice(0, name)}\0${key.slice(name)}`
}

const slash = 0x2f

export function sortEntries(entries: readonly ChangesetEntry[]): readonly ChangesetEntry[] {
  return entries.toSorted(compareEntries)
}

function compareEntries(a: ChangesetEntry, b: ChangesetEntry): number {
  // A key for each of tens of thousands would cost more than the order, which most have already.
  if (isPlain(a) && isPlain(b)) return comparePaths(a.path, b.path)
  return compareBytes(sortKey(a.path, a.type), sortKey(b.path, b.type))
}

function isPlain({ type }: ChangesetEntry): boolean {
  return type !== 'whiteout' && type !== 'opaque'
}

/** As `compareBytes` of their keys. */
function comparePaths(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let index = 0; index < shorter; index += 1) {
    const x = a.charCodeAt(index)
    const y = b.charCodeAt(index)
    if (x === y) continue
    if (x === slash) return -1
    if (y === slash) return 1
    return x < 0xd800 && y < 0xd800 ? x - y : compareBytes(a.slice(index), b.slice(index))
  }
  return a.length - b.length
}
