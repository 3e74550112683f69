/** A base made of facts: it answers what a lock knows, and says so when it does not. */

import type { BaseFiles } from '../layer/lower.ts'
import type { TextMemory } from '../rootfs/text-memory.ts'
import { createTree } from '../rootfs/tree.ts'
import type { LayerEntry, Tree } from '../rootfs/tree-types.ts'
import type { BaseFacts } from './lock.ts'
import { watchTree } from './watch-tree.ts'

/** Thrown by the tree and the owners: the facts do not answer this question. Never seen outside of a plan. */
export class UnknownFact extends Error {
  /** `/usr/bin/x`, or `the owner "node"`. */
  readonly what: string

  constructor(what: string) {
    super(`nothing is known of ${what}`)
    this.what = what
  }
}

/** A base of these layers as the facts tell of it; bytes of its files are read from the layers. Throws `UnknownFact`. */
export function factsBase(base: Pick<BaseFiles, 'store' | 'layers'>, facts: BaseFacts): BaseFiles {
  const { paths, owners } = facts
  const live = factsTree(facts, base.layers.length)
  const baseIsEmpty =
    isListed(facts, '') && !Array.from(paths).some(([path, fact]) => path !== '' && fact !== 'absent')
  const tree = watchTree(live, {
    node(path) {
      if (!isKnown(facts, path)) throw new UnknownFact(`/${path}`)
    },
    names(path) {
      if (!isListed(facts, path)) throw new UnknownFact(`/${path}`)
    },
    isEmpty: () => baseIsEmpty && live.isEmpty(),
  })
  return {
    ...base,
    tree,
    owners: {
      get(owner) {
        const ids = owners.get(owner)
        if (ids === undefined) throw new UnknownFact(`the owner "${owner}"`)
        return ids
      },
      keep: () => undefined,
    },
  }
}

/** What the facts tell of the base's programs. Throws `UnknownFact` for what they do not. */
export function factsPrograms({ programs }: BaseFacts): TextMemory {
  return {
    get(question) {
      const answer = programs.get(question)
      if (answer === undefined) throw new UnknownFact(`what it has of "${question}"`)
      return answer
    },
    keep: () => undefined,
  }
}

/** Files lie in the layers that hold their bytes, all else in the lowest. */
function factsTree({ paths }: BaseFacts, layerCount: number): Tree {
  const layers: LayerEntry[][] = Array.from({ length: layerCount }, () => [])
  for (const [path, fact] of paths) {
    if (fact === 'absent') continue
    const { type, mode, uid, gid, target, xattrs, layer = 0 } = fact
    const entries = layers[layer]
    if (entries === undefined) throw new UnknownFact(`the layer ${layer}, in which /${path} should be`)
    entries.push({ path, type, mode, uid, gid, target, xattrs, mtime: 0, size: 0 })
  }
  return createTree(layers)
}

/** Whether the facts tell what, if anything, is at a path. */
function isKnown({ paths }: BaseFacts, path: string): boolean {
  let end = path === '' ? 0 : path.indexOf('/')
  let parent = ''
  for (;;) {
    const at = end < 0 ? path : path.slice(0, end)
    const fact = paths.get(at)
    // A name that a listed directory does not have among the facts is not there.
    if (fact === undefined) return at !== '' && listedAt(paths, parent)
    if (at === path || fact === 'absent' || fact.type !== 'directory') return true
    parent = at
    end = path.indexOf('/', end + 1)
  }
}

/** Whether the facts tell all that is directly in a path. */
function isListed(facts: BaseFacts, path: string): boolean {
  const fact = facts.paths.get(path)
  if (fact === undefined) return isKnown(facts, path)
  // The root is there, whether or not a layer has an entry for it.
  if (fact === 'absent') return path !== ''
  return fact.type !== 'directory' || fact.listed === true
}

function listedAt(paths: BaseFacts['paths'], path: string): boolean {
  const fact = paths.get(path)
  return typeof fact === 'object' && fact.listed === true
}
