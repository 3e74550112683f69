/** What a plan asks of a base, written down while it asks. */

import type { BaseFiles } from '../layer/lower.ts'
import type { Owner } from '../rootfs/owners.ts'
import { createTree } from '../rootfs/tree.ts'
import type { LayerEntry, Tree, TreeNode } from '../rootfs/tree-types.ts'
import type { BaseFacts, NodeFact, PathFact } from './lock.ts'
import { watchTree } from './watch-tree.ts'

export interface FactRecorder {
  /** A base to plan over; what is asked of it is among the facts from then on. Each call gives another. */
  open(): BaseFiles
  facts(): BaseFacts
}

/** `names` are the entries of the base's layers, lowest first. */
export function recordFacts(
  base: Pick<BaseFiles, 'store' | 'layers'>,
  names: readonly (readonly LayerEntry[])[],
): FactRecorder {
  // The one that is asked changes with each layer that is laid on top; facts are of the base alone.
  const pristine = createTree(names)
  const nodes = new Set<string>()
  const listed = new Set<string>()
  const owners = new Map<string, Owner>()
  return {
    open() {
      const live = createTree(names)
      const tree = watchTree(live, {
        node: (path) => void nodes.add(path),
        names: (path) => void listed.add(path),
        isEmpty() {
          // Where layers have hidden all of it, the base is asked on, as it will be when facts answer.
          if (!pristine.isEmpty()) return false
          listed.add('')
          return live.isEmpty()
        },
      })
      const keep = (owner: string, { uid, gid }: Owner): void => void owners.set(owner, { uid, gid })
      return { ...base, tree, owners: { get: () => undefined, keep } }
    },
    facts: () => ({ owners, paths: factsOf(pristine, nodes, listed), programs: new Map() }),
  }
}

/** Facts of the same base: two images may stand on it. Where both know a path, they know the same. */
export function mergeFacts(all: readonly BaseFacts[]): BaseFacts {
  const paths = new Map<string, PathFact>()
  const owners = new Map<string, Owner>()
  const programs = new Map<string, string>()
  for (const facts of all) {
    for (const [question, answer] of facts.programs) programs.set(question, answer)
    for (const [owner, ids] of facts.owners) owners.set(owner, ids)
    for (const [path, fact] of facts.paths) {
      const known = paths.get(path)
      if (known === undefined || !isListed(known)) paths.set(path, fact)
    }
  }
  dropImplied(paths)
  return { paths, owners, programs }
}

function factsOf(base: Tree, nodes: Iterable<string>, listed: Iterable<string>): Map<string, PathFact> {
  const paths = new Map<string, PathFact>()
  /** Notes what leads to a path; its node where all of that are directories. */
  const note = (path: string): TreeNode | undefined => {
    let end = path === '' ? 0 : path.indexOf('/')
    for (;;) {
      const at = end < 0 ? path : path.slice(0, end)
      const node = base.get(at)
      if (!paths.has(at)) paths.set(at, node === undefined ? 'absent' : factOf(node))
      if (at === path || node?.type !== 'directory') return at === path ? node : undefined
      end = path.indexOf('/', end + 1)
    }
  }
  const list = (path: string): void => {
    const node = note(path)
    if (path !== '' && node?.type !== 'directory') return
    paths.set(path, { ...(node === undefined ? impliedRoot : factOf(node)), listed: true })
    for (const name of base.childNames(path)) note(path === '' ? name : `${path}/${name}`)
  }
  for (const path of nodes) note(path)
  for (const path of listed) list(path)
  for (const [path, missing] of countMissing(paths)) {
    // What a directory has takes fewer lines than what it has not, and answers for names that are yet to come.
    if (base.childNames(path).length <= missing) list(path)
  }
  dropImplied(paths)
  return paths
}

/** How many names a directory was asked for that it does not have. */
function countMissing(paths: ReadonlyMap<string, PathFact>): ReadonlyMap<string, number> {
  const missing = new Map<string, number>()
  for (const [path, fact] of paths) {
    if (fact !== 'absent' || path === '') continue
    const folder = folderOf(path)
    missing.set(folder, (missing.get(folder) ?? 0) + 1)
  }
  return missing
}

/** Drops what is absent from a directory whose names are all known. */
function dropImplied(paths: Map<string, PathFact>): void {
  for (const [path, fact] of paths) {
    const folder = paths.get(folderOf(path))
    if (fact === 'absent' && path !== '' && folder !== undefined && isListed(folder)) paths.delete(path)
  }
}

function isListed(fact: PathFact): boolean {
  return fact !== 'absent' && fact.listed === true
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

/** A root that no layer has an entry for. */
const impliedRoot: NodeFact = { type: 'directory', mode: 0o755, uid: 0, gid: 0 }

function factOf(node: TreeNode): NodeFact {
  const { type, mode, uid, gid, target, xattrs, layer } = node
  if (type === 'whiteout' || type === 'opaque') throw new Error(`a ${type} in a tree`)
  const isFile = type === 'file' || type === 'hardlink'
  return { type, mode, uid, gid, target, xattrs, layer: isFile ? layer : undefined }
}
