/** `directory`, `symlink`, `hardlink`, `remove`, `opaque`: entries that hold no bytes. */

import { OciBuildError } from '../errors.ts'
import type { EntryOf } from '../config/resolved-spec.ts'
import { directoryMode } from './entry-metadata.ts'
import { imagePath } from './image-path.ts'
import type { Placement } from './placement.ts'

export function placeDirectory(entry: EntryOf<'directory'>): readonly Placement[] {
  return [
    {
      type: 'directory',
      path: imagePath(entry.directory, `${entry.at}.directory`),
      origin: entry.at,
      mode: entry.mode ?? directoryMode,
      owner: entry.owner,
      mtime: 0,
      explicit: true,
    },
  ]
}

/** Throws `OCB-SPEC-LINK-TARGET` for a target that no link can hold. The target is kept as written. */
export function placeSymlink(entry: EntryOf<'symlink'>): readonly Placement[] {
  const { target } = entry
  if (target === '' || target.includes('\0') || /\p{Surrogate}/u.test(target)) {
    throw new OciBuildError('OCB-SPEC-LINK-TARGET', {
      message: `${entry.at}.target ${JSON.stringify(target)} is not a link target; wanted a path`,
      hint: 'write the path that the link shall point at, relative to the link or absolute',
    })
  }
  return [
    {
      type: 'symlink',
      path: notRoot(imagePath(entry.symlink, `${entry.at}.symlink`), `${entry.at}.symlink`),
      origin: entry.at,
      target,
      owner: entry.owner,
      mtime: 0,
    },
  ]
}

export function placeHardlink(entry: EntryOf<'hardlink'>): readonly Placement[] {
  const path = notRoot(imagePath(entry.hardlink, `${entry.at}.hardlink`), `${entry.at}.hardlink`)
  const target = notRoot(imagePath(entry.target, `${entry.at}.target`), `${entry.at}.target`)
  if (path === target) {
    throw new OciBuildError('OCB-SPEC-LINK-TARGET', {
      message: `${entry.at}.target "${entry.target}" is the hard link itself`,
      hint: 'name another file of the same layer',
    })
  }
  return [{ type: 'hardlink', path, origin: entry.at, target }]
}

export function placeRemove(entry: EntryOf<'remove'>): readonly Placement[] {
  const path = notRoot(imagePath(entry.remove, `${entry.at}.remove`), `${entry.at}.remove`)
  return [{ type: 'remove', path, origin: entry.at }]
}

export function placeOpaque(entry: EntryOf<'opaque'>): readonly Placement[] {
  return [{ type: 'opaque', path: imagePath(entry.opaque, `${entry.at}.opaque`), origin: entry.at }]
}

function notRoot(path: string, at: string): string {
  if (path !== '/') return path
  throw new OciBuildError('OCB-SPEC-IMAGE-PATH', {
    message: `${at} "/" is the root of the image; wanted a path below it`,
    hint: 'write the whole path in the image',
  })
}
