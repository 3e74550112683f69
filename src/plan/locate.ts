/** From a path that an entry names to the thing on the host, kept inside the entry's root. */

import { readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { nearest } from '../config/nearest.ts'
import { OciBuildError, systemErrorCode } from '../errors.ts'
import { checkName } from './host-names.ts'
import { hostTypeOf, statsIfPresent, unreadable, type HostType } from './host-file.ts'

export interface Located {
  /** Below the root, with `/`; '' is the root itself. */
  readonly path: string
  /** Absolute; where a link was followed, what it points at. */
  readonly hostPath: string
  readonly type: HostType
}

/**
 * Finds the path that an entry names. Throws as `locateIfPresent`, and `OCB-COPY-NO-MATCH` where nothing is.
 * `at` names the key that holds it.
 */
export function locate(root: string, text: string, at: string, follow: boolean): Located {
  const located = locateIfPresent(root, text, at, follow)
  if (located === undefined) throw noMatch(root, text, at, misspelt(root, text, at))
  return located
}

/** What to do where something of a name much like it is there; undefined where nothing is. */
function misspelt(root: string, text: string, at: string): string | undefined {
  let folder = ''
  for (const name of pathBelowRoot(root, text, at).split('/')) {
    const names = namesIn(resolve(root, folder))
    if (!names.includes(name)) {
      const near = nearest(name, names)
      return near && `did you mean "${folder}${near}"? Else run your build first, or add it to prepare`
    }
    folder += `${name}/`
  }
  return undefined
}

/** None of what is no folder, or cannot be read. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/**
 * Finds the path that an entry names, or undefined where nothing is. Throws `OCB-COPY-OUTSIDE-ROOT` when the
 * path, or a link in its parents, leaves the root; `OCB-SPEC-HOST-PATH` for a NUL in it; `OCB-COPY-SPECIAL-FILE`.
 */
export function locateIfPresent(
  root: string,
  text: string,
  at: string,
  follow: boolean,
): Located | undefined {
  const path = pathBelowRoot(root, text, at)
  const hostPath = resolve(root, path)
  const stats = statsIfPresent(hostPath)
  if (stats === undefined) return undefined
  if (path !== '') {
    if (path.includes('/')) insideRoot(root, dirname(hostPath), `${at} "${text}"`)
    checkName(dirname(hostPath), path.slice(path.lastIndexOf('/') + 1))
  } else if (stats.isSymbolicLink()) {
    // The root was named by the user, so a root that is a link is looked through.
    return { path, hostPath: realPath(hostPath), type: hostTypeOf(hostPath, statSync(hostPath)) }
  }
  const type = hostTypeOf(hostPath, stats)
  return type === 'symlink' && follow
    ? { path, ...followLink(root, hostPath, `${at} "${text}"`) }
    : { path, hostPath, type }
}

/** The path relative to the root, with `/`, normalised; '' is the root. Looks at no file. */
export function pathBelowRoot(root: string, text: string, at: string): string {
  if (text.includes('\0')) {
    throw new OciBuildError('OCB-SPEC-HOST-PATH', {
      message: `${at} ${JSON.stringify(text)} holds a NUL character; wanted a path of the host`,
    })
  }
  const path = relative(root, resolve(root, text))
  if (path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)) {
    throw outsideRoot(root, `${at} "${text}"`, resolve(root, text))
  }
  return sep === '/' ? path : path.replaceAll(sep, '/')
}

/**
 * What a symlink points at, in the end; `what` names it in messages. Throws `OCB-COPY-OUTSIDE-ROOT`, `OCB-COPY-LINK-BROKEN` when nothing is
 * there and `OCB-COPY-LINK-LOOP` when it leads back to itself.
 */
export function followLink(
  root: string,
  hostPath: string,
  what: string = hostPath,
): { readonly hostPath: string; readonly type: HostType } {
  const real = realPath(hostPath)
  insideRoot(root, real, what)
  return { hostPath: real, type: hostTypeOf(hostPath, statSync(real)) }
}

/** Throws `OCB-COPY-OUTSIDE-ROOT` unless the path, all links followed, lies in the root, all links followed. */
function insideRoot(root: string, hostPath: string, what: string): void {
  const real = realPath(hostPath)
  const realRoot = realPath(root)
  const path = relative(realRoot, real)
  if (path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)) throw outsideRoot(root, what, real)
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    const code = systemErrorCode(error)
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') throw unreadable(path, error)
    throw new OciBuildError(code === 'ELOOP' ? 'OCB-COPY-LINK-LOOP' : 'OCB-COPY-LINK-BROKEN', {
      message: `${path} is a symlink that ${code === 'ELOOP' ? 'leads back to itself' : 'points at nothing'}, and follow copies what links point at`,
      hint: 'remove or exclude the link, or leave follow out to copy it as a link',
      cause: error,
    })
  }
}

function outsideRoot(root: string, what: string, seen: string): OciBuildError {
  return new OciBuildError('OCB-COPY-OUTSIDE-ROOT', {
    message: `${what} leads to ${seen}, outside of the root ${root}`,
    hint: "set the entry's root to a folder that holds it",
  })
}

export function noMatch(root: string, text: string, at: string, hint?: string): OciBuildError {
  return new OciBuildError('OCB-COPY-NO-MATCH', {
    message: `${at} "${text}" matched no files in ${root}`,
    hint: hint ?? 'run your build first, or add it to prepare',
  })
}
