/** Paths with the symlinks of an image followed, as the kernel of a container does. */

import { OciBuildError } from '../errors.ts'
import type { TreeNode } from './tree-types.ts'

/** Linux' own limit on the links of one path. */
const maxLinks = 40

/** What `Tree.resolve` promises, over any way to look at one path. Throws `OCB-PATH-LOOP` after 40 links. */
export function resolvePath(
  get: (path: string) => TreeNode | undefined,
  path: string,
  options: { readonly followLast?: boolean } = {},
): string {
  const pending = splitPath(path).toReversed()
  const done: string[] = []
  let links = 0
  while (pending.length > 0) {
    const name = pending.pop()
    if (name === undefined) break
    if (name === '..') {
      done.pop()
      continue
    }
    done.push(name)
    if (pending.length === 0 && options.followLast !== true) break
    const node = get(done.join('/'))
    if (node?.type !== 'symlink' || node.target === undefined) continue
    links += 1
    if (links > maxLinks) throw loop(path)
    if (node.target.startsWith('/')) done.length = 0
    else done.pop()
    pending.push(...splitPath(node.target).toReversed())
  }
  return done.join('/')
}

function splitPath(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}

function loop(path: string): OciBuildError {
  return new OciBuildError('OCB-PATH-LOOP', {
    message: `cannot resolve /${path.replace(/^\/+/, '')} in the image: more than ${maxLinks} symbolic links lead on from it`,
    hint: 'write the path that the links should have led to',
  })
}
