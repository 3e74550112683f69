/** What an image is made of on the host, as places that a change may lie in. */

import { realpathSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'

export interface Input {
  /** Where it begins: absolute, links in its parents followed; it need not exist. */
  readonly root: string
  /** What it is to the user: `layers[0].entries[0].copy "dist"`. */
  readonly what: string
  /** Whether it takes a path below `root`, with `/`; '' is `root` itself, a folder ends with a slash. Default: all. */
  readonly takes?: ((path: string) => boolean) | undefined
  /** It need not be there; what is missing otherwise is still to be made by a build. */
  readonly optional?: boolean | undefined
}

/** Whether a change of an absolute path concerns an input; a folder's path ends with a separator. */
export function concerns(input: Input, changed: string): boolean {
  const path = pathBelow(input.root, changed)
  if (path !== undefined) return input.takes?.(path) ?? true
  // A submodule, or a file in the place of a folder above.
  return pathBelow(changed, input.root) !== undefined
}

/**
 * `path` below `folder`, with `/`, '' where they are one, a slash at its end kept; undefined where it is not below. Both
 * are absolute and normalised.
 */
export function pathBelow(folder: string, path: string): string | undefined {
  // By text alone: thousands of changes are held against hundreds of inputs.
  const start = folder.endsWith(sep) ? folder : folder + sep
  if (path === start || path + sep === start) return ''
  if (!path.startsWith(start)) return undefined
  const below = path.slice(start.length)
  return sep === '/' ? below : below.split(sep).join('/')
}

/** Links followed as far as the path exists. */
export function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPath(parent), basename(path))
  }
}

/** Links in parents followed, the last name as it is: a link is an input of its own. */
export function realParents(path: string): string {
  const parent = dirname(path)
  return parent === path ? path : join(realPath(parent), basename(path))
}
