/** What lies below a layer while it is made: the base's files and those of the layers before it. */

import type { Rootfs } from '../rootfs/collect-files.ts'
import type { Owner } from '../rootfs/owners.ts'
import type { Tree } from '../rootfs/tree-types.ts'

export interface LowerFiles {
  readonly tree: Tree
  /** The bytes of a regular file or hard link at exactly this path. Throws `OCB-FILE-TOO-LARGE` over `maxBytes`. */
  readFile(path: string, maxBytes: number): Promise<Uint8Array>
  /** What is kept of the base's owners; undefined where nothing is, or layers above have users or groups of their own. */
  owners?: (() => OwnerMemory | undefined) | undefined
}

/** Owners by name, as the users and groups of a base make them: kept so that nobody need read its files again. */
export interface OwnerMemory {
  get(owner: string): Owner | undefined
  keep(owner: string, ids: Owner): void
}

/** A base, and what is kept of its owners. */
export interface BaseFiles extends Rootfs {
  readonly owners?: OwnerMemory | undefined
}

/**
 * Opens what lies below; called only by layers that must know it, since that may read a base. Of layers that are not made
 * anew only the top may be told, unless `whole` asks for all: what looks deeper throws `ClosedDirectory`.
 */
export type OpenLower = (whole?: boolean) => Promise<LowerFiles>
