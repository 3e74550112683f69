/** A kept package with a patch over it: the kept files stay as they are. */

import type { FileSource } from '../../rootfs/file-source.ts'
import { applyHunks, parsePatch, wrongPatch } from './apply-patch.ts'
import type { PackedMember, PackedPackage } from './packed-package.ts'

/** `what` names the patch in errors. All of it is applied, or `OCB-NODE-PATCH` is thrown. */
export function patchPackage(packed: PackedPackage, patch: string, what: string): PackedPackage {
  const members = new Map(packed.members.map((member) => [member.path, member]))
  const changed = new Map<PackedMember, Uint8Array>()
  for (const file of parsePatch(patch, what)) {
    const { from, to, mode } = file
    const old = from === undefined ? undefined : members.get(from)
    if (from !== undefined && old?.type !== 'file') throw wrongPatch(what, `the package has no file ${from}`)
    if (from === undefined && to !== undefined && members.has(to)) {
      throw wrongPatch(what, `it makes ${to}, which the package has`)
    }
    for (const name of to?.split('/') ?? []) {
      if (name === '' || name === '.' || name === '..')
        throw wrongPatch(what, `${to} is no path in a package`)
    }
    const text = old === undefined ? '' : (changed.get(old) ?? packed.read(old))
    const bytes = Buffer.from(applyHunks(Buffer.from(text).toString('utf8'), file, what))
    if (from !== undefined) members.delete(from)
    if (to === undefined) {
      if (bytes.length > 0) throw wrongPatch(what, `it deletes ${from ?? ''}, which holds more than it says`)
      continue
    }
    const member: PackedMember = {
      path: to,
      type: 'file',
      mode: mode ?? old?.mode ?? 0o644,
      size: bytes.length,
      digest: undefined,
      offset: 0,
    }
    members.set(to, member)
    changed.set(member, bytes)
  }
  return {
    members: [...members.values()],
    sourceOf(member): FileSource {
      const bytes = changed.get(member)
      return bytes === undefined ? packed.sourceOf(member) : { kind: 'bytes', bytes }
    },
    read(member) {
      const bytes = changed.get(member)
      return bytes === undefined ? packed.read(member) : Buffer.from(bytes)
    },
  }
}
