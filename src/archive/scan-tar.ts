/** Where each entry of a tar file lies, found in one pass over its headers; contents are skipped. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { throwIfAborted } from '../errors.ts'
import { damagedArchive } from './archive-error.ts'
import { parseHeader, parsePaxRecords, recordBytes } from './tar-record.ts'

/** A file's bytes in the archive. */
export interface FileRange {
  readonly offset: number
  readonly size: number
}

export type ScannedEntry =
  | ({ readonly type: 'file' } & FileRange)
  /** `target` is a name in the archive. */
  | { readonly type: 'link'; readonly target: string }

/** By name, without `./` in front. Of two entries with one name the later counts. */
export type ScannedTar = ReadonlyMap<string, ScannedEntry>

const maxEntries = 100_000
/** Long names and PAX records are read whole. */
const maxMetadataBytes = 1024 * 1024

/** Scans an uncompressed tar. Directories, devices and the like are left out. Throws `OCB-ARCHIVE-DAMAGED`. */
export function scanTar(path: string, signal?: AbortSignal): ScannedTar {
  const fd = openSync(path, 'r')
  try {
    return scan(path, fd, signal)
  } finally {
    closeSync(fd)
  }
}

function scan(path: string, fd: number, signal: AbortSignal | undefined): ScannedTar {
  const fileSize = fstatSync(fd).size
  const entries = new Map<string, ScannedEntry>()
  const record = Buffer.alloc(recordBytes)
  let offset = 0
  let headers = 0
  // What records before an entry say about it.
  let next: { path?: string | undefined; linkpath?: string | undefined; size?: number | undefined } = {}
  while (offset + recordBytes <= fileSize) {
    throwIfAborted(signal)
    readWhole(path, fd, record, offset)
    const header = parseHeader(record)
    if (header === 'end') return entries
    if (header === 'damaged') throw damagedArchive(path, `no tar header at byte ${offset}`)
    headers += 1
    if (headers > maxEntries) throw damagedArchive(path, `more than ${maxEntries} entries`)
    const { type } = header
    const isMetadata = 'xgLK'.includes(type)
    const size = isMetadata ? header.size : (next.size ?? header.size)
    const start = offset + recordBytes
    const stored = isLinkOrSpecial(type) ? 0 : size
    if (start + stored > fileSize) throw damagedArchive(path, `cut inside "${next.path ?? header.name}"`)
    offset = start + Math.ceil(stored / recordBytes) * recordBytes
    if (isMetadata) {
      if (size > maxMetadataBytes) throw damagedArchive(path, `an entry's name has ${size} bytes`)
      const bytes = Buffer.alloc(size)
      readWhole(path, fd, bytes, start)
      if (type === 'L') next = { ...next, path: untilNul(bytes) }
      else if (type === 'K') next = { ...next, linkpath: untilNul(bytes) }
      else if (type === 'x')
        next = { ...next, ...parsePaxRecords(bytes, () => damagedArchive(path, 'broken PAX records')) }
      continue
    }
    const name = normalise(next.path ?? header.name)
    const target = next.linkpath ?? header.linkName
    next = {}
    if (type === '0' || type === '7') entries.set(name, { type: 'file', offset: start, size })
    else if (type === '1') entries.set(name, { type: 'link', target: normalise(target) })
    else if (type === '2') entries.set(name, { type: 'link', target: resolveFrom(name, target) })
    else entries.delete(name)
  }
  if (headers === 0) throw damagedArchive(path, 'it is no tar')
  return entries
}

/** The bytes that a name leads to, through links inside the archive; undefined where there is none. */
export function findFile(tar: ScannedTar, name: string): FileRange | undefined {
  let entry = tar.get(normalise(name))
  for (let links = 0; entry?.type === 'link' && links < 10; links += 1) entry = tar.get(entry.target)
  return entry?.type === 'file' ? entry : undefined
}

// Types that store no bytes whatever their size field says (POSIX pax, ustar Interchange Format).
function isLinkOrSpecial(type: string): boolean {
  return '123456'.includes(type)
}

function readWhole(path: string, fd: number, into: Buffer, offset: number): void {
  let filled = 0
  while (filled < into.length) {
    const count = readSync(fd, into, filled, into.length - filled, offset + filled)
    if (count === 0) throw damagedArchive(path, 'it ends in the middle of an entry')
    filled += count
  }
}

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end)
}

function normalise(name: string): string {
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
}

/** A symlink's target as a name in the archive. `..` above the root stays at the root, so nothing outside is ever named. */
function resolveFrom(name: string, target: string): string {
  const parts = target.startsWith('/') ? [] : name.split('/').slice(0, -1)
  for (const part of target.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}
