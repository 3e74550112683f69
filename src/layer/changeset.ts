/** A layer as data: every entry that its tar will hold, in the order it will hold them. */

import type { FileSource, MtimeOf } from '../plan/placement.ts'

interface ChangesetEntryBase {
  /** Image path as it will stand in the tar, without trailing slash: `app/dist/a.js`; '' is the root directory. */
  readonly path: string
  /** 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** The spec entry that placed it; undefined for parents that were added. */
  readonly origin?: string | undefined
}

export type ChangesetEntry = ChangesetEntryBase &
  (
    | { readonly type: 'file'; readonly mtime: MtimeOf; readonly source: FileSource }
    | {
        readonly type: 'directory'
        readonly mtime: number
        readonly xattrs?: Readonly<Record<string, string>> | undefined
      }
    | { readonly type: 'symlink'; readonly mtime: number; readonly target: string }
    /** `target`: a path as in `path`, of a file earlier in the same changeset. */
    | { readonly type: 'hardlink'; readonly mtime: MtimeOf; readonly target: string }
    /** Hides `path` of lower layers: written as `.wh.NAME` (image-spec v1.1.1 layer.md, Whiteouts). */
    | { readonly type: 'whiteout'; readonly mtime: number }
    /** Hides what lower layers hold in `path`: written as `.wh..wh..opq` in it. */
    | { readonly type: 'opaque'; readonly mtime: number }
  )

/** Sorted, parents before children, no path twice but for an opaque marker beside its directory. */
export interface Changeset {
  readonly name: string
  readonly entries: readonly ChangesetEntry[]
}
