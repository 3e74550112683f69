/** `copy` with `from`: paths and globs of another image. */

import type { EntryOf } from '../config/resolved-spec.ts'
import { errorAbout, OciBuildError } from '../errors.ts'
import type { FileSource } from '../rootfs/file-source.ts'
import { selectImageFiles, type ImageMember } from '../rootfs/image-files.ts'
import type { Reference } from '../spec/reference.ts'
import { below, imagePath } from './image-path.ts'
import { placeMember } from './place-members.ts'
import type { Placement } from './placement.ts'
import type { LayerContext } from './plan-context.ts'

/**
 * Places files of the image `from`, for the platform that is planned. Landing, modes, owners and times are those of
 * a copy from the host. Throws `OCB-COPY-NO-MATCH` and what reading the image throws.
 */
export async function placeFromImage(
  entry: EntryOf<'copy'>,
  from: Reference,
  context: LayerContext,
): Promise<readonly Placement[]> {
  const { at } = entry
  const to = imagePath(entry.to, `${at}.to`)
  const patterns = entry.copy.map((text, index) => {
    const key = entry.list ? `${at}.copy[${index}]` : `${at}.copy`
    // Both spellings name the same path of an image.
    const path = imagePath(text.startsWith('/') ? text : `/${text}`, key)
    return { text, key, pattern: text.endsWith('/') && path !== '/' ? `${path}/` : path }
  })
  const wanted = patterns.map(({ pattern }) => pattern)
  const members = await selectMembers(from, wanted, entry, context)
  for (const { text, key, pattern } of patterns) {
    if (members.some((member) => member.pattern === pattern)) continue
    throw new OciBuildError('OCB-COPY-NO-MATCH', {
      message: `${key} "${text}" matched no files in the image it copies from`,
      hint: 'list the image with ocibuild ls, and look at include and exclude of the entry',
    })
  }
  const placements: Placement[] = []
  /** With `hardLinks: 'preserve'`, where the bytes that hard links share were placed first. */
  const firstPlaces = entry.hardLinks === 'preserve' ? new Map<FileSource, string>() : undefined
  for (const member of members) {
    const path = below(to, placeOf(member, entry))
    // Copying onto the root says nothing about the root itself.
    if (path === '/') continue
    const target = member.source && firstPlaces?.get(member.source)
    if (target !== undefined && target !== path) {
      placements.push({ type: 'hardlink', path, origin: at, target })
      continue
    }
    if (member.source) firstPlaces?.set(member.source, path)
    placements.push(placeMember(member, { path, folder: to, origin: at, what: at }, entry))
  }
  return placements
}

async function selectMembers(
  from: Reference,
  patterns: readonly string[],
  { at, include, exclude, follow }: EntryOf<'copy'>,
  { openImage, platform, spoolDir, reporter }: LayerContext,
): Promise<readonly ImageMember[]> {
  try {
    const image = await openImage(from, platform)
    return await selectImageFiles(image, patterns, {
      spoolDir,
      include,
      exclude,
      follow,
      signal: reporter.signal,
    })
  } catch (error) {
    throw errorAbout(`${at}.from`, error)
  }
}

/** Where a member lands below `to`. */
function placeOf(member: ImageMember, entry: EntryOf<'copy'>): string {
  if (member.found === 'glob') return member.path
  if (entry.list) return member.imagePath.slice(1)
  return member.found === 'file' && !entry.to.endsWith('/') ? '' : member.path
}
