/** Tar headers: ustar (POSIX.1-1988), with PAX records (POSIX.1-2001) only where ustar cannot hold a value. */

import { encodePaxRecords } from './pax.ts'

/** Bytes of a tar record: headers and contents are padded to multiples of it. */
export const recordBytes = 512
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

// Offset and width in bytes of each ustar field that is written or measured by itself.
const field = {
  name: [0, 100],
  mode: [100, 8],
  mtime: [136, 12],
  checksum: [148, 8],
  linkName: [157, 100],
  magic: [257, 8],
  deviceMajor: [329, 8],
  deviceMinor: [337, 8],
  prefix: [345, 155],
} as const

const typeFlags: Readonly<Record<TarEntryType | 'pax', string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  directory: '5',
  pax: 'x',
}

/** The largest values that the octal digits of ustar hold. */
const maxId = 0o7777777
const maxSizeOrTime = 0o77777777777

/** Bytes from the end of `size` bytes of content to the next record. */
export function paddingBytes(size: number): number {
  return (recordBytes - (size % recordBytes)) % recordBytes
}

/** The complete header of an entry: one record, or three and more where PAX records come first. */
export function encodeHeader(entry: TarEntry): Buffer {
  const name = entry.type === 'directory' ? `${entry.path === '' ? '.' : entry.path}/` : entry.path
  const { target = '' } = entry
  const split = splitName(name)
  // The hot path: tens of thousands of entries that ustar holds, without a thought of PAX.
  if (split !== undefined && fitsNumbers(entry) && fitsAscii(target, field.linkName[1]) && !entry.xattrs) {
    const header = Buffer.allocUnsafe(recordBytes)
    writeUstar(header, typeFlags[entry.type], split, target, entry)
    return header
  }
  return encodeWithPax(entry, name, split, target)
}

function fitsNumbers({ uid, gid, size, mtime }: Numbers): boolean {
  return uid <= maxId && gid <= maxId && size <= maxSizeOrTime && mtime >= 0 && mtime <= maxSizeOrTime
}

function encodeWithPax(entry: TarEntry, name: string, split: SplitName | undefined, target: string): Buffer {
  const { uid, gid, size, mtime } = entry
  const pax: [string, string | Uint8Array][] = []
  if (split === undefined) pax.push(['path', name])
  if (!fitsAscii(target, field.linkName[1])) pax.push(['linkpath', target])
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
    writeUstar(header, typeFlags.pax, { prefix: '', name: paxName }, '', numbers)
    header.set(records, recordBytes)
  }
  const ustarName = split ?? { prefix: '', name: fallbackName(name) }
  writeUstar(header.subarray(paxBytes), typeFlags[entry.type], ustarName, toAscii(target), entry)
  return header
}

type Numbers = Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'size' | 'mtime'>

interface SplitName {
  readonly prefix: string
  readonly name: string
}

/** What every record has: magic and version, no owner names, device numbers of zero. */
const template = Buffer.alloc(recordBytes)
template.write('ustar\u000000', field.magic[0], field.magic[1], 'latin1')
template.write(octal(0, field.deviceMajor[1]), field.deviceMajor[0], field.deviceMajor[1], 'latin1')
template.write(octal(0, field.deviceMinor[1]), field.deviceMinor[0], field.deviceMinor[1], 'latin1')

/** Writes one record over whatever the bytes held. */
function writeUstar(
  header: Buffer,
  typeFlag: string,
  split: SplitName,
  target: string,
  entry: Numbers,
): void {
  header.set(template)
  header.write(split.name, field.name[0], field.name[1], 'latin1')
  // Mode to type lie side by side: one write in place of seven, for tens of thousands of headers.
  const numbers =
    octal(entry.mode, 8) +
    octal(entry.uid > maxId ? 0 : entry.uid, 8) +
    octal(entry.gid > maxId ? 0 : entry.gid, 8) +
    octal(entry.size > maxSizeOrTime ? 0 : entry.size, 12) +
    octal(entry.mtime < 0 || entry.mtime > maxSizeOrTime ? 0 : entry.mtime, 12) +
    blankChecksum +
    typeFlag
  header.write(numbers, field.mode[0], numbers.length, 'latin1')
  if (target !== '') header.write(target, field.linkName[0], field.linkName[1], 'latin1')
  if (split.prefix !== '') header.write(split.prefix, field.prefix[0], field.prefix[1], 'latin1')
  writeChecksum(header)
}

/** Octal digits with leading zeros and a closing NUL, `width` bytes in all. */
function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`
}

/** The checksum's own bytes count as spaces. */
const blankChecksum = ' '.repeat(field.checksum[1])

/** The sum of all bytes, where the checksum's own are blank: six digits, NUL, space. */
function writeChecksum(header: Buffer): void {
  let sum = templateSum + sumOf(header, 0, field.linkName[0])
  // Most entries have neither, and then these are zeros.
  if (header[field.linkName[0]] !== 0) sum += sumOf(header, field.linkName[0], field.magic[0])
  if (header[field.prefix[0]] !== 0) sum += sumOf(header, field.prefix[0], recordBytes)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, field.checksum[0], field.checksum[1], 'latin1')
}

function sumOf(bytes: Buffer, start: number, end: number): number {
  let sum = 0
  for (let index = start; index < end; index += 1) sum += bytes[index] ?? 0
  return sum
}

/** What the constant parts of a record add. */
const templateSum = sumOf(template, 0, recordBytes)

/** A name as ustar's prefix and name, or undefined where ustar cannot hold it. */
function splitName(name: string): SplitName | undefined {
  if (fitsAscii(name, field.name[1])) return { prefix: '', name }
  if (!fitsAscii(name, field.prefix[1] + 1 + field.name[1])) return undefined
  // The last slash that leaves a prefix which fits; a directory's closing slash must not be the one.
  const slash = name.lastIndexOf('/', Math.min(field.prefix[1], name.length - 2))
  if (slash <= 0 || name.length - slash - 1 > field.name[1]) return undefined
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
  return toAscii(name).slice(0, field.name[1]).replace(/\/+$/, '')
}

/** What a reader without PAX sees in place of text that ustar cannot hold. */
function toAscii(text: string): string {
  return nonAscii.test(text) ? text.replaceAll(/[^\x01-\x7f]/gu, '_') : text
}

/** Sets the time in a header that `encodeHeader` made, in place; `mtime` must be one that ustar holds. */
export function patchTime(header: Buffer, mtime: number): void {
  const record = header.subarray(header.length - recordBytes)
  record.write(octal(mtime, field.mtime[1]) + blankChecksum, field.mtime[0], 20, 'latin1')
  writeChecksum(record)
}
