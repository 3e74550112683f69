/** Members of archives and of other images become placements, normalised like everything that is copied. */

import type { ArchiveMember } from '../rootfs/unpack-archive.ts'
import {
  directoryModeSpec,
  fileModeFor,
  fileMtimeFor,
  otherMtimeFor,
  type EntryMetadata,
} from './entry-metadata.ts'
import { below, refuseWhiteoutName } from './image-path.ts'
import type { Placement } from './placement.ts'

/**
 * The placement of a member at an absolute image path. A hard link's target is a member's path, so it lands below
 * `folder`. `what` names the archive or image. Throws `OCB-NAME-WHITEOUT`.
 */
export function placeMember(
  member: ArchiveMember,
  place: { readonly path: string; readonly folder: string; readonly origin: string; readonly what: string },
  metadata: EntryMetadata,
): Placement {
  const { path, folder, origin, what } = place
  for (const name of member.path.split('/')) refuseWhiteoutName(name, `${what}: ${member.path}`)
  const { owner, mtime: spec } = metadata
  const hostMtimeMs = member.mtime * 1000
  const mtime = otherMtimeFor(spec, hostMtimeMs)
  if (member.type === 'hardlink' && member.target !== undefined) {
    return { type: 'hardlink', path, origin, target: below(folder, member.target) }
  }
  if (member.type === 'symlink' && member.target !== undefined) {
    return { type: 'symlink', path, origin, target: member.target, owner, mtime }
  }
  if (member.type === 'file' && member.source !== undefined) {
    return {
      type: 'file',
      path,
      origin,
      mode: fileModeFor(metadata.mode, member.mode, (member.mode & 0o100) !== 0),
      owner,
      mtime: fileMtimeFor(spec, hostMtimeMs),
      source: member.source,
    }
  }
  const dirMode = directoryModeSpec(metadata)
  const mode = dirMode === 'preserve' ? member.mode & 0o7777 : dirMode
  return { type: 'directory', path, origin, mode, owner, mtime, explicit: false }
}
