/** Where a file's bytes come from, before they are in a layer. */

import type { Digest } from '../spec/digest.ts'

export type FileSource =
  | {
      readonly kind: 'host'
      /** Absolute host path of a regular file. */
      readonly path: string
      /** Where the bytes begin, in a file of our own that holds those of many; default: they are the whole file. */
      readonly offset?: number | undefined
      /** Of the bytes. */
      readonly size: number
      /** With the size of a whole file, as `lstat` (or `stat`, when followed) saw them when the file was selected. */
      readonly mtimeMs: number
      readonly ctimeMs: number
      readonly ino: number
      /** The sha256 of the bytes where it is known already (unpacked archives, checked downloads). */
      readonly digest?: Digest | undefined
      /** A spooled copy that is gone after the build: never remembered by its stat. */
      readonly temporary?: boolean | undefined
    }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
