/** What spec entries put into a layer, before the image's own parents, links and owners are looked at. */

import type { MtimeSpec, OwnerSpec, Compression } from '../config/resolved-spec.ts'
import type { FileSource } from '../rootfs/file-source.ts'
import type { PlacedTree } from './placed-tree.ts'

export type { FileSource }

interface PlacementBase {
  /** Absolute image path, normalised: `/app/dist/a.js`; no trailing slash, no `.` or `..`. `/` is the root. */
  readonly path: string
  /** The spec entry that placed it: `layers[1].entries[0]`. */
  readonly origin: string
}

export type Placement = PlacementBase &
  (
    | {
        readonly type: 'file'
        readonly mode: number
        readonly owner: OwnerSpec | undefined
        readonly mtime: MtimeOf
        readonly source: FileSource
      }
    | {
        readonly type: 'directory'
        /** undefined where the user named none: what a lower layer's directory has there, else 0755. */
        readonly mode: number | undefined
        readonly owner: OwnerSpec | undefined
        readonly mtime: MtimeOf
        /** The user wrote a `directory` entry for this very path. */
        readonly explicit: boolean
      }
    | {
        readonly type: 'symlink'
        readonly target: string
        readonly owner: OwnerSpec | undefined
        readonly mtime: MtimeOf
      }
    /** `target` is an absolute image path in the same layer. */
    | { readonly type: 'hardlink'; readonly target: string }
    | { readonly type: 'remove' }
    | { readonly type: 'opaque' }
    | { readonly type: 'append'; readonly source: FileSource }
  )

/** What entries place: one thing, or many in one. */
export type Placed = Placement | PlacedTree

/** Seconds, or from the content (`content` holds for regular files only; all else is then the epoch). */
export type MtimeOf = number | 'content'

export type { MtimeSpec }

/** A layer as planned: what each entry of the spec puts where, in the spec's order (a later one wins); see `eachPlacement`. */
export interface PlannedLayer {
  readonly name: string
  readonly at: string
  readonly compression: Compression
  readonly placements: readonly Placed[]
}

/** A pattern that hid something, for `plan`. */
export interface HiddenBy {
  readonly layer: string
  /** `.dockerignore:3 "dist"`, `exclude "*.map"`. */
  readonly rule: string
  /** How many files and folders it hid at the top of what it hid. */
  readonly count: number
}
