/** What is told of a layer's entries when two makings of it are compared: all that decides its bytes, and who placed them. */

import type { LayerEntryType } from '../rootfs/tree-types.ts'
import { contentTimeOfHex } from '../tar/content-time.ts'
import type { Changeset } from './changeset.ts'

export interface EntryFacts {
  /** As in a changeset: for a whiteout the path that it hides, for an opaque marker its directory. */
  readonly path: string
  readonly type: LayerEntryType
  /** 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds. */
  readonly mtime: number
  /** Of links. */
  readonly target: string | undefined
  /** As JSON, sorted by name; undefined where there are none. */
  readonly xattrs: string | undefined
  /** The sha256 of a file's bytes, in hex. */
  readonly digest: string | undefined
  /** The spec entry that placed it; undefined for parents, and where it is not known. */
  readonly origin: string | undefined
}

/** The facts of a changeset, in its order. `contents` are the sha256 of its files in hex, in order. */
export function changesetFacts(changeset: Changeset, contents: readonly string[]): readonly EntryFacts[] {
  const times = new Map<string, number>()
  let file = 0
  return changeset.entries.map((entry) => {
    const { path, type, mode, uid, gid, origin } = entry
    const digest = type === 'file' ? contents[file++] : undefined
    const mtime =
      entry.mtime !== 'content'
        ? entry.mtime
        : digest === undefined
          ? (('target' in entry ? times.get(entry.target) : undefined) ?? 0)
          : contentTimeOfHex(digest)
    if (type === 'file') times.set(path, mtime)
    const target = 'target' in entry ? entry.target : undefined
    const xattrs = 'xattrs' in entry ? formatXattrs(entry.xattrs) : undefined
    return { path, type, mode, uid, gid, mtime, target, xattrs, digest, origin }
  })
}

export function formatXattrs(xattrs: Readonly<Record<string, string>> | undefined): string | undefined {
  if (xattrs === undefined || Object.keys(xattrs).length === 0) return undefined
  return JSON.stringify(Object.entries(xattrs).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
