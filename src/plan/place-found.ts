/** What was found on the host becomes placements: modes, times, link targets, hard links. */

import { readlinkSync, type Stats } from 'node:fs'
import { OciBuildError } from '../errors.ts'
import type { HostType } from './host-file.ts'
import { hostSourceOf, readStats, unreadable } from './host-file.ts'
import {
  directoryModeSpec,
  fileModeFor,
  fileMtimeFor,
  otherMtimeFor,
  type EntryMetadata,
} from './entry-metadata.ts'
import type { ExecutableRule } from './executable-bit.ts'
import type { Placement } from './placement.ts'

export interface FoundPlacer {
  /** Makes the placement of one thing of the host at an absolute image path. */
  place(imagePath: string, hostPath: string, type: HostType): Placement
}

export interface PlacerOptions {
  readonly origin: string
  readonly metadata: EntryMetadata
  readonly hardLinks: 'copy' | 'preserve'
  readonly executable: ExecutableRule
  readonly windows: boolean
}

/** A placer for one entry: with `hardLinks: 'preserve'` it remembers the files that it placed. */
export function createFoundPlacer(options: PlacerOptions): FoundPlacer {
  const { origin, metadata, executable, windows } = options
  const { owner, mtime } = metadata
  // Windows has no modes to preserve.
  const modeSpec = windows && metadata.mode === 'preserve' ? undefined : metadata.mode
  const dirSpec = directoryModeSpec(metadata)
  const preserveDirectories = dirSpec === 'preserve' && !windows
  const dirMode = dirSpec === 'preserve' ? undefined : dirSpec
  const firstLinks = options.hardLinks === 'preserve' ? new Map<string, string>() : undefined

  const placeFile = (path: string, hostPath: string): Placement => {
    const stats = readStats(hostPath)
    if (!stats.isFile()) throw changed(hostPath)
    if (firstLinks !== undefined && stats.nlink > 1) {
      const target = firstLink(firstLinks, stats, path)
      if (target !== undefined) return { type: 'hardlink', path, origin, target }
    }
    return {
      type: 'file',
      path,
      origin,
      mode: fileModeFor(modeSpec, stats.mode, modeSpec === undefined && executable(hostPath, stats.mode)),
      owner,
      mtime: fileMtimeFor(mtime, stats.mtimeMs),
      source: hostSourceOf(hostPath, stats),
    }
  }

  const placeDirectory = (path: string, hostPath: string): Placement => {
    const stats = preserveDirectories || mtime === 'preserve' ? readStats(hostPath) : undefined
    const mode = preserveDirectories && stats ? stats.mode & 0o7777 : dirMode
    const seconds = otherMtimeFor(mtime, stats?.mtimeMs ?? 0)
    return { type: 'directory', path, origin, mode, owner, mtime: seconds, explicit: false }
  }

  const placeSymlink = (path: string, hostPath: string): Placement => {
    const seconds = otherMtimeFor(mtime, mtime === 'preserve' ? readStats(hostPath).mtimeMs : 0)
    return { type: 'symlink', path, origin, target: readTarget(hostPath, windows), owner, mtime: seconds }
  }

  return {
    place(path, hostPath, type) {
      if (type === 'file') return placeFile(path, hostPath)
      return type === 'directory' ? placeDirectory(path, hostPath) : placeSymlink(path, hostPath)
    },
  }
}

/** The image path of the same file placed before, if any; else remembers this one. */
function firstLink(seen: Map<string, string>, stats: Stats, path: string): string | undefined {
  const key = `${stats.dev}:${stats.ino}`
  const first = seen.get(key)
  if (first === undefined) seen.set(key, path)
  return first === path ? undefined : first
}

/** A symlink's target as it stands, with `/` on Windows. Throws `OCB-NAME-NOT-UTF8`, `OCB-COPY-UNREADABLE`. */
function readTarget(hostPath: string, windows: boolean): string {
  let bytes: Buffer
  try {
    bytes = readlinkSync(hostPath, { encoding: 'buffer' })
  } catch (error) {
    throw unreadable(hostPath, error)
  }
  const target = bytes.toString()
  if (target.includes('\ufffd') && !Buffer.from(target).equals(bytes)) {
    throw new OciBuildError('OCB-NAME-NOT-UTF8', {
      message: `${hostPath}: the target of the symlink is not UTF-8`,
      hint: 'make the link again, or exclude it',
    })
  }
  return windows ? target.replaceAll('\\', '/') : target
}

function changed(hostPath: string): OciBuildError {
  return new OciBuildError('OCB-COPY-UNREADABLE', {
    message: `${hostPath} was a file and is none any more: it changed while it was copied`,
    hint: 'let nothing write to the folder while the image is built',
  })
}
