/** Reading the bytes of planned files, and noticing when one is no longer the file that was planned. */

import { closeSync, fstatSync, openSync, readSync, rmSync, type Stats } from 'node:fs'
import { createDigester } from '../content/hash.ts'
import { OciBuildError, messageOf } from '../errors.ts'
import type { FileSource } from '../rootfs/file-source.ts'

export type HostSource = Extract<FileSource, { readonly kind: 'host' }>

export function sourceSize(source: FileSource): number {
  return source.kind === 'host' ? source.size : source.bytes.length
}

/** Reads a whole file into `buffer` at `offset`, which must have room. Throws `OCB-FILE-CHANGED`, `OCB-FILE-UNREADABLE`. */
export function readWhole(source: FileSource, buffer: Buffer, offset: number): void {
  if (source.kind === 'bytes') buffer.set(source.bytes, offset)
  else readPart(source, 0, source.size, buffer, offset)
}

/** As `readWhole`, of `length` bytes from `start` on. */
export function readPart(
  source: HostSource,
  start: number,
  length: number,
  buffer: Buffer,
  offset: number,
): void {
  const file = open(source)
  try {
    let filled = 0
    while (filled < length) {
      const position = start === 0 ? positionIn(source, filled) : (source.offset ?? 0) + start + filled
      const count = readSync(file, buffer, offset + filled, length - filled, position)
      if (count === 0) throw changed(source, `it ended after ${start + filled} of ${source.size} bytes`)
      filled += count
    }
    checkUnchanged(source, fstatSync(file))
  } catch (error) {
    throw asBuildError(source, error)
  } finally {
    closeSync(file)
  }
}

/** A file read in pieces; `close` checks that it is still the planned one. */
export interface PieceReader {
  /** Fills `length` bytes of `buffer` from `offset` on with the next bytes. */
  read(buffer: Buffer, offset: number, length: number): void
  /** After the last piece. Throws `OCB-FILE-CHANGED`. */
  finish(): void
  close(): void
}

export function openPieces(source: FileSource): PieceReader {
  let position = 0
  if (source.kind === 'bytes') {
    return {
      read(buffer, offset, length) {
        buffer.set(source.bytes.subarray(position, position + length), offset)
        position += length
      },
      finish() {},
      close() {},
    }
  }
  const file = open(source)
  return {
    read(buffer, offset, length) {
      for (let filled = 0; filled < length;) {
        let count: number
        try {
          count = readSync(file, buffer, offset + filled, length - filled, positionIn(source, position))
        } catch (error) {
          throw asBuildError(source, error)
        }
        if (count === 0) throw changed(source, `it ended after ${position} of ${source.size} bytes`)
        filled += count
        position += count
      }
    },
    finish: () => checkUnchanged(source, fstatSync(file)),
    close: () => closeSync(file),
  }
}

/**
 * Finds the sha256 of a planned file in hex, reading pieces of `scratch`'s length and yielding between them: a file
 * of many gigabytes must not keep signals and timers waiting.
 */
export function* hashInPieces(source: FileSource, scratch: Buffer): Generator<undefined, string> {
  const digester = createDigester()
  const pieces = openPieces(source)
  try {
    for (let left = sourceSize(source); left > 0;) {
      const length = Math.min(left, scratch.length)
      pieces.read(scratch, 0, length)
      digester.update(scratch.subarray(0, length))
      left -= length
      if (left > 0) yield
    }
    pieces.finish()
  } finally {
    pieces.close()
  }
  return digester.digest().slice('sha256:'.length)
}

/**
 * Compares what was read (its sha256) with the digest that the source says. A file of the cache that holds other bytes
 * is removed, so that the next build makes it anew. Throws `OCB-CACHE-DAMAGED`.
 */
export function checkDigest(source: FileSource, digest: Uint8Array): void {
  if (source.kind !== 'host' || source.digest === undefined) return
  if (source.digest === `sha256:${Buffer.from(digest).toString('hex')}`) return
  const isKept = source.offset !== undefined
  if (isKept) rmSync(source.path, { force: true })
  throw new OciBuildError('OCB-CACHE-DAMAGED', {
    message: `${source.path} holds other bytes than those that were checked when it was written${isKept ? '; it was removed, and no output was changed' : ''}`,
    hint: isKept ? 'build again' : 'empty the cache folder with ocibuild cache prune --all, and build again',
  })
}

export function changed(source: FileSource, seen: string): OciBuildError {
  const path = source.kind === 'host' ? source.path : 'a file of the spec'
  return new OciBuildError('OCB-FILE-CHANGED', {
    message: `${path} changed while it was read: ${seen}`,
    hint: 'let whatever writes it finish first (a watcher, a build of prepare that still runs), then build again',
  })
}

function checkUnchanged(source: HostSource, now: Stats): void {
  const change = changeOf(source, now)
  if (change !== undefined) throw changed(source, change)
}

/** What tells a file from the planned one, in words; undefined where nothing does. */
export function changeOf(
  source: HostSource,
  now: Pick<Stats, 'size' | 'mtimeMs' | 'ino'>,
): string | undefined {
  if (source.offset !== undefined) {
    // A file of our cache is never written again, and its times say when it was used.
    return now.ino === source.ino ? undefined : 'its inode is another than when it was selected'
  }
  if (now.size !== source.size) return `${source.size} bytes when it was selected, ${now.size} now`
  // Not ctime: another install that links the same file of pnpm's store changes it, and no byte.
  return now.mtimeMs === source.mtimeMs && now.ino === source.ino
    ? undefined
    : 'its times or its inode are others than when it was selected'
}

/** null: the next bytes, which needs no seeking. */
function positionIn({ offset }: HostSource, done: number): number | null {
  return offset === undefined ? null : offset + done
}

function open(source: HostSource): number {
  try {
    return openSync(source.path, 'r')
  } catch (error) {
    throw asBuildError(source, error)
  }
}

function asBuildError(source: HostSource, error: unknown): OciBuildError {
  if (error instanceof OciBuildError) return error
  return new OciBuildError('OCB-FILE-UNREADABLE', {
    message: `cannot read ${source.path}: ${messageOf(error)}`,
    hint: 'check that it exists and that this user may read it',
    cause: error,
  })
}
