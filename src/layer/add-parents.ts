/** Every parent of every entry is written: as a lower layer has it, else 0755 of 0:0 (contract, Parents). */

import { OciBuildError } from '../errors.ts'
import { parentOf, type Draft, type DraftOwner } from './draft.ts'
import type { LowerView } from './lower-view.ts'

/** Adds the missing parents of what the draft holds, and the directories of `also` with theirs. */
export function addParents(draft: Draft, view: LowerView, also: Iterable<string>): void {
  const add = (path: string, writer: () => string): void => {
    if (path === '') return
    const holder = draft.get(path)
    if (holder?.type === 'directory') return
    if (holder !== undefined) {
      throw new OciBuildError('OCB-ENTRY-BELOW-FILE', {
        message: `${writer()}, but ${holder.origin ?? 'the layer'} makes /${path} a ${holder.type}`,
        hint: 'a layer cannot hold both; write one of them to another path',
      })
    }
    const below = view.get(path)
    if (below && below.type !== 'directory') {
      throw new OciBuildError('OCB-ENTRY-BELOW-FILE', {
        message: `${writer()}, but at /${path} a lower layer has a ${below.type}`,
        hint: `add { remove: "/${path}" } to the layer first, or write to another path`,
      })
    }
    draft.set(path, {
      type: 'directory',
      origin: undefined,
      explicit: false,
      mode: undefined,
      owner: undefined,
      mtime: 0,
    })
    add(parentOf(path) ?? '', writer)
  }
  for (const path of also) add(path, () => `the layer hides what lies in /${path}`)
  let settled = ''
  // What is added on the way is met too; its parents are there by then.
  for (const path of draft.keys()) {
    // Entries come folder by folder.
    if (path.lastIndexOf('/') === settled.length && path.startsWith(settled)) continue
    const parent = parentOf(path) ?? ''
    add(parent, () => `${draft.get(path)?.origin ?? 'the layer'} writes /${path}`)
    settled = parent
  }
}

export interface DirectoryAttributes {
  readonly mode: number
  readonly owner: DraftOwner
  readonly xattrs: Readonly<Record<string, string>> | undefined
}

/** Mode, owner and xattrs of the draft's directories: the user's words, else what lies below, else 0755 of 0:0. */
export function describeDirectories(draft: Draft, view: LowerView): ReadonlyMap<string, DirectoryAttributes> {
  const attributes = new Map<string, DirectoryAttributes>()
  for (const [path, entry] of draft) {
    if (entry.type !== 'directory') continue
    const found = entry.explicit ? undefined : view.get(path)
    const below = found?.type === 'directory' ? found : undefined
    attributes.set(path, {
      mode: entry.mode ?? below?.mode ?? 0o755,
      owner: entry.owner ?? (below && { uid: below.uid, gid: below.gid }),
      xattrs: below?.xattrs,
    })
  }
  return attributes
}
