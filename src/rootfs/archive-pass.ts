/** One pass over an archive: its bytes into the spool, its names into a map. */

import { createReadStream } from 'node:fs'
import { decompress, detectCompression } from '../content/decompress.ts'
import { OciBuildError, messageOf, systemErrorCode } from '../errors.ts'
import { normalizeEntryName, unsafeEntry } from './entry-name.ts'
import type { FileSource } from './file-source.ts'
import { peek } from './open-layer.ts'
import type { PathFilter } from './path-filter.ts'
import { linkTarget } from './read-layer.ts'
import type { Spool } from './spool.ts'
import { readTar, type TarEntry } from './tar-entries.ts'
import { damagedArchive } from './tar-headers.ts'

/** What a name stands for; hard links share one. */
export interface ArchiveNode {
  /** Before `strip`. */
  readonly name: string
  readonly type: 'file' | 'directory' | 'symlink'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: number
  /** A symlink's, as it stands. */
  readonly target?: string | undefined
  /** A file's; undefined where it was not wanted. */
  readonly source?: FileSource | undefined
}

export interface ArchiveName {
  readonly node: ArchiveNode
  /** After `strip`: the target, when the name came as a hard link; undefined where `strip` left nothing of it. */
  readonly link?: { readonly target: string | undefined } | undefined
}

export interface ArchivePassOptions {
  /** Components to take off the front of names; names with no more than that are left out. */
  readonly strip: number
  readonly selected: PathFilter
  /** Names before `strip` whose bytes are wanted though they are not selected. */
  readonly alsoWanted: ReadonlySet<string>
  readonly spool: Spool
  readonly signal?: AbortSignal | undefined
}

export interface ArchivePass {
  /** By path after `strip`; a name that came twice stands where it came last. */
  readonly names: ReadonlyMap<string, ArchiveName>
  /** Names before `strip` whose bytes hard links turned out to need. */
  readonly missing: ReadonlySet<string>
}

/** Throws what `readArchiveFile` throws. */
export async function passArchive(file: string, options: ArchivePassOptions): Promise<ArchivePass> {
  const { selected, alsoWanted, spool } = options
  const names = new Map<string, ArchiveName>()
  const missing = new Set<string>()
  /** By name before `strip`. */
  const nodes = new Map<string, ArchiveNode>()
  for await (const entry of openArchive(file, options.signal)) {
    const full = archiveName(entry.name, file, 'the name')
    const path = stripComponents(full, options.strip)
    const wanted = path !== undefined && selected(path)
    if (!entry.utf8) throw unsafeEntry(entry.name, file, 'its name or target is not UTF-8')
    if (full === '' && entry.type !== 'directory') throw unsafeEntry(entry.name, file, 'it has no name')
    if (entry.type === 'character' || entry.type === 'block' || entry.type === 'fifo') {
      if (wanted) {
        const what = entry.type === 'fifo' ? 'fifo' : `${entry.type} device`
        throw unsafeEntry(entry.name, file, `a ${what} does not belong in an image`)
      }
      nodes.delete(full)
      continue
    }
    if (entry.type === 'hardlink') {
      const target = archiveName(entry.linkName, file, 'the hard link’s target')
      const node = nodes.get(target)
      if (!node || node.type === 'directory') {
        throw unsafeEntry(entry.name, file, `it is a hard link to "${target}", which no earlier entry holds`)
      }
      if (wanted && node.type === 'file' && !node.source) missing.add(node.name)
      nodes.set(full, node)
      if (wanted) replace(names, path, { node, link: { target: stripComponents(target, options.strip) } })
      continue
    }
    const keep = entry.type === 'file' && (wanted || alsoWanted.has(full))
    const node = toNode(full, entry, file, keep ? await spool.add(entry.content, entry.size) : undefined)
    nodes.set(full, node)
    if (wanted) replace(names, path, { node })
  }
  return { names, missing }
}

async function* openArchive(file: string, signal: AbortSignal | undefined): AsyncGenerator<TarEntry> {
  const stream = createReadStream(file, { highWaterMark: 256 * 1024 })
  let opened
  try {
    opened = await peek(stream)
  } catch (error) {
    throw new OciBuildError('OCB-ARCHIVE-UNREADABLE', {
      message: `cannot read the archive ${file}: ${systemErrorCode(error) ?? messageOf(error)}`,
      hint: 'check that the path is that of a readable file',
      cause: error,
    })
  }
  const { head, all } = opened
  if (head.length === 0) throw damagedArchive(file, 'it is empty')
  const other = foreignFormat(head)
  if (other !== undefined) {
    throw new OciBuildError('OCB-ARCHIVE-UNSUPPORTED', {
      message: `${file} is ${other}; wanted tar, tar.gz or tar.zst`,
      hint: 'pack it again in one of these',
    })
  }
  yield* readTar(decompress(all, detectCompression(head)), { archive: file, signal })
}

const foreignMagics: readonly (readonly [string, string])[] = [
  ['504b0304', 'a zip file'],
  ['fd377a585a00', 'compressed with xz'],
  ['425a68', 'compressed with bzip2'],
  ['377abcaf271c', 'a 7z file'],
  ['04224d18', 'compressed with lz4'],
]

function foreignFormat(head: Uint8Array): string | undefined {
  const hex = Buffer.from(head.subarray(0, 8)).toString('hex')
  return foreignMagics.find(([magic]) => hex.startsWith(magic))?.[1]
}

function archiveName(name: string, archive: string, role: string): string {
  if (name.startsWith('/')) throw unsafeEntry(name, archive, `${role} is absolute`)
  return normalizeEntryName(name, archive, role)
}

/** Undefined when nothing is left. */
function stripComponents(path: string, count: number): string | undefined {
  const left = count === 0 ? path : path.split('/').slice(count).join('/')
  return left === '' ? undefined : left
}

function toNode(name: string, entry: TarEntry, archive: string, source: FileSource | undefined): ArchiveNode {
  const { mode, uid, gid, mtime } = entry
  const common = { name, mode, uid, gid, mtime }
  if (entry.type === 'directory') return { ...common, type: 'directory' }
  if (entry.type === 'symlink') return { ...common, type: 'symlink', target: linkTarget(entry, archive) }
  return { ...common, type: 'file', source }
}

/** A map keeps the place of a key that is set again. */
function replace<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
}
