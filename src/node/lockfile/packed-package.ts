/** A package as it is kept: all its files in one, and what each is called. */

import { lstatSync, utimesSync } from 'node:fs'
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
  /** Where its bytes begin in the kept file. */
  readonly offset: number
}

export interface PackedPackage {
  /** In the order of the archive; a path may come again, and then the later one counts. */
  readonly members: readonly PackedMember[]
  sourceOf(member: PackedMember): FileSource
  read(member: PackedMember): Buffer
}

/** The file of a kept package's folder. */
export const packName = 'files'
/** Ends it, after the members as JSON and their length in 8 bytes (big-endian). */
export const packMark: Buffer = Buffer.from('ocibuild package 1\n')
export const trailerBytes: number = 8 + packMark.length

/** So often a use is noted, in milliseconds: what was not used for long is removed first. */
const notedMs = 24 * 60 * 60 * 1000

/** Undefined where there is none, or where what is there is not whole. `nowMs` is the time since the epoch. */
export function openPacked(folder: string, nowMs: number): PackedPackage | undefined {
  const path = join(folder, packName)
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined || stats.size < trailerBytes) return undefined
  const members = readMembers(path, stats.size)
  if (members === undefined) return undefined
  const { mtimeMs, ctimeMs, ino } = stats
  if (nowMs - mtimeMs > notedMs) noteUse(path, nowMs)
  const sourceOf = ({ offset, size, digest }: PackedMember): FileSource => ({
    kind: 'host',
    path,
    offset,
    size,
    mtimeMs,
    ctimeMs,
    ino,
    digest,
  })
  return {
    members,
    sourceOf,
    read: (member) => readSource(sourceOf(member)),
  }
}

function noteUse(path: string, nowMs: number): void {
  try {
    utimesSync(path, nowMs / 1000, nowMs / 1000)
  } catch {
    // A cache that is somebody else's is read all the same.
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
  const { path, type, mode, size, digest, offset } = value
  if (typeof path !== 'string' || (type !== 'file' && type !== 'directory')) return undefined
  if (typeof mode !== 'number' || typeof size !== 'number' || typeof offset !== 'number') return undefined
  return {
    path,
    type,
    mode,
    size,
    digest: typeof digest === 'string' && isDigest(digest) ? digest : undefined,
    offset,
  }
}
