/** The host's time zone database for `host:node`. */

import { existsSync, readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Placement } from '../plan/placement.ts'
import { placeDirectory, placeHostFile, placeSymlink } from './place.ts'

const imageFolder = '/usr/share/zoneinfo'

/**
 * `posix` holds the same zones once more, `right` those of clocks that count leap seconds (no Unix time does),
 * `localtime` is the host's own zone.
 */
const leftOut = new Set(['posix', 'right', 'localtime'])

/** Files and links of `/usr/share/zoneinfo`; nothing where the host has none (Node.js brings zones of its own). */
export function timeZoneFiles(root: string): readonly Placement[] {
  const hostFolder = join(root, imageFolder)
  if (!existsSync(hostFolder)) return []
  return readFolder(realpathSync(hostFolder), '')
}

function readFolder(top: string, below: string): readonly Placement[] {
  const placements: Placement[] = [placeDirectory(join(imageFolder, below))]
  for (const entry of readdirSync(join(top, below), { withFileTypes: true })) {
    if (below === '' && leftOut.has(entry.name)) continue
    const path = join(below, entry.name)
    const imagePath = join(imageFolder, path)
    const hostPath = join(top, path)
    if (entry.isDirectory()) placements.push(...readFolder(top, path))
    else if (entry.isFile()) placements.push(placeHostFile(imagePath, hostPath))
    else if (entry.isSymbolicLink() && staysInside(top, hostPath)) {
      placements.push(placeSymlink(imagePath, readlinkSync(hostPath)))
    }
  }
  return placements
}

/** Whether a relative link points at something below `top` that is taken too. */
function staysInside(top: string, link: string): boolean {
  const target = readlinkSync(link)
  if (target.startsWith('/')) return false
  const resolved = resolve(dirname(link), target)
  const first = resolved.slice(top.length + 1).split('/')[0] ?? ''
  return resolved.startsWith(`${top}/`) && !leftOut.has(first) && existsSync(resolved)
}
