/** Images that earlier builds wrote into the project, and that no output of this one names: they are no part of an app. */

import { existsSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import type { HiddenLog } from '../../plan/hidden-log.ts'
import type { Found } from '../../plan/walk-folder.ts'

/** The file that makes a folder an image layout (image-spec v1.1.1 image-layout.md). */
const layoutFile = 'oci-layout'

/**
 * Leaves out image layouts below the package's folder, and folders in which nothing else lies; each layout is counted in
 * `hidden`.
 */
export function withoutImages(found: readonly Found[], hidden: HiddenLog): readonly Found[] {
  const layouts = found.filter(isLayoutFile).map(({ path }) => posix.dirname(path))
  if (layouts.length === 0) return found
  for (const layout of layouts) hidden.add(`image "${layout}"`)
  const isInside = (path: string): boolean =>
    layouts.some((layout) => path === layout || path.startsWith(`${layout}/`))
  const left = found.filter(({ path }) => !isInside(path))
  const parents = new Set(layouts.flatMap(parentsOf))
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

function parentsOf(path: string): readonly string[] {
  const parent = posix.dirname(path)
  return parent === '.' ? [] : [parent, ...parentsOf(parent)]
}
