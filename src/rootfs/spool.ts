/** Where the bytes of unpacked files wait: numbered files in a folder of their own, small ones in memory. */

import { closeSync, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryPath } from '../content/atomic-file.ts'
import { createDigester } from '../content/hash.ts'
import type { ByteStream } from '../content/store.ts'
import type { FileSource } from './file-source.ts'

/** A file of at most this many bytes is kept in memory, */
const maxSmallBytes = 64 * 1024
/** until the small ones together have this many. */
const maxMemoryBytes = 32 * 1024 * 1024

export interface Spool {
  /** Takes a file's bytes. No name from an archive ever becomes a name on this machine. */
  add(content: ByteStream, size: number): Promise<FileSource>
}

/** A spool in `directory`, which the caller removes when the build is over. */
export function createSpool(directory: string): Spool {
  let folder: string | undefined
  let count = 0
  let memoryBytes = 0

  async function addFile(content: ByteStream): Promise<FileSource> {
    if (folder === undefined) {
      folder = temporaryPath(directory)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
    }
    count += 1
    const path = join(folder, String(count))
    const file = openSync(path, 'wx', 0o600)
    try {
      const digester = createDigester()
      for await (const chunk of content) {
        digester.update(chunk)
        for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at)
      }
      const { size, mtimeMs, ctimeMs, ino } = fstatSync(file)
      const digest = digester.digest()
      return { kind: 'host', path, size, mtimeMs, ctimeMs, ino, digest, temporary: true }
    } finally {
      closeSync(file)
    }
  }

  return {
    async add(content, size) {
      if (size > maxSmallBytes || memoryBytes + size > maxMemoryBytes) return addFile(content)
      const chunks: Uint8Array[] = []
      for await (const chunk of content) chunks.push(chunk)
      // A copy, so that a small file does not hold on to the large chunk it was cut from.
      const bytes = Uint8Array.from(Buffer.concat(chunks))
      memoryBytes += bytes.length
      return { kind: 'bytes', bytes }
    },
  }
}
