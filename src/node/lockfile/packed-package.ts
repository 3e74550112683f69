/** A package as it is kept: its small files in one file, native ones beside it, and what each is called. */

import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { isPlainObject } from '../../config/check-shape.ts'
import type { FileSource } from '../../rootfs/file-source.ts'
import { isDigest, type Digest } from '../../spec/digest.ts'
import { readSlice, readSource } from './read-source.ts'

export interface PackedMember {
  /** Below the package, with `/`. */
  readonly path: string
  readonly type: 'file' | 'directory'
  /** As the archive says, 0 to 0o7777. */
  readonly mode: number
  readonly size: number
  /** Of files. */
  readonly digest: Digest | undefined
  /** In the file of small ones; undefined for a file of its own. */
  readonly offset: number | undefined
  /** The name of a file of its own. */
  readonly file: string | undefined
}

export interface PackedPackage {
  /** In the order of the archive; a path may come again, and then the later one counts. */
  readonly members: readonly PackedMember[]
  sourceOf(member: PackedMember): FileSource
  read(member: PackedMember): Buffer
}

export const smallFiles = 'files'
/** Ends the file of small ones, after the members as JSON and their length in 8 bytes (big-endian). */
export const packMark: Buffer = Buffer.from('ocibuild package 1\n')
export const trailerBytes: number = 8 + packMark.length

/** Undefined where there is none, or where what is there is not whole. */
export function openPacked(folder: string): PackedPackage | undefined {
  const path = join(folder, smallFiles)
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined || stats.size < trailerBytes) return undefined
  const members = readMembers(path, stats.size)
  if (members === undefined) return undefined
  const { mtimeMs, ctimeMs, ino } = stats
  const own = new Map<string, FileSource>()
  for (const { file, size, digest } of members) {
    if (file === undefined) continue
    const found = lstatSync(join(folder, file), { throwIfNoEntry: false })
    if (found === undefined || found.size !== size) return undefined
    const { mtimeMs: mtime, ctimeMs: ctime, ino: inode } = found
    const where = { path: join(folder, file), mtimeMs: mtime, ctimeMs: ctime, ino: inode }
    own.set(file, { kind: 'host', ...where, size, digest })
  }
  const sourceOf = ({ file, offset = 0, size, digest }: PackedMember): FileSource =>
    (file === undefined ? undefined : own.get(file)) ??
    ({ kind: 'host', path, offset, size, mtimeMs, ctimeMs, ino, digest } as const)
  return {
    members,
    sourceOf,
    read: (member) => readSource(sourceOf(member)),
  }
}

function readMembers(path: string, fileBytes: number): readonly PackedMember[] | undefined {
  const trailer = readSlice(path, fileBytes - trailerBytes, trailerBytes)
  if (!trailer.subarray(8).equals(packMark)) return undefined
  const length = Number(trailer.readBigUInt64BE(0))
  if (length > fileBytes - trailerBytes) return undefined
  let value: unknown
  try {
    value = JSON.parse(readSlice(path, fileBytes - trailerBytes - length, length).toString('utf8'))
  } catch {
    return undefined
  }
  if (!Array.isArray(value)) return undefined
  const members = value.map(memberOf)
  return members.every((member) => member !== undefined) ? members : undefined
}

function memberOf(value: unknown): PackedMember | undefined {
  if (!isPlainObject(value)) return undefined
  const { path, type, mode, size, digest, offset, file } = value
  if (typeof path !== 'string' || (type !== 'file' && type !== 'directory')) return undefined
  if (typeof mode !== 'number' || typeof size !== 'number') return undefined
  return {
    path,
    type,
    mode,
    size,
    digest: typeof digest === 'string' && isDigest(digest) ? digest : undefined,
    offset: typeof offset === 'number' ? offset : undefined,
    file: typeof file === 'string' && /^\d+$/.test(file) ? file : undefined,
  }
}
