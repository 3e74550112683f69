/** Images that earlier builds wrote into the project, and that no output of this one names: they are no part of an app. */

import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import type { HiddenLog } from '../../plan/hidden-log.ts'
import type { Found } from '../../plan/walk-folder.ts'

/** The file that makes a folder an image layout (image-spec v1.1.1 image-layout.md). */
const layoutFile = 'oci-layout'
/** With what a tar of a layout begins, as we and `docker save` write it: a name in a header of ustar. */
const firstName = 'blobs/\0'
const magic = 'ustar'
const magicAt = 257

/**
 * Leaves out image layouts below the package's folder, tars of them, and folders in which nothing else lies; each image is
 * counted in `hidden`.
 */
export function withoutImages(found: readonly Found[], hidden: HiddenLog): readonly Found[] {
  const layouts = found.filter(isLayoutFile).map(({ path }) => posix.dirname(path))
  const images = [...layouts, ...found.filter(isArchive).map(({ path }) => path)]
  if (images.length === 0) return found
  for (const image of images) hidden.add(`image "${image}"`)
  const isImage = (path: string): boolean =>
    images.some((image) => path === image || path.startsWith(`${image}/`))
  const left = found.filter(({ path }) => !isImage(path))
  const parents = new Set(images.flatMap(parentsOf))
  const used = new Set(
    left.flatMap(({ path, type }) => (type === 'directory' && parents.has(path) ? [] : parentsOf(path))),
  )
  return left.filter(({ path }) => !parents.has(path) || used.has(path))
}

function isLayoutFile({ path, hostPath, type }: Found): boolean {
  if (type !== 'file' || !path.endsWith(`/${layoutFile}`)) return false
  const folder = dirname(hostPath)
  return existsSync(join(folder, 'index.json')) && existsSync(join(folder, 'blobs'))
}

function isArchive({ path, hostPath, type }: Found): boolean {
  if (type !== 'file' || !path.endsWith('.tar')) return false
  const text = readStart(hostPath, magicAt + magic.length)
  return text.startsWith(firstName) && text.endsWith(magic)
}

/** Nothing of a file that cannot be read: whoever reads it whole says why. */
function readStart(path: string, bytes: number): string {
  const start = Buffer.alloc(bytes)
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    readSync(file, start, 0, bytes, 0)
  } catch {
    return ''
  } finally {
    if (file !== undefined) closeSync(file)
  }
  return start.toString('latin1')
}

function parentsOf(path: string): readonly string[] {
  const parent = posix.dirname(path)
  return parent === '.' ? [] : [parent, ...parentsOf(parent)]
}
