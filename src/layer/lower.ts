/** What lies below a layer while it is made: the base's files and those of the layers before it. */

import type { Tree } from '../rootfs/tree-types.ts'

export interface LowerFiles {
  readonly tree: Tree
  /** The bytes of a regular file or hard link at exactly this path. Throws `OCB-FILE-TOO-LARGE` over `maxBytes`. */
  readFile(path: string, maxBytes: number): Promise<Uint8Array>
}

/** Opens what lies below; called only by layers that must know it, since that may read a base. */
export type OpenLower = () => Promise<LowerFiles>
