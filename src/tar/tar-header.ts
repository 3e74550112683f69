/** Tar headers: ustar (POSIX.1-1988), with PAX records (POSIX.1-2001) only where ustar cannot hold a value. */

import { encodePaxRecords } from './pax.ts'
import {
  fieldBytes,
  maxId,
  maxSizeOrTime,
  recordBytes,
  typeFlags,
  writeUstar,
  type SplitName,
  type UstarNumbers,
} from './ustar.ts'

/** Two records of zeros close an archive (POSIX pax, ustar Interchange Format). */
export const endOfArchiveBytes: number = 2 * recordBytes

export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'directory'

export interface TarEntry {
  /** Relative, without trailing slash (directories get theirs here); `''` is the root directory, written `./`. */
  readonly path: string
  readonly type: TarEntryType
  /** 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of content; 0 for all but files. */
  readonly size: number
  /** Whole seconds since the epoch. */
  readonly mtime: number
  /** Link name of symlinks and hard links. */
  readonly target?: string | undefined
  /** Extended attributes: name to base64 of the value; written as `SCHILY.xattr.NAME`. */
  readonly xattrs?: Readonly<Record<string, string>> | undefined
}

/** Bytes from the end of `size` bytes of content to the next record. */
export function paddingBytes(size: number): number {
  return (recordBytes - (size % recordBytes)) % recordBytes
}

/**
 * The complete header of an entry: one record, or three and more where PAX records come first. One record is written
 * into `scratch`, if that is given.
 */
export function encodeHeader(entry: TarEntry, scratch?: Buffer): Buffer {
  const name = entry.type === 'directory' ? `${entry.path === '' ? '.' : entry.path}/` : entry.path
  const { target = '' } = entry
  const split = splitName(name)
  // The hot path: tens of thousands of entries that ustar holds, without a thought of PAX.
  if (split !== undefined && fitsNumbers(entry) && fitsAscii(target, fieldBytes.linkName) && !entry.xattrs) {
    const header = scratch ?? Buffer.allocUnsafe(recordBytes)
    writeUstar(header, typeFlags[entry.type], split, target, entry)
    return header
  }
  return encodeWithPax(entry, name, split, target)
}

function fitsNumbers({ uid, gid, size, mtime }: UstarNumbers): boolean {
  return uid <= maxId && gid <= maxId && size <= maxSizeOrTime && mtime >= 0 && mtime <= maxSizeOrTime
}

function encodeWithPax(entry: TarEntry, name: string, split: SplitName | undefined, target: string): Buffer {
  const { uid, gid, size, mtime } = entry
  const pax: [string, string | Uint8Array][] = []
  if (split === undefined) pax.push(['path', name])
  if (!fitsAscii(target, fieldBytes.linkName)) pax.push(['linkpath', target])
  if (uid > maxId) pax.push(['uid', String(uid)])
  if (gid > maxId) pax.push(['gid', String(gid)])
  if (size > maxSizeOrTime) pax.push(['size', String(size)])
  if (mtime < 0 || mtime > maxSizeOrTime) pax.push(['mtime', String(mtime)])
  for (const [key, value] of Object.entries(entry.xattrs ?? {})) {
    pax.push([`SCHILY.xattr.${key}`, Buffer.from(value, 'base64')])
  }
  const records = encodePaxRecords(pax)
  // An empty set of xattrs is none.
  const paxBytes = pax.length === 0 ? 0 : recordBytes + records.length + paddingBytes(records.length)
  const header = Buffer.alloc(paxBytes + recordBytes)
  if (pax.length > 0) {
    const paxName = `PaxHeaders/${toAscii(name.replace(/\/$/, '').replace(/^.*\//s, ''))}`
    const numbers = { mode: 0o644, uid: 0, gid: 0, size: records.length, mtime: 0 }
    writeUstar(header, typeFlags.pax, { prefix: '', name: paxName.slice(0, fieldBytes.name) }, '', numbers)
    header.set(records, recordBytes)
  }
  const ustarName = split ?? { prefix: '', name: fallbackName(name) }
  const linkName = toAscii(target).slice(0, fieldBytes.linkName)
  writeUstar(header.subarray(paxBytes), typeFlags[entry.type], ustarName, linkName, entry)
  return header
}

/** A name as ustar's prefix and name, or undefined where ustar cannot hold it. */
function splitName(name: string): SplitName | undefined {
  if (fitsAscii(name, fieldBytes.name)) return { prefix: '', name }
  if (!fitsAscii(name, fieldBytes.prefix + 1 + fieldBytes.name)) return undefined
  // The last slash that leaves a prefix which fits; a directory's closing slash must not be the one.
  const slash = name.lastIndexOf('/', Math.min(fieldBytes.prefix, name.length - 2))
  if (slash <= 0 || name.length - slash - 1 > fieldBytes.name) return undefined
  return { prefix: name.slice(0, slash), name: name.slice(slash + 1) }
}

// NUL cannot stand in a name, so that a string without other characters is its own bytes.
const nonAscii = /[^\x01-\x7f]/

function fitsAscii(text: string, width: number): boolean {
  return text.length <= width && !nonAscii.test(text)
}

/**
 * The name field where PAX holds the name. Cut off after a slash, a file would be a directory to readers that know
 * no PAX but the old sign of a directory.
 */
function fallbackName(name: string): string {
  return toAscii(name).slice(0, fieldBytes.name).replace(/\/+$/, '')
}

/** What a reader without PAX sees in place of text that ustar cannot hold. */
function toAscii(text: string): string {
  return nonAscii.test(text) ? text.replaceAll(/[^\x01-\x7f]/gu, '_') : text
}
