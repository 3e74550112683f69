/** `copy` with `from`: paths and globs of another image. */

import type { EntryOf } from '../config/resolved-spec.ts'
import { OciBuildError } from '../errors.ts'
import { selectImageFiles, type ImageMember } from '../rootfs/image-files.ts'
import type { Reference } from '../spec/reference.ts'
import { below, imagePath } from './image-path.ts'
import { placeMember } from './place-members.ts'
import type { Placement } from './placement.ts'
import type { LayerContext } from './plan-context.ts'

/**
 * Places files of the image `from`, for the platform that is planned. Landing, modes, owners and times are those of
 * a copy from the host. Throws `OCB-COPY-NO-MATCH`, `OCB-SPEC-FOLLOW` and what reading the image throws.
 */
export async function placeFromImage(
  entry: EntryOf<'copy'>,
  from: Reference,
  context: LayerContext,
): Promise<readonly Placement[]> {
  const { at, include, exclude } = entry
  if (entry.follow) {
    throw new OciBuildError('OCB-SPEC-FOLLOW', {
      message: `${at}.follow is true beside from; links of another image stay links`,
      hint: 'leave follow out and copy the path that the link points at',
    })
  }
  const to = imagePath(entry.to, `${at}.to`)
  const patterns = entry.copy.map((text, index) => {
    const key = entry.list ? `${at}.copy[${index}]` : `${at}.copy`
    // Both spellings name the same path of an image.
    const path = imagePath(text.startsWith('/') ? text : `/${text}`, key)
    return { text, key, pattern: text.endsWith('/') && path !== '/' ? `${path}/` : path }
  })
  const image = await context.openImage(from, context.platform)
  const members = await selectImageFiles(
    image,
    patterns.map(({ pattern }) => pattern),
    { spoolDir: context.spoolDir, include, exclude, signal: context.reporter.signal },
  )
  for (const { text, key, pattern } of patterns) {
    if (members.some((member) => member.pattern === pattern)) continue
    throw new OciBuildError('OCB-COPY-NO-MATCH', {
      message: `${key} "${text}" matched no files in the image it copies from`,
      hint: 'list the image with ocibuild ls, and look at include and exclude of the entry',
    })
  }
  const placements: Placement[] = []
  for (const member of members) {
    const path = below(to, placeOf(member, entry))
    // Copying onto the root says nothing about the root itself.
    if (path === '/') continue
    placements.push(placeMember(member, { path, folder: to, origin: at, what: at }, entry))
  }
  return placements
}

/** Where a member lands below `to`. */
function placeOf(member: ImageMember, entry: EntryOf<'copy'>): string {
  if (member.found === 'glob') return member.path
  if (entry.list) return member.imagePath.slice(1)
  return member.found === 'file' && !entry.to.endsWith('/') ? '' : member.path
}
