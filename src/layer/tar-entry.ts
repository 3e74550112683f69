/** A changeset's entry in the words of a tar header. */

import type { TarEntry } from '../tar/tar-header.ts'
import type { ChangesetEntry } from './changeset.ts'
import { sourceSize } from './read-source.ts'

/** The entry's name in the tar: whiteouts and opaque markers get theirs (image-spec v1.1.1 layer.md, Whiteouts). */
export function tarPath(entry: ChangesetEntry): string {
  const { path } = entry
  if (entry.type === 'opaque') return path === '' ? '.wh..wh..opq' : `${path}/.wh..wh..opq`
  if (entry.type !== 'whiteout') return path
  const slash = path.lastIndexOf('/') + 1
  return `${path.slice(0, slash)}.wh.${path.slice(slash)}`
}

/** `mtime` in seconds: the caller knows when the entry's own is that of its content. */
export function tarEntry(entry: ChangesetEntry, mtime: number): TarEntry {
  const { mode, uid, gid } = entry
  const path = tarPath(entry)
  switch (entry.type) {
    case 'file':
      return { path, type: 'file', mode, uid, gid, mtime, size: sourceSize(entry.source) }
    case 'directory':
      return { path, type: 'directory', mode, uid, gid, mtime, size: 0, xattrs: entry.xattrs }
    case 'symlink':
    case 'hardlink':
      return { path, type: entry.type, mode, uid, gid, mtime, size: 0, target: entry.target }
    case 'whiteout':
    case 'opaque':
      return { path, type: 'file', mode, uid, gid, mtime, size: 0 }
  }
}
