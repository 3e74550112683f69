/** A host's tar, tar.gz or tar.zst as members that a spec may place: names checked, bytes spooled. */

import { passArchive, type ArchiveName } from './archive-pass.ts'
import { printableName, unsafeEntry } from './entry-name.ts'
import type { FileSource } from './file-source.ts'
import { createPathFilter, parentOf } from './path-filter.ts'
import { createSpool } from './spool.ts'

export interface ArchiveMember {
  /** Relative, without `./` and trailing slash; after `strip`. Never ''. */
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink'
  /** 0 to 0o7777, as the archive says. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds. */
  readonly mtime: number
  /** A symlink's as it stands; a hard link's is the `path` of a file among the members. */
  readonly target?: string | undefined
  /** Of files. */
  readonly source?: FileSource | undefined
}

export interface ReadArchiveOptions {
  /** Where the bytes of files wait; the caller removes it after the build. */
  readonly spoolDir: string
  /** Leading components taken off each name. Default 0. */
  readonly strip?: number | undefined
  /** Globs, relative to the archive's root after `strip`. Default: all. */
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The members of an archive, each path once (a later entry replaces an earlier one), in the order of the archive.
 * Compression is told by the first bytes. A hard link whose target is not among the members is a file of its own.
 * Absolute symlinks stay: in an image they lead from its root.
 *
 * Throws `OCB-ARCHIVE-UNSAFE`, naming the entry: absolute names, `..`, names that are not UTF-8, relative symlinks
 * that lead above the archive's root, hard links to nothing, entries below a symlink or a file, devices, fifos.
 * `OCB-ARCHIVE-DAMAGED`, `OCB-COMPRESSION-DAMAGED`, `OCB-ARCHIVE-UNSUPPORTED`, `OCB-ARCHIVE-UNREADABLE`.
 */
export async function readArchiveFile(
  file: string,
  options: ReadArchiveOptions,
): Promise<readonly ArchiveMember[]> {
  const settings = {
    strip: options.strip ?? 0,
    selected: createPathFilter(options.include, options.exclude),
    spool: createSpool(options.spoolDir),
    signal: options.signal,
  }
  let { names, missing } = await passArchive(file, { ...settings, alsoWanted: new Set() })
  // A selected hard link to a file that is not: only now is it known that its bytes are wanted.
  if (missing.size > 0) {
    ;({ names, missing } = await passArchive(file, { ...settings, alsoWanted: missing }))
  }
  for (const [path, name] of names) checkPlace(path, name, names, file)
  return Array.from(names, ([path, name]) => toMember(path, name, names))
}

function toMember(path: string, name: ArchiveName, names: ReadonlyMap<string, ArchiveName>): ArchiveMember {
  const { node, link } = name
  const { mode, uid, gid, mtime } = node
  if (link?.target !== undefined && node.type === 'file') {
    const holder = names.get(link.target)
    if (holder?.node === node && !holder.link) {
      return { path, type: 'hardlink', mode, uid, gid, mtime, target: link.target }
    }
  }
  return {
    path,
    type: node.type,
    mode,
    uid,
    gid,
    mtime,
    ...(node.target !== undefined && { target: node.target }),
    ...(node.source && { source: node.source }),
  }
}

function checkPlace(
  path: string,
  { node }: ArchiveName,
  names: ReadonlyMap<string, ArchiveName>,
  archive: string,
): void {
  if (node.type === 'symlink' && node.target !== undefined && leadsOut(path, node.target)) {
    throw unsafeEntry(
      path,
      archive,
      `its target ${printableName(node.target)} leads out of the archive’s root`,
    )
  }
  for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) {
    const type = names.get(parent)?.node.type
    if (type !== undefined && type !== 'directory') {
      throw unsafeEntry(path, archive, `it lies below ${printableName(parent)}, which is a ${type}`)
    }
  }
}

function leadsOut(path: string, target: string): boolean {
  if (target.startsWith('/')) return false
  let depth = path.split('/').length - 1
  for (const part of target.split('/')) {
    if (part === '..') depth -= 1
    else if (part !== '' && part !== '.') depth += 1
    if (depth < 0) return true
  }
  return false
}
