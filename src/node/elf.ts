/** Reads what the dynamic loader reads of an ELF file: who loads it, what it needs and where it says to look. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { OciBuildError } from '../errors.ts'

/** Bytes by position, so that a binary of 100 MB is not read for a few hundred bytes of it. */
export interface ElfSource {
  /** For messages. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** Exactly `length` bytes from `offset`; only asked for within `size`. */
  read(offset: number, length: number): Uint8Array
}

export interface ElfInfo {
  readonly bits: 32 | 64
  readonly littleEndian: boolean
  /** `EI_OSABI`: 0 and 3 are Linux', 9 is FreeBSD's. */
  readonly osAbi: number
  /** `e_type`: 1 is relocatable, 2 a program, 3 a library or a program at any address. */
  readonly type: number
  /** `e_machine`: 62 is x86-64, 183 AArch64. */
  readonly machine: number
  /** `e_flags`. */
  readonly flags: number
  /** PT_INTERP; undefined in libraries and static programs. */
  readonly interpreter: string | undefined
  /** DT_NEEDED in its order. */
  readonly needed: readonly string[]
  readonly soname: string | undefined
  /** DT_RPATH, split at colons, with `$ORIGIN` and the like as they stand. */
  readonly rpath: readonly string[]
  /** DT_RUNPATH, split as `rpath`. */
  readonly runpath: readonly string[]
}

export interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly fileSize: number
}

const segmentType = { load: 1, dynamic: 2, interpreter: 3 }
const dynamicTag = {
  end: 0,
  needed: 1,
  stringTable: 5,
  stringTableSize: 10,
  soname: 14,
  rpath: 15,
  runpath: 29,
}

/** Far above what linkers write, far below what would hurt. */
const limits = { segments: 4096, dynamicBytes: 1 << 20, stringBytes: 1 << 16 }

/** Parses ELF of 32 or 64 bits and either byte order. Throws `OCB-ELF-INVALID`. */
export function readElf(source: ElfSource): ElfInfo {
  const { format, header } = openElf(source)
  const segments = readSegments(format, header)
  const interpreter = segments.find((segment) => segment.type === segmentType.interpreter)
  return {
    bits: format.wide ? 64 : 32,
    littleEndian: format.littleEndian,
    osAbi: header.getUint8(7),
    type: header.getUint16(16, format.littleEndian),
    machine: header.getUint16(18, format.littleEndian),
    flags: header.getUint32(format.wide ? 48 : 36, format.littleEndian),
    interpreter:
      interpreter === undefined
        ? undefined
        : readString(source, interpreter.offset, interpreter.fileSize, 'the interpreter'),
    ...readDynamic(format, segments),
  }
}

/** What all reading of an ELF file begins with. Throws `OCB-ELF-INVALID`. */
export function openElf(source: ElfSource): { readonly format: Format; readonly header: DataView } {
  const ident = readAt(source, 0, 16, 'the identification')
  if (ident.getUint32(0) !== 0x7f454c46) throw invalid(source, 'it does not begin with the bytes 7f 45 4c 46')
  const classByte = ident.getUint8(4)
  const orderByte = ident.getUint8(5)
  if (classByte !== 1 && classByte !== 2) throw invalid(source, `its class is ${classByte}, wanted 1 or 2`)
  if (orderByte !== 1 && orderByte !== 2)
    throw invalid(source, `its byte order is ${orderByte}, wanted 1 or 2`)
  const format: Format = { source, wide: classByte === 2, littleEndian: orderByte === 1 }

  const header = readAt(source, 0, format.wide ? 64 : 52, 'the header')
  return { format, header }
}

/** As `readElf`, of a file; also throws the file system's errors. */
export function readElfFile(path: string): ElfInfo {
  return withElfFile(path, readElf)
}

/** Opens a file, or `part` of it, for as long as `work` takes. Throws the file system's errors. */
export function withElfFile<T>(
  path: string,
  work: (source: ElfSource) => T,
  part?: { readonly offset: number; readonly size: number },
): T {
  const descriptor = openSync(path, 'r')
  const start = part?.offset ?? 0
  try {
    return work({
      name: path,
      size: part?.size ?? fstatSync(descriptor).size,
      read(offset, length) {
        const bytes = new Uint8Array(length)
        let filled = 0
        while (filled < length) {
          const count = readSync(descriptor, bytes, filled, length - filled, start + offset + filled)
          if (count === 0) break
          filled += count
        }
        return bytes.subarray(0, filled)
      },
    })
  } finally {
    closeSync(descriptor)
  }
}

/** As `readElf`, of bytes at hand; `name` is for messages. */
export function readElfBytes(bytes: Uint8Array, name: string): ElfInfo {
  return readElf(elfBytes(bytes, name))
}

/** Bytes at hand as a source. */
export function elfBytes(bytes: Uint8Array, name: string): ElfSource {
  return { name, size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) }
}

export interface Format {
  readonly source: ElfSource
  readonly wide: boolean
  readonly littleEndian: boolean
}

export function readSegments(format: Format, header: DataView): readonly Segment[] {
  const { source, wide, littleEndian } = format
  const tableOffset = readWord(format, header, wide ? 32 : 28)
  const entrySize = header.getUint16(wide ? 54 : 42, littleEndian)
  const count = header.getUint16(wide ? 56 : 44, littleEndian)
  if (count === 0) return []
  if (count > limits.segments) throw invalid(source, `it claims ${count} program headers`)
  if (entrySize < (wide ? 56 : 32)) throw invalid(source, `its program headers are ${entrySize} bytes each`)
  const table = readAt(source, tableOffset, entrySize * count, 'the program headers')
  return Array.from({ length: count }, (_, index) => {
    const at = index * entrySize
    return {
      type: table.getUint32(at, littleEndian),
      offset: readWord(format, table, at + (wide ? 8 : 4)),
      address: readWord(format, table, at + (wide ? 16 : 8)),
      fileSize: readWord(format, table, at + (wide ? 32 : 16)),
    }
  })
}

function readDynamic(
  format: Format,
  segments: readonly Segment[],
): Pick<ElfInfo, 'needed' | 'soname' | 'rpath' | 'runpath'> {
  const { source } = format
  const segment = segments.find((candidate) => candidate.type === segmentType.dynamic)
  if (segment === undefined) return { needed: [], soname: undefined, rpath: [], runpath: [] }
  if (segment.fileSize > limits.dynamicBytes) {
    throw invalid(source, `its dynamic section claims ${segment.fileSize} bytes`)
  }
  const entries = readDynamicEntries(format, segment)
  const values = (tag: number): readonly number[] =>
    entries.filter((entry) => entry.tag === tag).map((entry) => entry.value)

  const [tableAddress] = values(dynamicTag.stringTable)
  const [tableSize = 0] = values(dynamicTag.stringTableSize)
  const strings = (tag: number): readonly string[] =>
    values(tag).map((index) => {
      if (tableAddress === undefined) throw invalid(source, 'its dynamic section has no string table')
      if (index >= tableSize)
        throw invalid(source, `a name lies at ${index} of a table of ${tableSize} bytes`)
      const offset = fileOffset(source, segments, tableAddress) + index
      return readString(source, offset, tableSize - index, 'a name in the dynamic section')
    })
  const searchPath = (tag: number): readonly string[] =>
    strings(tag).flatMap((path) => path.split(':').filter((part) => part !== ''))
  return {
    needed: strings(dynamicTag.needed),
    soname: strings(dynamicTag.soname)[0],
    rpath: searchPath(dynamicTag.rpath),
    runpath: searchPath(dynamicTag.runpath),
  }
}

export function readDynamicEntries(
  format: Format,
  segment: Segment,
): readonly { readonly tag: number; readonly value: number }[] {
  const wordBytes = format.wide ? 8 : 4
  const view = readAt(format.source, segment.offset, segment.fileSize, 'the dynamic section')
  const entries: { tag: number; value: number }[] = []
  for (let at = 0; at + 2 * wordBytes <= view.byteLength; at += 2 * wordBytes) {
    // Only tags and values that fit a number are of interest; others (addresses at the top of memory) are skipped.
    const tag = wordOrUndefined(format, view, at)
    if (tag === dynamicTag.end) break
    const value = wordOrUndefined(format, view, at + wordBytes)
    if (tag !== undefined && value !== undefined) entries.push({ tag, value })
  }
  return entries
}

/** The dynamic section speaks of addresses in memory; the loaded segments say where in the file they lie. */
export function fileOffset(source: ElfSource, segments: readonly Segment[], address: number): number {
  const holder = segments.find(
    (segment) =>
      segment.type === segmentType.load &&
      address >= segment.address &&
      address < segment.address + segment.fileSize,
  )
  if (holder === undefined) throw invalid(source, `address 0x${address.toString(16)} is in no loaded segment`)
  return address - holder.address + holder.offset
}

export function readString(source: ElfSource, offset: number, maxBytes: number, what: string): string {
  const available = Math.min(maxBytes, limits.stringBytes, source.size - offset)
  const view = readAt(source, offset, Math.max(available, 1), what)
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  const end = bytes.indexOf(0)
  if (end === -1) throw invalid(source, `${what} does not end`)
  return new TextDecoder().decode(bytes.subarray(0, end))
}

export function readAt(source: ElfSource, offset: number, length: number, what: string): DataView {
  const bytes = offset + length <= source.size ? source.read(offset, length) : undefined
  if (bytes === undefined || bytes.length < length) {
    throw invalid(source, `${what} would end at byte ${offset + length} of ${source.size}`)
  }
  return new DataView(bytes.buffer, bytes.byteOffset, length)
}

function readWord(format: Format, view: DataView, at: number): number {
  const value = wordOrUndefined(format, view, at)
  if (value === undefined) throw invalid(format.source, 'an offset in it is larger than any file')
  return value
}

function wordOrUndefined(format: Format, view: DataView, at: number): number | undefined {
  if (!format.wide) return view.getUint32(at, format.littleEndian)
  const value = view.getBigUint64(at, format.littleEndian)
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined
}

function invalid(source: ElfSource, seen: string): OciBuildError {
  return new OciBuildError('OCB-ELF-INVALID', {
    message: `${source.name} is not a whole ELF file: ${seen}`,
    hint: 'install it again; the file is damaged or is no Linux binary',
  })
}
