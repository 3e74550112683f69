/** Who runs the app: never root unless the spec says so, and as numbers, which clusters can check. */

import type { Owner } from '../../rootfs/owners.ts'
import { isNumericOwner } from '../../rootfs/owners.ts'
import type { Reference } from '../../spec/reference.ts'

export interface ChosenUser {
  /** For the image's config; undefined: what the spec or the base has stays. */
  readonly user: string | undefined
  /** The owner of what the app may write. */
  readonly owner: string
  /** For `plan`. */
  readonly reason: string
}

export interface UserQuestion {
  /** The spec's own word; null and '' clear. */
  readonly wanted: string | null | undefined
  /** `User` of the base's config. */
  readonly ofBase: string | undefined
  readonly base: Reference
  /** Ids of a name in the base; undefined where it has no such user. Asked only when needed, since it reads the base. */
  lookup(name: string): Promise<Owner | undefined>
}

const nobody = '65532:65532'

export async function chooseUser({ wanted, ofBase, base, lookup }: UserQuestion): Promise<ChosenUser> {
  if (wanted !== undefined) return { user: undefined, owner: wanted || '0:0', reason: 'config.user' }
  if (ofBase !== undefined && !/^(?:root|0)?(?::|$)/.test(ofBase)) {
    if (isNumericOwner(ofBase)) return { user: undefined, owner: ofBase, reason: "the base's" }
    const ids = await lookup(ofBase)
    if (ids !== undefined) return { ...numbers(ids), reason: `the base's ${ofBase}` }
    return { user: undefined, owner: '0:0', reason: "the base's" }
  }
  // Both are known to have it, so that they need not be read.
  const known =
    base.transport === 'host' ||
    (base.transport === 'docker' && base.host === 'docker.io' && base.repository === 'library/node')
  if (known) return { ...numbers({ uid: 1000, gid: 1000 }), reason: 'node in the base' }
  const ids = await lookup('node')
  if (ids !== undefined) return { ...numbers(ids), reason: 'node in the base' }
  return { user: nobody, owner: nobody, reason: 'the base has no user for it' }
}

function numbers({ uid, gid }: Owner): { readonly user: string; readonly owner: string } {
  return { user: `${uid}:${gid}`, owner: `${uid}:${gid}` }
}
