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
  const pax: [string, string | Uint8Array][] = []
  if (split === undefined) pax.push(['path', name])
  if (!fitsAscii(target, field.linkName[1])) pax.push(['linkpath', target])
  if (entry.uid > maxId) pax.push(['uid', String(entry.uid)])
  if (entry.gid > maxId) pax.push(['gid', String(entry.gid)])
  if (entry.size > maxSizeOrTime) pax.push(['size', String(entry.size)])
  if (entry.mtime < 0 || entry.mtime > maxSizeOrTime) pax.push(['mtime', String(entry.mtime)])
  for (const [key, value] of Object.entries(entry.xattrs ?? {})) {
    pax.push([`SCHILY.xattr.${key}`, Buffer.from(value, 'base64')])
  }
  const parts = split ?? { prefix: '', name: fallbackName(name) }
  const values = { ...parts, target: toAscii(target), entry }
  if (pax.length === 0) {
    const header = Buffer.allocUnsafe(recordBytes)
    writeUstar(header, typeFlags[entry.type], values)
    return header
  }
  const records = encodePaxRecords(pax)
  const paxRecords = recordBytes + records.length + paddingBytes(records.length)
  const header = Buffer.alloc(paxRecords + recordBytes)
  writeUstar(header, typeFlags.pax, {
    prefix: '',
    name: `PaxHeaders/${toAscii(name.replace(/\/$/, '').replace(/^.*\//s, ''))}`,
    target: '',
    entry: { mode: 0o644, uid: 0, gid: 0, size: records.length, mtime: 0 },
  })
  header.set(records, recordBytes)
  writeUstar(header.subarray(paxRecords), typeFlags[entry.type], values)
  return header
}

interface UstarValues {
  readonly prefix: string
  readonly name: string
  readonly target: string
  readonly entry: Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'size' | 'mtime'>
}

/** What every record has: magic and version, no owner names, device numbers of zero. */
const template = Buffer.alloc(recordBytes)
template.write('ustar\u000000', field.magic[0], field.magic[1], 'latin1')
template.write(octal(0, field.deviceMajor[1]), field.deviceMajor[0], field.deviceMajor[1], 'latin1')
template.write(octal(0, field.deviceMinor[1]), field.deviceMinor[0], field.deviceMinor[1], 'latin1')

/** Writes one record over whatever the bytes held. */
function writeUstar(header: Buffer, typeFlag: string, values: UstarValues): void {
  const { prefix, name, target, entry } = values
  header.set(template)
  header.write(name, field.name[0], field.name[1], 'latin1')
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
  if (prefix !== '') header.write(prefix, field.prefix[0], field.prefix[1], 'latin1')
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
  let sum = 0
  for (let index = 0; index < recordBytes; index += 1) sum += header[index] ?? 0
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, field.checksum[0], field.checksum[1], 'latin1')
}

/** A name as ustar's prefix and name, or undefined where ustar cannot hold it. */
function splitName(name: string): { readonly prefix: string; readonly name: string } | undefined {
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
