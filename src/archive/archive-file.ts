/** An archive as a file that can be read anywhere: found, checked, decompressed once where it is compressed. */

import { closeSync, mkdirSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { temporaryPath } from '../content/atomic-file.ts'
import { decompress, detectCompression } from '../content/decompress.ts'
import { diskError } from '../content/disk-error.ts'
import { OciBuildError, throwIfAborted } from '../errors.ts'
import { invalidArchive } from './archive-error.ts'
import type { FileRange } from './scan-tar.ts'

const chunkBytes = 256 * 1024

/**
 * The path of the archive as a plain tar: itself, or its decompressed copy, a new file in `spoolDir`, which the
 * caller removes with the folder. Throws `OCB-ARCHIVE-NOT-FOUND`, `OCB-ARCHIVE-INVALID`, `OCB-COMPRESSION-DAMAGED`,
 * `OCB-DISK-FULL`.
 */
export async function plainArchive(path: string, spoolDir: string, signal?: AbortSignal): Promise<string> {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) {
    throw new OciBuildError('OCB-ARCHIVE-NOT-FOUND', {
      message: `there is no archive at ${path}`,
      hint: 'check the path, or build the image first',
    })
  }
  if (stats.isDirectory())
    throw invalidArchive(path, 'it is a folder', `write oci:${path} for an image layout`)
  if (!stats.isFile()) throw invalidArchive(path, 'it is no regular file', 'save it to a file first')
  const type = detectCompression(readHead(path))
  if (type === 'none') return path
  mkdirSync(spoolDir, { recursive: true })
  const spooled = temporaryPath(spoolDir)
  try {
    const fd = openSync(spooled, 'wx', 0o600)
    try {
      for await (const chunk of decompress(readRange(path, { offset: 0, size: stats.size }), type)) {
        throwIfAborted(signal)
        for (let written = 0; written < chunk.length;) written += writeSync(fd, chunk, written)
      }
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    rmSync(spooled, { force: true })
    throw diskError(error, spooled)
  }
  return spooled
}

/** A part of a file, which is opened when the first bytes are asked for; ends early where the file does. */
export async function* readRange(path: string, range: FileRange): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const end = range.offset + range.size
    for (let offset = range.offset; offset < end;) {
      const length = Math.min(chunkBytes, end - offset)
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, offset)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
      offset += bytesRead
    }
  } finally {
    await file.close()
  }
}

/** The first bytes of a part of a file, at most 8. */
export function readHead(path: string, range: FileRange = { offset: 0, size: 8 }): Uint8Array {
  const fd = openSync(path, 'r')
  try {
    const head = Buffer.alloc(Math.min(8, range.size))
    return head.subarray(0, readSync(fd, head, 0, head.length, range.offset))
  } finally {
    closeSync(fd)
  }
}
