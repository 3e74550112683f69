/** What layers hold, as names: no bytes of files. */

export type LayerEntryType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'hardlink'
  | 'character'
  | 'block'
  | 'fifo'
  | 'whiteout'
  | 'opaque'

/** One entry of a layer's tar. */
export interface LayerEntry {
  /** Relative image path without `./` and trailing slash: `usr/bin/x`; '' is the root. For a whiteout the path that it hides, for an opaque marker its directory. */
  readonly path: string
  readonly type: LayerEntryType
  /** Permission bits with setuid, setgid and sticky (0 to 0o7777). */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds. */
  readonly mtime: number
  /** Bytes, of regular files. */
  readonly size: number
  /** A symlink's target as it stands; a hard link's relative image path. */
  readonly target?: string | undefined
  /** PAX `SCHILY.xattr.*`: name to base64 of the value. */
  readonly xattrs?: Readonly<Record<string, string>> | undefined
}

/** A name in the merged file system of several layers. */
export interface TreeNode extends LayerEntry {
  /** Position of the layer that holds it, 0 is the lowest. */
  readonly layer: number
  /** No layer has an entry for this directory: something below it implies it (0755, 0:0). */
  readonly implied?: true | undefined
}

/** Thrown where an answer depends on what lies in a directory that was closed. */
export class ClosedDirectory extends Error {
  constructor(path: string) {
    super(`what lies in /${path} is not known`)
  }
}

/** The merged file system of layers, lowest first (image-spec v1.1.1 layer.md, Applying Changesets). Paths as in LayerEntry. */
export interface Tree {
  /** The node at exactly this path (a symlink is not followed), '' included when a layer has an entry for it. */
  get(path: string): TreeNode | undefined
  has(path: string): boolean
  /** Names directly below a directory, in no order. */
  childNames(path: string): readonly string[]
  /** Whether there is nothing at all in it. */
  isEmpty(): boolean
  /**
   * The path with the symlinks of its parents followed inside the root; the last component only when
   * `followLast`. Parts that do not exist are kept as they are. Throws `OCB-PATH-LOOP` after 40 links.
   */
  resolve(path: string, options?: { readonly followLast?: boolean }): string
  /** Applies one more layer on top. */
  apply(entries: Iterable<LayerEntry>): void
  /** What lies in a directory is not known: whatever looks there throws `ClosedDirectory`. */
  close(path: string): void
  /** How many layers were applied. */
  readonly layers: number
}
