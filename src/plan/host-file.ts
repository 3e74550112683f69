/** The host's files as the plan sees them: stat results, sources, readable errors. */

import { lstatSync, readdirSync, type Dirent, type Stats } from 'node:fs'
import { OciBuildError, messageOf, systemErrorCode } from '../errors.ts'
import type { FileSource } from './placement.ts'

/** What tells a file's type: the part that `Stats` and every `Dirent` share. */
export type TypeTeller = Pick<
  Stats,
  'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isSocket' | 'isFIFO' | 'isBlockDevice' | 'isCharacterDevice'
>

export type HostType = 'file' | 'directory' | 'symlink'

/** A regular file as a source of bytes; `stats` must be those of `path`. */
export function hostSourceOf(path: string, stats: Stats): FileSource {
  const { size, mtimeMs, ctimeMs, ino } = stats
  return { kind: 'host', path, size, mtimeMs, ctimeMs, ino }
}

/** Looks at a regular file and makes it a source. */
export function hostFileSource(path: string): FileSource {
  return hostSourceOf(path, readStats(path))
}

/** `lstat`. Throws `OCB-COPY-UNREADABLE`. */
export function readStats(path: string): Stats {
  try {
    return lstatSync(path)
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** `lstat`, or undefined where there is nothing. Throws `OCB-COPY-UNREADABLE`. */
export function statsIfPresent(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined
    throw unreadable(path, error)
  }
}

/** What lies directly in a folder, in no order. Throws `OCB-COPY-UNREADABLE`. */
export function readDirectory(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** The type of what can be copied. Throws `OCB-COPY-SPECIAL-FILE` for sockets, fifos and devices. */
export function hostTypeOf(path: string, stats: TypeTeller): HostType {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  const kind = stats.isSocket()
    ? 'a socket'
    : stats.isFIFO()
      ? 'a fifo'
      : stats.isBlockDevice() || stats.isCharacterDevice()
        ? 'a device'
        : 'no file, folder or link'
  throw new OciBuildError('OCB-COPY-SPECIAL-FILE', {
    message: `${path} is ${kind}; only files, folders and symlinks can be copied`,
    hint: 'exclude it, or remove it',
  })
}

export function unreadable(path: string, error: unknown): OciBuildError {
  const code = systemErrorCode(error)
  const gone = code === 'ENOENT' || code === 'ENOTDIR'
  return new OciBuildError('OCB-COPY-UNREADABLE', {
    message: `cannot read ${path}: ${code === undefined ? messageOf(error) : `${code}${gone ? ' (it went away while it was copied)' : ''}`}`,
    hint: gone
      ? 'let nothing write to the folder while the image is built'
      : 'make it readable for this user, or exclude it',
    cause: error,
  })
}
