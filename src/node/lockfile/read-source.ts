/** The bytes of a package's file. */

import { closeSync, openSync, readSync } from 'node:fs'
import type { FileSource } from '../../rootfs/file-source.ts'

export function readSource(source: FileSource): Buffer {
  if (source.kind === 'bytes') return Buffer.from(source.bytes)
  return readSlice(source.path, source.offset ?? 0, source.size)
}

/** Throws what `node:fs` throws, and for a file that ends too early. */
export function readSlice(path: string, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  const file = openSync(path, 'r')
  try {
    for (let filled = 0; filled < size;) {
      const count = readSync(file, bytes, filled, size - filled, offset + filled)
      if (count === 0) throw new Error(`${path} ended after ${filled} of ${size} bytes`)
      filled += count
    }
  } finally {
    closeSync(file)
  }
  return bytes
}
