/**
 * What tar-stream does not give: the raw bytes of PAX records (it decodes values as UTF-8, and capabilities are
 * binary), the type of entries it does not know, and an end at the end-of-archive marker. Watches the same bytes.
 */

import { OciBuildError } from '../errors.ts'
import { unsafeEntry } from './entry-name.ts'

const blockSize = 512
/** One PAX or GNU long-name header, in bytes; the limit of Go's archive/tar, which container engines read with. */
const maxSpecialBytes = 1024 * 1024
const nameField = { offset: 0, length: 100 }
const sizeField = { offset: 124, length: 12 }
const typeOffset = 156

/** PAX records of one entry: key to raw value. */
export type PaxRecords = ReadonlyMap<string, Buffer>

/** What the headers of one entry say beyond tar-stream's. */
export interface HeaderExtras {
  /** The type flag as a character; `'\0'` in old archives. */
  readonly typeFlag: string
  readonly pax: PaxRecords | undefined
}

export interface HeaderWatcher {
  /** Looks at the next bytes and returns those to hand on: none after the end-of-archive marker. */
  watch(chunk: Uint8Array): Uint8Array
  /** To be called after the last bytes: an extended header that no entry follows is damage. */
  end(): void
  /** The extras of the entry whose header begins at this offset of the archive, once. */
  take(headerOffset: number): HeaderExtras | undefined
}

/** `archive` names the archive in errors: `OCB-ARCHIVE-UNSAFE`, `OCB-ARCHIVE-UNSUPPORTED`, `OCB-ARCHIVE-DAMAGED`. */
export function createHeaderWatcher(archive: string): HeaderWatcher {
  const found = new Map<number, HeaderExtras>()
  let offset = 0
  let ended = false
  /** Bytes until the next header. */
  let skip = 0
  /** The header or special body that is being gathered. */
  let pieces: Uint8Array[] = []
  let gathered = 0
  let wanted = blockSize
  let special: { readonly flag: string; readonly size: number } | undefined
  let pax: PaxRecords | undefined
  let longName: string | undefined

  function onBlock(block: Uint8Array, endOffset: number): void {
    if (special) {
      onSpecialBody(special.flag, Buffer.from(block.buffer, block.byteOffset, special.size))
      special = undefined
      wanted = blockSize
      return
    }
    if (block.every((byte) => byte === 0)) {
      ended = true
      return
    }
    const header = Buffer.from(block.buffer, block.byteOffset, blockSize)
    const typeFlag = String.fromCharCode(header.readUInt8(typeOffset))
    const size = readNumber(header, sizeField.offset, sizeField.length)
    const name = pax?.get('path')?.toString() ?? longName ?? readText(header, nameField)
    if (!Number.isSafeInteger(size) || size < 0) throw damaged(`entry "${name}" has no valid size`)
    if ('xgLKN'.includes(typeFlag)) {
      if (size > maxSpecialBytes) {
        throw unsafeEntry(name, archive, `its extended header has ${size} bytes; at most 1 MiB is read`)
      }
      if (size === 0) return
      special = { flag: typeFlag, size }
      wanted = roundUp(size)
      return
    }
    onEntry(name, typeFlag, size, endOffset)
  }

  function onSpecialBody(flag: string, body: Buffer): void {
    if (flag === 'K') return
    if (flag === 'L' || flag === 'N') {
      longName = body.toString().replace(/\0[^]*$/, '')
      return
    }
    const records = parsePax(body)
    if (!records) throw damaged('a PAX header is malformed')
    if (flag === 'x') {
      pax = records
      return
    }
    // One name or size for all that follows has no honest use, and readers disagree on what it does.
    for (const key of ['path', 'linkpath', 'size']) {
      if (records.has(key)) throw unsafeEntry(key, archive, 'a global PAX header sets it for every entry')
    }
  }

  function onEntry(name: string, typeFlag: string, headerSize: number, endOffset: number): void {
    const sparse = typeFlag === 'S' || (pax !== undefined && [...pax.keys()].some(isSparseKey))
    if (sparse) {
      throw new OciBuildError('OCB-ARCHIVE-UNSUPPORTED', {
        message: `${archive}: entry "${name}" is a sparse file, which layers do not hold`,
        hint: 'make the archive again without --sparse',
      })
    }
    const paxSize = pax?.get('size')?.toString('latin1') ?? ''
    if (paxSize !== '' && !/^\d{1,15}$/.test(paxSize)) throw damaged(`entry "${name}" has no valid size`)
    const size = paxSize === '' ? headerSize : Number(paxSize)
    // Readers disagree whether content follows these: Go's ignores it, GNU tar's and tar-stream skip it.
    if ('12346'.includes(typeFlag) && size > 0) {
      throw unsafeEntry(name, archive, `it is no regular file and claims ${size} bytes of content`)
    }
    found.set(endOffset - blockSize, { typeFlag, pax })
    skip = typeFlag === '5' ? 0 : roundUp(size)
    pax = undefined
    longName = undefined
  }

  function damaged(what: string): OciBuildError {
    return damagedArchive(archive, what)
  }

  return {
    watch(chunk) {
      let at = 0
      while (at < chunk.length && !ended) {
        if (skip > 0) {
          const step = Math.min(skip, chunk.length - at)
          skip -= step
          at += step
          continue
        }
        const piece = chunk.subarray(at, at + wanted - gathered)
        at += piece.length
        gathered += piece.length
        pieces.push(piece)
        if (gathered < wanted) break
        const block = pieces.length === 1 ? piece : Buffer.concat(pieces)
        pieces = []
        gathered = 0
        onBlock(block, offset + at)
      }
      offset += chunk.length
      return ended ? chunk.subarray(0, at) : chunk
    },
    end() {
      if (pax !== undefined || longName !== undefined) throw damaged('it ends after an extended header')
    },
    take(headerOffset) {
      const extras = found.get(headerOffset)
      found.delete(headerOffset)
      return extras
    },
  }
}

/** An archive that is cut or not as the format wants: `OCB-ARCHIVE-DAMAGED`. */
export function damagedArchive(archive: string, what: string, cause?: unknown): OciBuildError {
  return new OciBuildError('OCB-ARCHIVE-DAMAGED', {
    message: `${archive}: ${what}`,
    hint: 'fetch or build it again; the copy at hand is damaged',
    cause,
  })
}

/** `LENGTH KEY=VALUE\n`, again and again (POSIX pax, Extended Header); undefined when it is malformed. */
export function parsePax(body: Buffer): PaxRecords | undefined {
  const records = new Map<string, Buffer>()
  let at = 0
  while (at < body.length) {
    const space = body.indexOf(0x20, at)
    const digits = space < 0 ? '' : body.toString('latin1', at, space)
    const end = at + Number(digits)
    if (!/^\d{1,8}$/.test(digits) || end > body.length || body[end - 1] !== 0x0a) return undefined
    const equals = body.indexOf(0x3d, space)
    if (equals < 0 || equals >= end) return undefined
    records.set(body.toString('utf8', space + 1, equals), body.subarray(equals + 1, end - 1))
    at = end
  }
  return records
}

function isSparseKey(key: string): boolean {
  return key.startsWith('GNU.sparse.')
}

function roundUp(size: number): number {
  return Math.ceil(size / blockSize) * blockSize
}

function readText(header: Buffer, field: { readonly offset: number; readonly length: number }): string {
  return header.toString('utf8', field.offset, field.offset + field.length).replace(/\0[^]*$/, '')
}

/** Octal digits, or GNU's big-endian number when the first bit is set; NaN when it is neither. */
function readNumber(header: Buffer, offset: number, length: number): number {
  const field = header.subarray(offset, offset + length)
  const first = header.readUInt8(offset)
  if (first === 0x80) return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0)
  if (first > 0x80) return Number.NaN
  const digits = field
    .toString('latin1')
    .replace(/^[ \0]+/, '')
    .replace(/[ \0][^]*$/, '')
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}
