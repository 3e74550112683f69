/** `archive`: a tar, tar.gz or tar.zst of the host, unpacked into a folder of the image. */

import type { EntryOf } from '../config/resolved-spec.ts'
import { errorAbout, OciBuildError } from '../errors.ts'
import { readArchiveFile, type ReadArchiveOptions } from '../rootfs/unpack-archive.ts'
import type { EntryMetadata } from './entry-metadata.ts'
import { below, imagePath } from './image-path.ts'
import { locate } from './locate.ts'
import { placeMember } from './place-members.ts'
import type { Placement } from './placement.ts'
import type { LayerContext } from './plan-context.ts'

/** Throws `OCB-COPY-NO-MATCH` when the archive is missing or nothing of it is selected, and what `readArchiveFile` throws. */
export async function placeArchive(
  entry: EntryOf<'archive'>,
  context: LayerContext,
): Promise<readonly Placement[]> {
  const { at, archive, strip, include, exclude, owner } = entry
  const found = locate(entry.root, archive, `${at}.archive`, true)
  if (found.type !== 'file') {
    throw new OciBuildError('OCB-SPEC-ARCHIVE', {
      message: `${at}.archive "${archive}" is a ${found.type}; wanted a tar, tar.gz or tar.zst`,
      hint: 'copy a folder with a copy entry',
    })
  }
  const metadata: EntryMetadata = { mode: undefined, dirMode: undefined, owner, mtime: 'content' }
  const to = imagePath(entry.to, `${at}.to`)
  const options = { spoolDir: context.spoolDir, strip, include, exclude, signal: context.reporter.signal }
  return await unpackTo(found.hostPath, to, { at, what: `${at}.archive "${archive}"` }, metadata, options)
}

/** What an archive holds, placed below an image folder. `what` names it for messages. */
export async function unpackTo(
  file: string,
  folder: string,
  { at, what }: { readonly at: string; readonly what: string },
  metadata: EntryMetadata,
  options: ReadArchiveOptions,
): Promise<readonly Placement[]> {
  let members
  try {
    members = await readArchiveFile(file, options)
  } catch (error) {
    // A download lies in the cache under its digest, a name that says nothing to anybody.
    throw errorAbout(what, error)
  }
  if (members.length === 0) {
    throw new OciBuildError('OCB-COPY-NO-MATCH', {
      message: `${what} holds nothing that is selected`,
      hint: 'look at strip, include and exclude of the entry',
    })
  }
  return members.map((member) =>
    placeMember(member, { path: below(folder, member.path), folder, origin: at, what }, metadata),
  )
}
