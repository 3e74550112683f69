/** A changeset's entry as one of a layer that was read: names and attributes, no bytes. */

import type { LayerEntry } from '../rootfs/tree-types.ts'
import type { ChangesetEntry } from './changeset.ts'
import { sourceSize } from './read-source.ts'

/** Times are left out: nobody asks lower layers for them. */
export function layerEntry(entry: ChangesetEntry): LayerEntry {
  const { path, type, mode, uid, gid } = entry
  return {
    path,
    type,
    mode,
    uid,
    gid,
    mtime: 0,
    size: type === 'file' ? sourceSize(entry.source) : 0,
    target: 'target' in entry ? entry.target : undefined,
    xattrs: 'xattrs' in entry ? entry.xattrs : undefined,
  }
}
