/** How a `copy` entry turns what it finds on the host into modes, times and links: one set of rules an entry. */

import { readlinkSync, type Stats } from 'node:fs'
import type { MtimeSpec, OwnerSpec } from '../config/resolved-spec.ts'
import { OciBuildError } from '../errors.ts'
import { directoryModeSpec, fileModeFor, type EntryMetadata } from './entry-metadata.ts'
import type { ExecutableRule } from './executable-bit.ts'
import { readStats, unreadable } from './host-file.ts'

export interface PlacerOptions {
  readonly origin: string
  readonly metadata: EntryMetadata
  readonly hardLinks: 'copy' | 'preserve'
  readonly executable: ExecutableRule
  readonly windows: boolean
}

export interface PlacingRules {
  readonly origin: string
  readonly owner: OwnerSpec | undefined
  readonly mtime: MtimeSpec
  /** `lstat` of a regular file. Throws `OCB-COPY-UNREADABLE`, also where it is none any more. */
  fileStats(hostPath: string): Stats
  fileMode(hostPath: string, stats: Stats): number
  /** The image path of the same file placed before, if any and if hard links are kept; else remembers this one. */
  firstLink(stats: Stats, imagePath: () => string): string | undefined
  /** `lstat`, where anything of it is asked for. */
  directoryStats(hostPath: string): Stats | undefined
  /** Undefined: the user names none. */
  directoryMode(stats: Stats | undefined): number | undefined
  /** A symlink's target as it stands, with `/` on Windows. Throws `OCB-NAME-NOT-UTF8`, `OCB-COPY-UNREADABLE`. */
  linkTarget(hostPath: string): string
}

export function createPlacingRules(options: PlacerOptions): PlacingRules {
  const { origin, metadata, executable, windows } = options
  const { owner, mtime } = metadata
  // Windows has no modes to preserve.
  const modeSpec = windows && metadata.mode === 'preserve' ? undefined : metadata.mode
  const dirSpec = directoryModeSpec(metadata)
  const preserveDirectories = dirSpec === 'preserve' && !windows
  const dirMode = dirSpec === 'preserve' ? undefined : dirSpec
  const firstLinks = options.hardLinks === 'preserve' ? new Map<string, string>() : undefined
  return {
    origin,
    owner,
    mtime,
    fileStats(hostPath) {
      const stats = readStats(hostPath)
      if (!stats.isFile()) throw changed(hostPath)
      return stats
    },
    fileMode: (hostPath, { mode }) =>
      fileModeFor(modeSpec, mode, modeSpec === undefined && executable(hostPath, mode)),
    firstLink: (stats, imagePath) =>
      firstLinks !== undefined && stats.nlink > 1 ? firstLink(firstLinks, stats, imagePath()) : undefined,
    directoryStats: (hostPath) =>
      preserveDirectories || mtime === 'preserve' ? readStats(hostPath) : undefined,
    directoryMode: (stats) => (preserveDirectories && stats ? stats.mode & 0o7777 : dirMode),
    linkTarget: (hostPath) => readTarget(hostPath, windows),
  }
}

function firstLink(seen: Map<string, string>, stats: Stats, path: string): string | undefined {
  const key = `${stats.dev}:${stats.ino}`
  const first = seen.get(key)
  if (first === undefined) seen.set(key, path)
  return first === path ? undefined : first
}

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
