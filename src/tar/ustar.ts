/** One ustar record (POSIX.1-1988), written byte by byte: tens of thousands of them are a good part of a layer's time. */

/** Bytes of a tar record: headers and contents are padded to multiples of it. */
export const recordBytes = 512

/** The numbers of a header. A value that its digits cannot hold is written as 0: PAX records hold it. */
export interface UstarNumbers {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
}

/** A name in two parts, which a reader joins with a slash. */
export interface SplitName {
  readonly prefix: string
  readonly name: string
}

/** The largest values that the octal digits of ustar hold. */
export const maxId = 0o7777777
export const maxSizeOrTime = 0o77777777777

/** Widths of the fields that text must fit into. */
export const fieldBytes = { name: 100, linkName: 100, prefix: 155 } as const

// Where each field begins. Numbers are octal digits with leading zeros and a closing NUL.
const nameAt = 0
const modeAt = 100
const uidAt = 108
const gidAt = 116
const sizeAt = 124
const mtimeAt = 136
const checksumAt = 148
const typeAt = 156
const linkNameAt = 157
const magicAt = 257
const deviceAt = 329
const prefixAt = 345
const idDigits = 7
const sizeDigits = 11
const checksumDigits = 6

const maxInt = 0x7fffffff
const lowerDigits = 8
const lowerRange = 8 ** lowerDigits

export const typeFlags = { file: 0x30, hardlink: 0x31, symlink: 0x32, directory: 0x35, pax: 0x78 } as const

/** What every record has: magic and version, no owner names, device numbers of zero, a blank checksum. */
const template = new Uint8Array(recordBytes)
writeText(template, magicAt, 'ustar\u000000')
writeOctal(template, deviceAt, idDigits, 0)
writeOctal(template, deviceAt + idDigits + 1, idDigits, 0)
// Its own bytes count as spaces.
writeText(template, checksumAt, ' '.repeat(checksumDigits + 2))
const templateSum = template.reduce((sum, byte) => sum + byte, 0)

/** Writes one record over whatever the bytes held. Texts are ASCII and fit their fields. */
export function writeUstar(
  record: Uint8Array,
  typeFlag: number,
  { prefix, name }: SplitName,
  target: string,
  { mode, uid, gid, size, mtime }: UstarNumbers,
): void {
  record.set(template)
  record[typeAt] = typeFlag
  const sum =
    templateSum +
    typeFlag +
    writeText(record, nameAt, name) +
    writeText(record, linkNameAt, target) +
    writeText(record, prefixAt, prefix) +
    writeOctal(record, modeAt, idDigits, mode) +
    writeOctal(record, uidAt, idDigits, uid > maxId ? 0 : uid) +
    writeOctal(record, gidAt, idDigits, gid > maxId ? 0 : gid) +
    writeOctal(record, sizeAt, sizeDigits, size > maxSizeOrTime ? 0 : size) +
    writeOctal(record, mtimeAt, sizeDigits, mtime < 0 || mtime > maxSizeOrTime ? 0 : mtime)
  writeChecksum(record, sum)
}

/** Sets the time of a header that ends with a record of `writeUstar`, in place; `mtime` must be one that ustar holds. */
export function patchTime(header: Uint8Array, mtime: number): void {
  // Mostly it is that record, and a view of it costs more than the rest.
  const record = header.length === recordBytes ? header : header.subarray(header.length - recordBytes)
  let sum = 0
  for (let digit = 0; digit < checksumDigits; digit += 1)
    sum = sum * 8 + (record[checksumAt + digit] ?? 0) - 0x30
  for (let digit = 0; digit < sizeDigits; digit += 1) sum -= record[mtimeAt + digit] ?? 0
  writeChecksum(record, sum + writeOctal(record, mtimeAt, sizeDigits, mtime))
}

/** The sum of all bytes: six digits, NUL, space. */
function writeChecksum(record: Uint8Array, sum: number): void {
  writeOctal(record, checksumAt, checksumDigits, sum)
  record[checksumAt + checksumDigits] = 0
}

/** Gives the sum of the bytes written. */
function writeText(record: Uint8Array, at: number, text: string): number {
  let sum = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    record[at + index] = code
    sum += code
  }
  return sum
}

/** Gives the sum of the bytes written. */
function writeOctal(record: Uint8Array, at: number, digits: number, value: number): number {
  // More bits than the bit operators take: the upper digits are written by themselves.
  if (value > maxInt) {
    const upper = writeOctal(record, at, digits - lowerDigits, Math.floor(value / lowerRange))
    return upper + writeOctal(record, at + digits - lowerDigits, lowerDigits, value % lowerRange)
  }
  let sum = 0
  let left = value
  for (let digit = digits - 1; digit >= 0; digit -= 1) {
    const code = 0x30 + (left & 7)
    left >>= 3
    record[at + digit] = code
    sum += code
  }
  return sum
}
