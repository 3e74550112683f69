/** A lock as text: sorted, one line a fact, so that a diff tells what changed. */

import type { Owner } from '../rootfs/owners.ts'
import { compareBytes } from '../spec/json.ts'
import {
  lockVersion,
  type BaseFacts,
  type Lock,
  type LockedPlatform,
  type LockedReference,
  type PathFact,
} from './lock.ts'

/** JSON with a last newline; one lock has one text. */
export function formatLock(lock: Lock): string {
  const members = { lockVersion: `${lockVersion}`, references: block(lock.references, formatReference, 1) }
  return `${object(members, 0)}\n`
}

function formatReference({ root, platforms }: LockedReference): string {
  const { digest, mediaType, size } = root
  return object(
    {
      digest: JSON.stringify(digest),
      mediaType: JSON.stringify(mediaType),
      size: `${size}`,
      platforms: block(platforms, formatPlatform, 3),
    },
    2,
  )
}

function formatPlatform({ manifest, config, facts }: LockedPlatform): string {
  return object(
    { manifest: JSON.stringify(manifest), config: JSON.stringify(config), ...formatFacts(facts) },
    4,
  )
}

function formatFacts({ owners, paths, programs }: BaseFacts): Readonly<Record<string, string>> {
  const absolute = new Map(Array.from(paths, ([path, fact]) => [`/${path}`, fact]))
  return {
    ...(owners.size > 0 && { owners: block(owners, (ids) => JSON.stringify(formatOwner(ids)), 5) }),
    ...(programs.size > 0 && { programs: block(programs, (answer) => JSON.stringify(answer), 5) }),
    ...(paths.size > 0 && { paths: block(absolute, formatFact, 5) }),
  }
}

/** One line. */
function formatFact(fact: PathFact): string {
  if (fact === 'absent') return '"absent"'
  const { type, mode, target, xattrs, layer, listed } = fact
  const sorted = xattrs && Object.entries(xattrs).toSorted(([a], [b]) => compareBytes(a, b))
  return JSON.stringify({
    type,
    mode: mode.toString(8).padStart(4, '0'),
    owner: formatOwner(fact),
    target,
    layer,
    listed: listed === true ? true : undefined,
    xattrs: sorted && Object.fromEntries(sorted),
  })
}

function formatOwner({ uid, gid }: Owner): string {
  return `${uid}:${gid}`
}

function block<Value>(
  map: ReadonlyMap<string, Value>,
  format: (value: Value) => string,
  depth: number,
): string {
  const sorted = Array.from(map).toSorted(([a], [b]) => compareBytes(a, b))
  return lines(
    sorted.map(([key, value]) => [key, format(value)]),
    depth,
  )
}

function object(members: Readonly<Record<string, string>>, depth: number): string {
  return lines(Object.entries(members), depth)
}

/** An object whose values are text already; its members stand one level below `depth`. */
function lines(members: readonly (readonly [string, string])[], depth: number): string {
  if (members.length === 0) return '{}'
  const indent = '  '.repeat(depth + 1)
  const body = members.map(([key, value]) => `${indent}${JSON.stringify(key)}: ${value}`).join(',\n')
  return `{\n${body}\n${'  '.repeat(depth)}}`
}
