/** What is told of a layer's entries when two makings of it are compared: all that decides its bytes, and who placed them. */

import type { LayerEntryType } from '../rootfs/tree-types.ts'

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

export function formatXattrs(xattrs: Readonly<Record<string, string>> | undefined): string | undefined {
  if (xattrs === undefined || Object.keys(xattrs).length === 0) return undefined
  return JSON.stringify(Object.entries(xattrs).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
