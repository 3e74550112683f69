/** Files that a command writes for the user. */

import { writeFileAtomic } from '../content/atomic-file.ts'
import { diskError } from '../content/disk-error.ts'

/** Writes a file whole or not at all. Throws `OCB-DISK-FULL`, `OCB-FILE-DENIED`, which name `path`. */
export function writeFileFor(path: string, text: string): void {
  try {
    writeFileAtomic(path, text)
  } catch (error) {
    throw diskError(error, path)
  }
}
