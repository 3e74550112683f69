/** Two makings of a layer, entry by entry: how many differ, and the first that does. */

import { compareBytes } from '../spec/json.ts'
import { contentTimeOfHex } from '../tar/content-time.ts'
import type { EntryFacts } from './entry-facts.ts'
import { sortKey } from './sort-entries.ts'

/** What of an entry is another. */
export type Aspect = 'type' | 'content' | 'target' | 'mode' | 'owner' | 'xattrs' | 'mtime'

export interface EntryDifference {
  /** undefined: it was added. */
  readonly before: EntryFacts | undefined
  /** undefined: it was removed. */
  readonly after: EntryFacts | undefined
  /** Empty where it was added or removed. */
  readonly aspects: readonly Aspect[]
}

export interface LayerDifference {
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** The first in the order of layers; undefined where no entry differs. */
  readonly first: EntryDifference | undefined
}

export function compareLayers(before: Iterable<EntryFacts>, after: Iterable<EntryFacts>): LayerDifference {
  // A name may come twice in a tar of somebody else's: the later one counts.
  const old = new Map(Array.from(before, (entry) => [keyOf(entry), entry]))
  let [added, changed] = [0, 0]
  let first: { readonly key: string; readonly difference: EntryDifference } | undefined
  const note = (key: string, difference: EntryDifference): void => {
    if (first === undefined || compareBytes(key, first.key) < 0) first = { key, difference }
  }
  for (const entry of after) {
    const key = keyOf(entry)
    const was = old.get(key)
    old.delete(key)
    if (was === undefined) {
      added += 1
      note(key, { before: undefined, after: entry, aspects: [] })
      continue
    }
    const aspects = aspectsOf(was, entry)
    if (aspects.length === 0) continue
    changed += 1
    note(key, { before: was, after: entry, aspects })
  }
  for (const [key, entry] of old) note(key, { before: entry, after: undefined, aspects: [] })
  return { added, removed: old.size, changed, first: first?.difference }
}

/** A whiteout and an opaque marker stand beside what has the same path. */
function keyOf({ path, type }: EntryFacts): string {
  return sortKey(path, type === 'whiteout' || type === 'opaque' ? type : 'file')
}

function aspectsOf(before: EntryFacts, after: EntryFacts): readonly Aspect[] {
  // A file that became a link differs in all the rest too, which says nothing more.
  if (before.type !== after.type) return ['type']
  const aspects: Aspect[] = []
  if (before.digest !== after.digest) aspects.push('content')
  if (before.target !== after.target) aspects.push('target')
  if (before.mode !== after.mode) aspects.push('mode')
  if (before.uid !== after.uid || before.gid !== after.gid) aspects.push('owner')
  if (before.xattrs !== after.xattrs) aspects.push('xattrs')
  if (before.mtime !== after.mtime && !(followsContent(before) && followsContent(after))) {
    aspects.push('mtime')
  }
  return aspects
}

/** Its time is made of its content, so another one is no difference of its own. */
function followsContent({ digest, mtime }: EntryFacts): boolean {
  return digest !== undefined && mtime === contentTimeOfHex(digest)
}
