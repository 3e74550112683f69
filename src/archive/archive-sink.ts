/** Where an archive's bytes go: a file that appears when it is whole, or a stream. */

import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { removeStaleTemporaries, temporaryPath } from '../content/atomic-file.ts'
import { diskError } from '../content/disk-error.ts'
import { OciBuildError, messageOf } from '../errors.ts'
import { invalidArchive } from './archive-error.ts'

export interface ArchiveSink {
  /** For messages. */
  readonly name: string
  /** The file that can be read back while it grows; undefined for streams. */
  readonly file: string | undefined
  write(chunk: Uint8Array): Promise<void>
  /** Takes back what came after `size` bytes; false where that cannot be done. */
  rewind(size: number): boolean
  /** Makes the archive visible. */
  commit(): Promise<void>
  abort(): void
}

/** A file, written under a temporary name beside it and renamed by `commit`. */
export function fileSink(path: string, nowMs: number): ArchiveSink {
  const final = resolveFinal(path)
  const temporary = temporaryPath(dirname(final))
  const guard = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw diskError(error, path)
    }
  }
  let fd: number | undefined = guard(() => {
    mkdirSync(dirname(final), { recursive: true, mode: 0o755 })
    removeStaleTemporaries(dirname(final), nowMs)
    return openSync(temporary, 'wx', 0o644)
  })
  const abort = (): void => {
    if (fd !== undefined) closeSync(fd)
    fd = undefined
    rmSync(temporary, { force: true })
  }
  const handle = (): number => {
    if (fd !== undefined) return fd
    throw new OciBuildError('OCB-ARCHIVE-CLOSED', { message: `${path} was closed and cannot be written to` })
  }
  return {
    name: path,
    file: temporary,
    write: async (chunk) =>
      guard(() => {
        for (let written = 0; written < chunk.length;) written += writeSync(handle(), chunk, written)
      }),
    rewind(size) {
      // Writes go on at the file's position, so they have to be told where.
      closeSync(handle())
      fd = openSync(temporary, 'r+')
      ftruncateSync(fd, size)
      closeSync(fd)
      fd = openSync(temporary, 'a')
      return true
    },
    async commit() {
      try {
        guard(() => {
          fdatasyncSync(handle())
          closeSync(handle())
          fd = undefined
          renameSync(temporary, final)
        })
      } catch (error) {
        abort()
        throw error
      }
    },
    abort,
  }
}

/** A stream, which stays open: it belongs to the caller. */
export function streamSink(stream: Writable): ArchiveSink {
  const name = 'the output stream'
  let failure: unknown
  stream.on('error', (error) => {
    failure ??= error
  })
  return {
    name,
    file: undefined,
    async write(chunk) {
      // Waiting for each chunk's callback holds no more than one in memory, and hears of every error.
      await new Promise<void>((resolve, reject) => {
        if (failure !== undefined || stream.destroyed) return reject(closed(failure))
        const onClose = (): void => reject(closed(failure))
        stream.once('close', onClose)
        stream.write(chunk, (error) => {
          stream.off('close', onClose)
          if (error) reject(closed(error))
          else resolve()
        })
      })
    },
    rewind: () => false,
    commit: async () => undefined,
    abort: () => undefined,
  }
}

function closed(cause: unknown): OciBuildError {
  const why = cause === undefined ? 'it was closed' : messageOf(cause)
  return new OciBuildError('OCB-OUTPUT-CLOSED', {
    message: `cannot write the archive to the output stream: ${why}`,
    hint: 'check the program that reads it, or write to a file',
    cause,
  })
}

/** Where the file will lie: links are followed, so that what they point at is replaced and not the link. */
function resolveFinal(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return path
  if (stats.isDirectory()) throw invalidArchive(path, 'it is a folder', 'name a file, or write oci:DIR')
  if (!stats.isFile()) throw invalidArchive(path, 'it is no regular file', 'write to - and redirect it')
  return realpathSync(path)
}
