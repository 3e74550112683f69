/** The layers below, growing as layers are made: the base's names are read only when somebody asks. */

import { OciBuildError } from '../errors.ts'
import { readImageFile } from '../rootfs/read-image-file.ts'
import type { LayerEntry } from '../rootfs/tree-types.ts'
import type { Changeset, ChangesetEntry } from './changeset.ts'
import type { BaseFiles, LowerFiles, OpenLower, OwnerMemory } from './lower.ts'
import { readWhole, sourceSize } from './read-source.ts'

export interface LowerStack {
  /** Opens the base with the layers that were pushed so far, and no later ones, whenever it is called. */
  opener(): OpenLower
  /** Lays a layer on top; its changeset is asked for when a layer above looks below. */
  push(changeset: () => Promise<Changeset>): void
}

/** `openBase` gives the base's files, and is called at most once; `cacheDir` keeps what is read of them. */
export function createLowerStack(openBase: () => Promise<BaseFiles>, cacheDir: string): LowerStack {
  const pushed: (() => Promise<Changeset>)[] = []
  /** Those that the tree holds. */
  const changesets: Changeset[] = []
  let opened: Promise<BaseFiles> | undefined
  let baseLayers = 0

  const readFile = async (base: BaseFiles, path: string, maxBytes: number): Promise<Uint8Array> => {
    const node = base.tree.get(path)
    const own = node && node.layer >= baseLayers ? changesets[node.layer - baseLayers] : undefined
    if (!own) return readImageFile(base, path, { maxBytes, cacheDir })
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

  const baseOwners = ({ tree, owners }: BaseFiles): OwnerMemory | undefined => {
    if (owners === undefined) return undefined
    const isOfBase = (path: string): boolean => {
      const node = tree.get(tree.resolve(path, { followLast: true }))
      // Where nothing is, a layer may have removed it.
      return node === undefined ? !changesets.some(hides) : node.layer < baseLayers
    }
    return isOfBase('etc/passwd') && isOfBase('etc/group') ? owners : undefined
  }

  const openBelow = async (count: number): Promise<LowerFiles> => {
    opened ??= openBase().then((base) => {
      baseLayers = base.tree.layers
      return base
    })
    const base = await opened
    while (changesets.length < count) {
      // May look below itself: at exactly what the tree holds now.
      const changeset = await pushed[changesets.length]?.()
      if (changeset === undefined) break
      base.tree.apply(changeset.entries.map(layerEntry))
      changesets.push(changeset)
    }
    return {
      tree: base.tree,
      readFile: (path, maxBytes) => readFile(base, path, maxBytes),
      owners: () => baseOwners(base),
    }
  }

  return {
    opener() {
      const count = pushed.length
      return () => openBelow(count)
    },
    push: (changeset) => void pushed.push(changeset),
  }
}

function hides(changeset: Changeset): boolean {
  return changeset.entries.some(({ type }) => type === 'whiteout' || type === 'opaque')
}

function findFile(changeset: Changeset, path: string): Extract<ChangesetEntry, { type: 'file' }> | undefined {
  for (const entry of changeset.entries) {
    if (entry.path !== path) continue
    if (entry.type === 'file') return entry
    if (entry.type === 'hardlink') return findFile(changeset, entry.target)
  }
  return undefined
}

function layerEntry(entry: ChangesetEntry): LayerEntry {
  const { path, type, mode, uid, gid } = entry
  return {
    path,
    type,
    mode,
    uid,
    gid,
    mtime: 0,
    size: type === 'file' ? sourceSize(entry.source) : 0,
    target: 'target' in entry ? entry.target : undefined,
    xattrs: 'xattrs' in entry ? entry.xattrs : undefined,
  }
}
