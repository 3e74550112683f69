/** The host's files as the plan sees them: stat results, sources, readable errors. */

import { lstatSync, readdirSync, type Dirent, type Stats } from 'node:fs'
import { OciBuildError, messageOf, systemErrorCode } from '../errors.ts'
import { compareBytes } from '../spec/json.ts'
import type { FileSource } from './placement.ts'

/** What tells a file's type: the part that `Stats` and every `Dirent` share. */
export type TypeTeller = Pick<
  Stats,
  'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isSocket' | 'isFIFO' | 'isBlockDevice' | 'isCharacterDevice'
>

export type HostType = 'file' | 'directory' | 'symlink'

/** What lies in a folder. */
export interface FolderListing {
  /** In byte order. */
  readonly names: readonly string[]
  /** A letter a name, `folderLetters`. */
  readonly types: string
}

/** `special`: what cannot be copied, see `hostTypeOf`. */
export const folderLetters = { file: 'f', directory: 'd', symlink: 'l', special: 's' } as const

/** Remembers what folders held, for as long as their stat is what it was. */
export interface ListingMemory {
  find(folder: string, stat: Stats): FolderListing | undefined
  /** `stat` is of before the folder was listed. */
  keep(folder: string, stat: Stats, listing: FolderListing): void
}

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

/** What lies directly in a folder, as far as possible from memory. Throws `OCB-COPY-UNREADABLE`. */
export function listFolder(path: string, memory: ListingMemory | undefined): FolderListing {
  if (memory === undefined) return readListing(path)
  const stat = readStats(path)
  const known = memory.find(path, stat)
  if (known !== undefined) return known
  const listing = readListing(path)
  // Of a link to a folder the times say nothing.
  if (stat.isDirectory()) memory.keep(path, stat, listing)
  return listing
}

function readListing(path: string): FolderListing {
  const entries = readDirectory(path).sort((a, b) => compareBytes(a.name, b.name))
  const letters = entries.map((entry) => folderLetters[listedType(entry)])
  return { names: entries.map(({ name }) => name), types: letters.join('') }
}

function listedType(entry: TypeTeller): keyof typeof folderLetters {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'directory'
  return entry.isSymbolicLink() ? 'symlink' : 'special'
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
