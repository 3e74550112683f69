/** What changed from one lock to the next, for people. */

import type { LockChange } from '../build-types.ts'
import { compareBytes } from '../spec/json.ts'
import { formatLock } from './format-lock.ts'
import type { Lock, LockedReference } from './lock.ts'

/** Every reference of both, sorted. */
export function compareLocks(before: Lock | undefined, after: Lock): readonly LockChange[] {
  const keys = new Set([...(before?.references.keys() ?? []), ...after.references.keys()])
  return [...keys].toSorted(compareBytes).map((reference) => {
    const old = before?.references.get(reference)
    const now = after.references.get(reference)
    const change = { reference, before: old?.root.digest, after: now?.root.digest, facts: countFacts(now) }
    return { ...change, status: statusOf(old, now) }
  })
}

function statusOf(old: LockedReference | undefined, now: LockedReference | undefined): LockChange['status'] {
  if (now === undefined) return 'removed'
  if (old === undefined) return 'added'
  if (old.root.digest !== now.root.digest) return 'changed'
  const text = (one: LockedReference): string => formatLock({ references: new Map([['', one]]) })
  return text(old) === text(now) ? 'unchanged' : 'facts'
}

function countFacts(locked: LockedReference | undefined): number {
  const platforms = Array.from(locked?.platforms.values() ?? [])
  return platforms.reduce((sum, { facts }) => sum + facts.paths.size + facts.owners.size, 0)
}
