/** One 512-byte tar record as read: ustar and GNU headers, and PAX records. */

import { recordBytes } from '../tar/ustar.ts'

export { recordBytes }

export interface RecordHeader {
  readonly name: string
  readonly size: number
  /** The type flag; `0` also for the NUL of old writers. */
  readonly type: string
  readonly linkName: string
}

/** Reads a header; `end` is a record of zeros. Whoever fails its checksum is no header. */
export function parseHeader(record: Buffer): RecordHeader | 'end' | 'damaged' {
  if (record.every((byte) => byte === 0)) return 'end'
  if (!checksumHolds(record)) return 'damaged'
  const size = readNumber(record.subarray(124, 136))
  if (size === undefined) return 'damaged'
  const name = readText(record.subarray(0, 100))
  // GNU's own format keeps times where POSIX has the prefix.
  const isPosix = record.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = isPosix ? readText(record.subarray(345, 500)) : ''
  const flag = String.fromCharCode(record[156] ?? 0)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size,
    type: flag === '\0' ? '0' : flag,
    linkName: readText(record.subarray(157, 257)),
  }
}

/** The records that say where an entry's bytes are: `path`, `linkpath`, `size`. `damaged` makes the error to throw. */
export function parsePaxRecords(
  bytes: Buffer,
  damaged: () => Error,
): { path?: string; linkpath?: string; size?: number } {
  const found: { path?: string; linkpath?: string; size?: number } = {}
  for (let offset = 0; offset < bytes.length;) {
    const space = bytes.indexOf(0x20, offset)
    const length = space === -1 ? Number.NaN : Number(bytes.toString('latin1', offset, space))
    if (!Number.isSafeInteger(length) || length <= space - offset || offset + length > bytes.length) {
      throw damaged()
    }
    const record = bytes.toString('utf8', space + 1, offset + length - 1)
    const equals = record.indexOf('=')
    const key = record.slice(0, equals)
    const value = record.slice(equals + 1)
    if (key === 'path') found.path = value
    if (key === 'linkpath') found.linkpath = value
    if (key === 'size') {
      const size = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
      if (!Number.isSafeInteger(size)) throw damaged()
      found.size = size
    }
    offset += length
  }
  return found
}

function checksumHolds(record: Buffer): boolean {
  const wanted = readNumber(record.subarray(148, 156))
  let unsigned = 8 * 0x20
  let signed = 8 * 0x20
  for (let index = 0; index < recordBytes; index += 1) {
    if (index >= 148 && index < 156) continue
    const byte = record[index] ?? 0
    unsigned += byte
    // Old writers added the bytes as signed.
    signed += byte > 127 ? byte - 256 : byte
  }
  return wanted === unsigned || wanted === signed
}

/** Octal digits, or GNU's base 256 with the top bit set; undefined for anything else or a number too large. */
function readNumber(field: Buffer): number | undefined {
  const first = field[0] ?? 0
  if (first === 0x80) {
    let value = 0
    for (const byte of field.subarray(1)) value = value * 256 + byte
    return Number.isSafeInteger(value) ? value : undefined
  }
  const text = readText(field).trim()
  if (text === '') return 0
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined
}

function readText(field: Buffer): string {
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? field.length : end)
}
