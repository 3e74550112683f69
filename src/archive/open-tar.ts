/** A tar with its entries' places, and reading of small files in it. */

import { documentTooLarge, maxDocumentBytes } from '../spec/read-value.ts'
import { plainArchive, readRange } from './archive-file.ts'
import { findFile, scanTar, type ScannedTar } from './scan-tar.ts'

export interface OpenTar {
  /** As the user named it. */
  readonly path: string
  /** The plain tar: the same file, or its decompressed copy. */
  readonly file: string
  readonly entries: ScannedTar
  /** A small file whole; undefined when the tar has none of the name. Throws `OCB-DOCUMENT-TOO-LARGE`. */
  read(name: string): Promise<Uint8Array | undefined>
}

/** Opens and scans a tar; throws what `plainArchive` and `scanTar` throw. */
export async function openTar(
  path: string,
  spoolDir: string,
  signal: AbortSignal | undefined,
): Promise<OpenTar> {
  const file = await plainArchive(path, spoolDir, signal)
  const entries = scanTar(file, signal)
  return {
    path,
    file,
    entries,
    async read(name) {
      const range = findFile(entries, name)
      if (range === undefined) return undefined
      if (range.size > maxDocumentBytes) throw documentTooLarge(`${name} in ${path}`, range.size)
      const chunks: Uint8Array[] = []
      for await (const chunk of readRange(file, range)) chunks.push(chunk)
      return Buffer.concat(chunks)
    },
  }
}
