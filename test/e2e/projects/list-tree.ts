/** A folder as a list that two can be compared by: files by what is in them, links by where they point. */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** By path below the folder: `-> target`, or the length and the start of a digest; directories have no line. */
export type TreeListing = Readonly<Record<string, string>>

export function listTree(root: string): TreeListing {
  const found: Record<string, string> = {}
  const visit = (below: string): void => {
    for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.isDirectory()) visit(path)
      else if (entry.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(root, path)).replace(/\/$/, '')}`
      else {
        const bytes = readFileSync(join(root, path))
        found[path] = `${bytes.length} ${createHash('sha1').update(bytes).digest('hex').slice(0, 12)}`
      }
    }
  }
  visit('')
  return found
}

/** What managers keep for themselves, which differs from one install to the next. */
const bookkeeping =
  /(?:^|\/)node_modules\/(?:\.pnpm\/)?(?:\.package-lock\.json|\.modules\.yaml|\.yarn-state\.yml|\.yarn-integrity|\.pnpm-workspace-state[^/]*|lock\.yaml|\.cache\/.*)$/

/** The part of a listing that lies in any `node_modules`, without bookkeeping, by `keep`. */
export function dependenciesOf(tree: TreeListing, keep: (path: string) => boolean = () => true): TreeListing {
  return pick(tree, (path) => /(?:^|\/)node_modules\//.test(path) && !bookkeeping.test(path) && keep(path))
}

export function pick(tree: TreeListing, keep: (path: string) => boolean): TreeListing {
  return Object.fromEntries(Object.entries(tree).filter(([path]) => keep(path)))
}

/** What one listing has and the other has not, or otherwise: empty where they are alike. */
export function differences(one: TreeListing, other: TreeListing): readonly string[] {
  const paths = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort()
  return paths
    .filter((path) => one[path] !== other[path])
    .map((path) => `${path}: ${one[path]} / ${other[path]}`)
}
