/** The layers below, growing as layers are made: the base's names are read only when somebody asks. */

import { OciBuildError } from '../errors.ts'
import { readImageFile } from '../rootfs/read-image-file.ts'
import { ClosedDirectory } from '../rootfs/tree-types.ts'
import type { Changeset, ChangesetEntry } from './changeset.ts'
import { layerEntry } from './layer-entry.ts'
import type { LayerSketch } from './layer-sketch.ts'
import type { BaseFiles, LowerFiles, OpenLower, OwnerMemory } from './lower.ts'
import { readWhole, sourceSize } from './read-source.ts'

/** A layer that others may lie on. */
export interface LowerLayer {
  /** Asked for when a layer above looks below, and the sketch does not do. */
  changeset(): Promise<Changeset>
  /** The top of what it holds, where that is known without a changeset. */
  readonly sketch?: LayerSketch | undefined
}

export interface LowerStack {
  /** Opens the base with the layers that were pushed so far, and no later ones, whenever it is called. */
  opener(): OpenLower
  /** Lays a layer on top. */
  push(layer: LowerLayer): void
}

/** What the tree holds: layers by their changesets, or by their sketches. */
interface Opened {
  readonly base: BaseFiles
  readonly baseLayers: number
  readonly whole: boolean
  readonly layers: (Changeset | undefined)[]
}

/** `openBase` gives the base's files, and is called at most twice; `cacheDir` keeps what is read of them. */
export function createLowerStack(openBase: () => Promise<BaseFiles>, cacheDir: string): LowerStack {
  const pushed: LowerLayer[] = []
  let opened: Promise<Opened> | undefined
  const openAs = async (whole: boolean): Promise<Opened> => {
    const base = await openBase()
    return { base, baseLayers: base.tree.layers, whole, layers: [] }
  }

  const readFile = async (
    { base, baseLayers, layers }: Opened,
    path: string,
    maxBytes: number,
  ): Promise<Uint8Array> => {
    const node = base.tree.get(path)
    if (node === undefined || node.layer < baseLayers) {
      return readImageFile(base, path, { maxBytes, cacheDir })
    }
    const own = layers[node.layer - baseLayers]
    if (own === undefined) throw new ClosedDirectory(path)
    const entry = findFile(own, path)
    const size = entry ? sourceSize(entry.source) : 0
    if (!entry || size > maxBytes) {
      throw new OciBuildError('OCB-FILE-TOO-LARGE', {
        message: `cannot use /${path} of the layer "${own.name}": ${entry ? `${size} bytes, wanted at most ${maxBytes}` : 'it is no file'}`,
        hint: 'name a smaller file',
      })
    }
    const buffer = Buffer.alloc(size)
    readWhole(entry.source, buffer, 0)
    return buffer
  }

  const baseOwners = ({ base, baseLayers, layers }: Opened): OwnerMemory | undefined => {
    const { tree, owners } = base
    if (owners === undefined) return undefined
    const isOfBase = (path: string): boolean => {
      const node = tree.get(tree.resolve(path, { followLast: true }))
      // Where nothing is, a layer may have removed it.
      return node === undefined ? !layers.some(hides) : node.layer < baseLayers
    }
    return isOfBase('etc/passwd') && isOfBase('etc/group') ? owners : undefined
  }

  const openBelow = async (count: number, whole: boolean): Promise<LowerFiles> => {
    opened ??= openAs(whole)
    // What was laid on a sketch cannot be told from what lies below it.
    if (whole && !(await opened).whole) opened = openAs(true)
    const now = await opened
    const { tree } = now.base
    for (let next = pushed[now.layers.length]; next && now.layers.length < count;) {
      const { sketch } = next
      if (sketch !== undefined && !now.whole) {
        tree.apply(sketch.entries)
        for (const path of sketch.closed) tree.close(path)
        now.layers.push(undefined)
      } else {
        // May look below itself: at exactly what the tree holds now.
        const changeset = await next.changeset()
        tree.apply(changeset.entries.map(layerEntry))
        now.layers.push(changeset)
      }
      next = pushed[now.layers.length]
    }
    return {
      tree,
      readFile: (path, maxBytes) => readFile(now, path, maxBytes),
      owners: () => baseOwners(now),
    }
  }

  return {
    opener() {
      const count = pushed.length
      return (whole = false) => openBelow(count, whole)
    },
    push: (layer) => void pushed.push(layer),
  }
}

/** A layer that hides something has no sketch. */
function hides(changeset: Changeset | undefined): boolean {
  return changeset?.entries.some(({ type }) => type === 'whiteout' || type === 'opaque') === true
}

function findFile(changeset: Changeset, path: string): Extract<ChangesetEntry, { type: 'file' }> | undefined {
  for (const entry of changeset.entries) {
    if (entry.path !== path) continue
    if (entry.type === 'file') return entry
    if (entry.type === 'hardlink') return findFile(changeset, entry.target)
  }
  return undefined
}
