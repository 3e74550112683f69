/** A layer between placements and changeset: one entry a path, owners still as words. */

import type { OwnerSpec } from '../config/resolved-spec.ts'
import type { FileSource, MtimeOf } from '../plan/placement.ts'

/** An owner as the user wrote it, or as a lower layer has it. */
export type DraftOwner = OwnerSpec | { readonly uid: number; readonly gid: number } | undefined

interface DraftBase {
  /** undefined for parents that were added. */
  readonly origin: string | undefined
}

export type DraftEntry = DraftBase &
  (
    | {
        readonly type: 'file'
        readonly mode: number
        readonly owner: DraftOwner
        readonly mtime: MtimeOf
        readonly source: FileSource
      }
    | {
        readonly type: 'directory'
        /** undefined: as below, else 0755. */
        readonly mode: number | undefined
        readonly owner: DraftOwner
        readonly mtime: number
        readonly explicit: boolean
      }
    | {
        readonly type: 'symlink'
        readonly owner: DraftOwner
        readonly mtime: number
        readonly target: string
      }
    | { readonly type: 'hardlink'; /** Relative image path. */ readonly target: string }
  )

/** Keys are relative image paths, `''` is the root. */
export type Draft = Map<string, DraftEntry>

/** The folder of a relative image path; undefined for the root itself. */
export function parentOf(path: string): string | undefined {
  if (path === '') return undefined
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}
