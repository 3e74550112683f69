/** Which Node.js loads an addon, from what it says when it is loaded (nodejs.org/api, C++ addons and Node-API). */

import {
  fileOffset,
  openElf,
  readAt,
  readDynamicEntries,
  readSegments,
  readString,
  type ElfSource,
  type Format,
  type Segment,
} from './elf.ts'

/**
 * `node-api`: every release; a number: releases with this NODE_MODULE_VERSION; undefined: the file does not say, since
 * it registers nothing, or in a way that is not known here.
 */
export type AddonAbi = 'node-api' | number | undefined

const tags = {
  strings: 5,
  relocations: 7,
  relocationBytes: 8,
  stringBytes: 10,
  packedBytes: 35,
  packed: 36,
}
/** Far above what linkers write for addons. */
const limits = { stringBytes: 1 << 26, relocationBytes: 1 << 26 }

/** R_*_RELATIVE by `e_machine`, of those that write their addends beside (System V ABI, processor supplements). */
const relativeTypes: Readonly<Record<number, number>> = { 62: 8, 183: 1027, 243: 3, 21: 22, 22: 12, 258: 3 }

/** Throws `OCB-ELF-INVALID`. */
export function readAddonAbi(source: ElfSource): AddonAbi {
  const { format, header } = openElf(source)
  const segments = readSegments(format, header)
  const dynamic = segments.find(({ type }) => type === 2)
  if (dynamic === undefined) return undefined
  const entries = readDynamicEntries(format, dynamic)
  const valueOf = (tag: number): number | undefined => entries.find((entry) => entry.tag === tag)?.value
  const table = (address: number, bytes: number, most: number): DataView | undefined => {
    const [start, length] = [valueOf(address), valueOf(bytes)]
    if (start === undefined || length === undefined || length > most) return undefined
    return readAt(source, fileOffset(source, segments, start), length, 'a table of the dynamic section')
  }
  const strings = table(tags.strings, tags.stringBytes, limits.stringBytes)
  if (strings === undefined) return undefined
  // Names of the dynamic symbols and nothing else; linkers may share the end of one with another.
  const names = Buffer.from(strings.buffer, strings.byteOffset, strings.byteLength).toString('latin1')
  // oxlint-disable-next-line no-control-regex
  if (/napi_register_module_v\d+\0|\0napi_[a-z_]+\0/.test(names)) return 'node-api'
  // oxlint-disable-next-line no-control-regex
  const registered = /node_register_module_v(\d+)\0/.exec(names)?.[1]
  if (registered !== undefined) return Number(registered)
  const relative = relativeTypes[header.getUint16(18, format.littleEndian)]
  if (!format.wide || relative === undefined || !names.includes('node_module_register\0')) return undefined
  const relocations = table(tags.relocations, tags.relocationBytes, limits.relocationBytes)
  const packed = table(tags.packed, tags.packedBytes, limits.relocationBytes)
  const addresses = new Map([
    ...(relocations === undefined ? [] : addressesIn(format, relocations, relative)),
    ...(packed === undefined ? [] : packedAddresses(format, segments, packed)),
  ])
  return versionOfModule(format, segments, addresses)
}

/** Where the loader writes an address of the file itself, and which. Elf64_Rela: offset, info, addend, 8 bytes each. */
function addressesIn(
  { littleEndian }: Format,
  table: DataView,
  relative: number,
): ReadonlyMap<number, number> {
  const addresses = new Map<number, number>()
  for (let at = 0; at + 24 <= table.byteLength; at += 24) {
    if (Number(table.getBigUint64(at + 8, littleEndian) & 0xffffffffn) !== relative) continue
    const [place, address] = [table.getBigUint64(at, littleEndian), table.getBigUint64(at + 16, littleEndian)]
    if (place <= Number.MAX_SAFE_INTEGER && address <= Number.MAX_SAFE_INTEGER) {
      addresses.set(Number(place), Number(address))
    }
  }
  return addresses
}

/** SHT_RELR: an even word is a place, an odd one a bit for each of the 63 places after the last; addends lie there. */
function packedAddresses(
  { source, littleEndian }: Format,
  segments: readonly Segment[],
  table: DataView,
): ReadonlyMap<number, number> {
  const addresses = new Map<number, number>()
  const take = (place: number): void => {
    if (!isInFile(segments, place) || !isInFile(segments, place + 7)) return
    const address = readAt(source, fileOffset(source, segments, place), 8, 'an address').getBigUint64(
      0,
      littleEndian,
    )
    if (address <= Number.MAX_SAFE_INTEGER) addresses.set(place, Number(address))
  }
  let next = 0
  for (let at = 0; at + 8 <= table.byteLength; at += 8) {
    const word = table.getBigUint64(at, littleEndian)
    if ((word & 1n) === 0n) {
      if (word > Number.MAX_SAFE_INTEGER) return addresses
      take(Number(word))
      next = Number(word) + 8
      continue
    }
    for (let bit = 1n; bit < 64n; bit += 1n) if ((word >> bit) & 1n) take(next + (Number(bit) - 1) * 8)
    next += 63 * 8
  }
  return addresses
}

/**
 * The `node_module` that NODE_MODULE lays down (node.h): nm_version and nm_flags, 4 bytes each; nm_dso_handle, empty;
 * at 16 the address of nm_filename, at 40 that of nm_modname.
 */
function versionOfModule(
  { source, littleEndian }: Format,
  segments: readonly Segment[],
  addresses: ReadonlyMap<number, number>,
): number | undefined {
  const textAt = (address: number | undefined): string | undefined => {
    if (address === undefined || !isInFile(segments, address)) return undefined
    return readString(source, fileOffset(source, segments, address), 4096, 'a name of the module')
  }
  for (const [place, address] of addresses) {
    const start = place - 16
    if (!addresses.has(start + 40) || !isInFile(segments, start) || !isInFile(segments, start + 15)) continue
    const head = readAt(source, fileOffset(source, segments, start), 16, 'the module')
    const version = head.getUint32(0, littleEndian)
    const isHead = version > 9 && version < 10_000 && head.getUint32(4, littleEndian) < 256
    if (!isHead || head.getBigUint64(8, littleEndian) !== 0n) continue
    const isSource = /\.(?:c|cc|cpp|cxx|c\+\+|C|m|mm|rs)$/.test(textAt(address) ?? '')
    if (isSource && /^[\w.$-]+$/.test(textAt(addresses.get(start + 40)) ?? '')) return version
  }
  return undefined
}

function isInFile(segments: readonly Segment[], address: number): boolean {
  return segments.some(
    ({ type, address: start, fileSize }) => type === 1 && address >= start && address < start + fileSize,
  )
}
