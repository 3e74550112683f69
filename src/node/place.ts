/** Short ways to write the placements of a base that is put together from this host. */

import { lstatSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Placement } from '../plan/placement.ts'

const origin = 'host:node'
const rootOwner = '0:0'

/** A directory with all that its kind needs; `mode` defaults to 0755, `owner` to root. */
export function placeDirectory(path: string, mode = 0o755, owner: string = rootOwner): Placement {
  return { type: 'directory', path, origin, mode, owner, mtime: 0, explicit: true }
}

export function placeSymlink(path: string, target: string): Placement {
  return { type: 'symlink', path, origin, target, owner: rootOwner, mtime: 0 }
}

/** A file whose bytes are known; `mode` defaults to 0644. */
export function placeText(path: string, text: string, mode = 0o644): Placement {
  const source = { kind: 'bytes', bytes: new TextEncoder().encode(text) } as const
  return { type: 'file', path, origin, mode, owner: rootOwner, mtime: 'content', source }
}

/** A copy of a regular file of the host (no link). Throws the file system's errors. */
export function placeHostFile(path: string, hostPath: string, mode = 0o644): Placement {
  const { size, mtimeMs, ctimeMs, ino } = lstatSync(hostPath)
  const source = { kind: 'host', path: hostPath, size, mtimeMs, ctimeMs, ino } as const
  return { type: 'file', path, origin, mode, owner: rootOwner, mtime: 'content', source }
}

/** The file behind a host path with its links followed, when it is a regular one with something in it. */
export function findHostFile(path: string): string | undefined {
  try {
    const realPath = realpathSync(path)
    const stat = lstatSync(realPath)
    return stat.isFile() && stat.size > 0 ? realPath : undefined
  } catch {
    return undefined
  }
}

/** The placements, each path once (the first wins), parents added where they are missing, sorted by path. */
export function completeTree(placements: readonly Placement[]): readonly Placement[] {
  const byPath = new Map<string, Placement>()
  for (const placement of placements) {
    if (!byPath.has(placement.path)) byPath.set(placement.path, placement)
  }
  for (const { path } of placements) {
    for (let parent = dirname(path); !byPath.has(parent); parent = dirname(parent)) {
      byPath.set(parent, placeDirectory(parent))
    }
  }
  return [...byPath.values()].sort((one, other) => (one.path < other.path ? -1 : 1))
}
