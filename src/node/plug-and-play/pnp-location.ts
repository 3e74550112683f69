/** Where a package of Plug'n'Play lies: in an archive, unplugged in a folder, or where somebody works on it. */

import { isAbsolute, posix, relative, resolve, sep } from 'node:path'

export interface PnpLocation {
  /** Absolute host path: of the archive, or of the package's folder. */
  readonly hostPath: string
  readonly isArchive: boolean
  /** For the image, relative to the project's root: what the package is found by, and where `hostPath` goes. */
  readonly location: string
  readonly imagePath: string
}

/**
 * Archives of the global cache go where Yarn keeps them without one, in `.yarn/cache`. `location` is relative to `root`,
 * with `/`; yarnpkg.com, PnP Specification, virtual folders.
 */
export function locate(root: string, location: string): PnpLocation {
  const virtual = /^(.*?)\/?__virtual__\/([^/]+)\/(\d+)\/(.*)$/.exec(location)
  const [, before = '', id = '', depth = '', rest = ''] = virtual ?? []
  const up = Array.from({ length: Number(depth) }, () => '..')
  const actual = virtual === null ? location : posix.join(before, ...up, rest)
  const [, archive, inside = ''] = /^(.*\.zip)\/(.*)$/.exec(actual) ?? []
  const hostPath = resolve(root, archive ?? actual)
  const below = relative(root, hostPath).split(sep).join('/')
  const isOutside = below === '..' || below.startsWith('../') || isAbsolute(below)
  if (archive === undefined || !isOutside) {
    return { hostPath, isArchive: archive !== undefined, location, imagePath: below }
  }
  const name = posix.basename(archive)
  // As Yarn itself counts folders up from `.yarn`: packages are told apart by the text of their location.
  const way = virtual === null ? './.yarn' : `./.yarn/__virtual__/${id}/0`
  return {
    hostPath,
    isArchive: true,
    location: `${way}/cache/${name}/${inside}`,
    imagePath: `.yarn/cache/${name}`,
  }
}
