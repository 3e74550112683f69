/** Owners by name, looked up in the image that the layer makes: its own passwd and group, else those below. */

import { OciBuildError } from '../errors.ts'
import { isNumericOwner, resolveOwner, type Owner } from '../rootfs/owners.ts'
import type { Draft, DraftEntry, DraftOwner } from './draft.ts'
import type { LowerFiles } from './lower.ts'
import { readWhole, sourceSize } from './read-source.ts'

const maxBytes = 4 * 1024 * 1024

/** Numbers for an owner; `entry` is named when a name is unknown. */
export type OwnerLookup = (
  owner: DraftOwner,
  entry: Pick<DraftEntry, 'origin'>,
) => { readonly uid: number; readonly gid: number }

/** Reads the image's users only where a name must be looked up: the draft's owners, and those of `also`. */
export async function ownerLookup(
  draft: Draft,
  also: Iterable<DraftOwner>,
  lower: LowerFiles | undefined,
): Promise<OwnerLookup> {
  const named = new Set<string>()
  const note = (owner: DraftOwner): void => {
    if (typeof owner === 'string' && !isNumericOwner(owner)) named.add(owner)
  }
  for (const entry of draft.values()) if ('owner' in entry) note(entry.owner)
  for (const owner of also) note(owner)
  const memory = named.size === 0 || hasUsers(draft) ? undefined : lower?.owners?.()
  const known = new Map<string, Owner>()
  for (const owner of named) {
    const kept = memory?.get(owner)
    if (kept !== undefined) known.set(owner, kept)
  }
  const users =
    known.size < named.size
      ? {
          passwd: await readText('etc/passwd', draft, lower),
          group: await readText('etc/group', draft, lower),
        }
      : { passwd: undefined, group: undefined }
  return (owner, entry) => {
    if (owner === undefined) return { uid: 0, gid: 0 }
    if (typeof owner !== 'string') return { uid: owner.uid, gid: owner.gid }
    const seen = known.get(owner)
    if (seen) return seen
    try {
      const resolved = resolveOwner(owner, users)
      known.set(owner, resolved)
      if (named.has(owner)) memory?.keep(owner, resolved)
      return resolved
    } catch (error) {
      if (!(error instanceof OciBuildError)) throw error
      const { code, message, hint } = error
      throw new OciBuildError(code, {
        message: `${entry.origin ?? 'the layer'}: ${message}`,
        hint,
        cause: error,
      })
    }
  }
}

function hasUsers(draft: Draft): boolean {
  return ['etc/passwd', 'etc/group'].some((path) => draft.get(path)?.type === 'file')
}

async function readText(
  path: string,
  draft: Draft,
  lower: LowerFiles | undefined,
): Promise<string | undefined> {
  const placed = draft.get(path)
  if (placed?.type === 'file') {
    const buffer = Buffer.alloc(sourceSize(placed.source))
    readWhole(placed.source, buffer, 0)
    return buffer.toString('utf8')
  }
  if (!lower) return undefined
  const resolved = lower.tree.resolve(path, { followLast: true })
  const node = lower.tree.get(resolved)
  if (node?.type !== 'file' && node?.type !== 'hardlink') return undefined
  return Buffer.from(await lower.readFile(resolved, maxBytes)).toString('utf8')
}
