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

// Below these UTF-16's order is that of UTF-8's bytes, and strings can be compared as they are.
const needsBytes = /[\ud800-\uffff]/

export function sortEntries(entries: readonly ChangesetEntry[]): readonly ChangesetEntry[] {
  const keyed = entries.map((entry) => ({ key: sortKey(entry.path, entry.type), entry }))
  // Looked at once, not in every one of half a million comparisons.
  const compare = keyed.some(({ key }) => needsBytes.test(key)) ? compareBytes : compareUnits
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ entry }) => entry)
}

function compareUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
