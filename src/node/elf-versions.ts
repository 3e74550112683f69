/** Symbol versions of an ELF file: those that it needs of each library, and those that it defines (LSB core, Symbol Versioning). */

import {
  fileOffset,
  openElf,
  readAt,
  readDynamicEntries,
  readSegments,
  readString,
  withElfFile,
  type ElfSource,
} from './elf.ts'

export interface ElfVersions {
  /** By library as DT_NEEDED calls it: `libc.so.6` and `GLIBC_2.34`, …. */
  readonly needs: ReadonlyMap<string, readonly string[]>
  readonly defines: readonly string[]
}

const tags = { strings: 5, definitions: 0x6ffffffc, needs: 0x6ffffffe }

/** VER_FLG_WEAK. */
const weak = 2

/** Far above what linkers write. */
const maxRecords = 10_000

/** Reads a file. Throws `OCB-ELF-INVALID` and the file system's errors. */
export function readElfVersions(path: string): ElfVersions {
  return withElfFile(path, parseElfVersions)
}

/** Throws `OCB-ELF-INVALID`. */
export function parseElfVersions(source: ElfSource): ElfVersions {
  const needs = new Map<string, readonly string[]>()
  const defines: string[] = []
  const { format, header } = openElf(source)
  const segments = readSegments(format, header)
  const dynamic = segments.find(({ type }) => type === 2)
  if (dynamic === undefined) return { needs, defines }
  const entries = readDynamicEntries(format, dynamic)
  const offsetOf = (tag: number): number | undefined => {
    const address = entries.find((entry) => entry.tag === tag)?.value
    return address === undefined ? undefined : fileOffset(source, segments, address)
  }
  const strings = offsetOf(tags.strings)
  if (strings === undefined) return { needs, defines }
  const text = (index: number): string => readString(source, strings + index, 256, 'the name of a version')
  const { littleEndian } = format
  const what = 'the table of versions'

  // Each record tells how far the next one is; 0 is the last.
  let at = offsetOf(tags.needs)
  for (let count = 0; at !== undefined && count < maxRecords; count += 1) {
    const need = readAt(source, at, 16, what)
    const versions: string[] = []
    let aux: number | undefined = at + need.getUint32(8, littleEndian)
    for (let index = need.getUint16(2, littleEndian); index > 0 && aux !== undefined; index -= 1) {
      const record: DataView = readAt(source, aux, 16, what)
      // Of weak ones alone the loader warns, and goes on.
      const isWeak = (record.getUint16(4, littleEndian) & weak) !== 0
      if (!isWeak) versions.push(text(record.getUint32(8, littleEndian)))
      aux = next(aux, record.getUint32(12, littleEndian))
    }
    needs.set(text(need.getUint32(4, littleEndian)), versions)
    at = next(at, need.getUint32(12, littleEndian))
  }

  at = offsetOf(tags.definitions)
  for (let count = 0; at !== undefined && count < maxRecords; count += 1) {
    const definition = readAt(source, at, 20, what)
    const name = readAt(source, at + definition.getUint32(12, littleEndian), 8, what)
    defines.push(text(name.getUint32(0, littleEndian)))
    at = next(at, definition.getUint32(16, littleEndian))
  }
  return { needs, defines }
}

function next(at: number, distance: number): number | undefined {
  return distance === 0 ? undefined : at + distance
}
