/** Walks a folder of the host: which files, folders and links a copy of it takes. Nothing is read. */

import { sep } from 'node:path'
import { OciBuildError } from '../errors.ts'
import type { CopyFilter, DirectoryVerdict, FilterState } from './copy-filter.ts'
import { isNeverCopied, type ExcludedPaths } from './excluded-paths.ts'
import {
  folderLetters,
  hostTypeOf,
  listFolder,
  readStats,
  type HostType,
  type ListingMemory,
} from './host-file.ts'
import { checkName } from './host-names.ts'
import { followLink } from './locate.ts'

export interface Found {
  /** Below the walked folder, with `/`. */
  readonly path: string
  /** Absolute; of a followed link what it points at. */
  readonly hostPath: string
  readonly type: HostType
}

export interface WalkOptions {
  readonly excluded: ExcludedPaths
  readonly filter: CopyFilter | undefined
  /** Where symlinks are followed, the folder that they may not leave. */
  readonly followRoot: string | undefined
  /** Where the walk begins, below the folder that the filter speaks of, and what holds there. Default: at its top. */
  readonly start?: { readonly path: string; readonly state: FilterState | undefined } | undefined
  /** Knows what folders held that are still what they were. Absent: all are listed. */
  readonly listings?: ListingMemory | undefined
}

/** Is told what a walk takes, in its order. */
export interface Taker {
  /**
   * `inside` counts what was taken before its folder was, -1 is the walked folder; `path` and `hostPath` as in `Found`,
   * `name` is the last part of `path`.
   */
  take(inside: number, name: string, path: string, hostPath: string, type: HostType): void
  /** What was taken last is a folder in which nothing is taken, and is not taken for its own sake. */
  takeBack(): void
}

/** All that is taken below a folder: see `walkInto`. */
export function walkFolder(folder: string, options: WalkOptions): readonly Found[] {
  const found: Found[] = []
  walkInto(folder, options, {
    take: (_inside, _name, path, hostPath, type) => void found.push({ path, hostPath, type }),
    takeBack: () => void found.pop(),
  })
  return found
}

/**
 * Tells what is taken below a folder, each folder before what it holds, names in byte order. Folders on the way to
 * something that was taken are taken too. `path`s are relative to where the filter's patterns are. Throws
 * `OCB-COPY-SPECIAL-FILE`, `OCB-COPY-UNREADABLE`, `OCB-COPY-OUTSIDE-ROOT`, `OCB-COPY-LINK-BROKEN`,
 * `OCB-COPY-LINK-LOOP`, `OCB-NAME-WHITEOUT` and `OCB-NAME-NOT-UTF8` for what is taken.
 */
export function walkInto(folder: string, options: WalkOptions, taker: Taker): void {
  const { excluded, filter, followRoot, start, listings } = options
  let taken = 0
  const open = new Set<string>()
  const { paths: excludedPaths, parents: excludedParents } = excluded
  const excludes = excludedPaths.size > 0

  const visit = (directory: string, inside: number, prefix: string, state: FilterState | undefined): void => {
    const hostPrefix = directory.endsWith(sep) ? directory : directory + sep
    const { names, types } = listFolder(directory, listings)
    let index = -1
    for (const name of names) {
      index += 1
      const letter = types[index]
      // Asked of few: this is the hot path.
      if (name.startsWith('.') && isNeverCopied(name)) continue
      const hostPath = hostPrefix + name
      if (excludes && excludedPaths.has(hostPath)) continue
      const path = prefix + name
      const linked = followRoot !== undefined && letter === folderLetters.symlink
      if (linked || letter === folderLetters.directory) {
        const entered = filter !== undefined && state !== undefined ? filter.enter(path, state) : undefined
        if (entered?.verdict === 'skip') continue
        checkName(directory, name)
        if (linked) follow(inside, name, path, hostPath, entered, followRoot)
        else enter(inside, name, path, hostPath, entered)
        continue
      }
      if (filter !== undefined && state !== undefined && !filter.takes(path, state)) continue
      checkName(directory, name)
      taker.take(inside, name, path, hostPath, typeOf(letter, hostPath))
      taken += 1
    }
  }

  const enter = (
    inside: number,
    name: string,
    path: string,
    hostPath: string,
    entered: DirectoryVerdict | undefined,
  ): void => {
    const before = taken
    taker.take(inside, name, path, hostPath, 'directory')
    taken += 1
    if (followRoot !== undefined) {
      refuseLoop(open, hostPath, path)
      open.add(hostPath)
    }
    visit(hostPath, before, `${path}/`, entered?.state)
    open.delete(hostPath)
    const through = entered?.verdict === 'through' || (excludes && excludedParents.has(hostPath))
    if (!through || taken !== before + 1) return
    taker.takeBack()
    taken = before
  }

  const follow = (
    inside: number,
    name: string,
    path: string,
    hostPath: string,
    entered: DirectoryVerdict | undefined,
    root: string,
  ): void => {
    const target = followLink(root, hostPath)
    if (excludes && excludedPaths.has(target.hostPath)) return
    if (target.type === 'directory') enter(inside, name, path, target.hostPath, entered)
    else if (entered?.verdict !== 'through') {
      taker.take(inside, name, path, target.hostPath, target.type)
      taken += 1
    }
  }

  open.add(folder)
  visit(
    folder,
    -1,
    start === undefined || start.path === '' ? '' : `${start.path}/`,
    start?.state ?? filter?.top,
  )
}

function typeOf(letter: string | undefined, hostPath: string): HostType {
  if (letter === folderLetters.file) return 'file'
  return letter === folderLetters.symlink ? 'symlink' : hostTypeOf(hostPath, readStats(hostPath))
}

function refuseLoop(open: ReadonlySet<string>, hostPath: string, path: string): void {
  if (!open.has(hostPath)) return
  throw new OciBuildError('OCB-COPY-LINK-LOOP', {
    message: `${path} is a symlink to ${hostPath}, a folder that holds it, and follow copies what links point at`,
    hint: 'exclude the link, or leave follow out to copy it as a link',
  })
}
