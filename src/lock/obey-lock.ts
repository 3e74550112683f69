/** A build with `oci.lock`, or without one: what is pinned is obeyed, the rest is asked for or, under `--frozen`, refused. */

import { OciBuildError } from '../errors.ts'
import type { Reporter } from '../events.ts'
import type { BaseFiles } from '../layer/lower.ts'
import { noMemory } from '../rootfs/text-memory.ts'
import { createTree } from '../rootfs/tree.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { formatPlatform, type Platform } from '../spec/platform.ts'
import type { RegistryReference } from '../spec/reference.ts'
import { factsBase, factsPrograms, UnknownFact } from './facts-tree.ts'
import { emptyFacts, lockFileName, lockKey, type BaseFacts, type Lock, type LockedPlatform } from './lock.ts'
import type { PinnedBase, Pins } from './pins.ts'

const relock = 'run ocibuild lock'
const refresh = 'run ocibuild lock, with --keep to stay on the same images'

/** `lock` is undefined where there is no file. */
export function obeyLock(
  lock: Lock | undefined,
  options: { readonly frozen: boolean },
  reporter: Reporter,
): Pins {
  const { frozen } = options
  /** A tag is asked for once a build, so that all its platforms are of one image. */
  const asked = new Map<string, Descriptor>()

  const lockedPlatform = (reference: RegistryReference, platform: Platform): LockedPlatform | undefined =>
    lock?.references.get(lockKey(reference))?.platforms.get(formatPlatform(platform))

  /** The facts that must answer; undefined where the base is simply read. */
  const factsOf = ({ reference, platform }: PinnedBase): BaseFacts | undefined => {
    const facts = lockedPlatform(reference, platform)?.facts
    if (facts !== undefined || frozen || lock?.references.has(lockKey(reference)) === true) {
      return facts ?? emptyFacts
    }
    return undefined
  }

  return {
    rootOf(reference) {
      const key = lockKey(reference)
      const root = lock?.references.get(key)?.root ?? asked.get(key)
      if (root !== undefined || reference.digest !== undefined) return root
      const missing = lock === undefined ? `there is no ${lockFileName}` : `${lockFileName} does not have it`
      if (frozen) {
        throw new OciBuildError('OCB-LOCK-MISSING', {
          message: `cannot tell what ${key} is: ${missing}, and --frozen resolves no tag`,
          hint: `${relock}, and commit ${lockFileName}`,
        })
      }
      if (lock !== undefined) {
        reporter.warn('OCB-LOCK-MISSING', `${key} is not in ${lockFileName} and is resolved anew`, relock)
      }
      return undefined
    },

    resolved: (reference, root) => void asked.set(lockKey(reference), root),

    opened(reference, platform, { manifestDigest }) {
      const locked = lockedPlatform(reference, platform)
      if (locked === undefined || locked.manifest === manifestDigest) return
      throw new OciBuildError('OCB-LOCK-INVALID', {
        message: `${lockFileName} says that ${lockKey(reference)} for ${formatPlatform(platform)} is ${locked.manifest}, and the image it pins has ${manifestDigest ?? 'none'} there`,
        hint: `${relock}; what it pins does not belong together`,
      })
    },

    async overBase(base, plan) {
      const facts = factsOf(base)
      if (facts !== undefined) {
        try {
          return await plan(async () => factsBase(base.files, facts), factsPrograms(facts))
        } catch (error) {
          if (!(error instanceof UnknownFact)) throw error
          reportStale(base, error)
        }
      }
      return await plan(async () => readBase(base), noMemory)
    },
  }

  function reportStale({ reference, platform }: PinnedBase, { what }: UnknownFact): void {
    const tells = lock === undefined ? `there is no ${lockFileName} to tell` : `${lockFileName} does not tell`
    const message = `${tells} of ${what} in the base ${lockKey(reference)} for ${formatPlatform(platform)}`
    if (!frozen) return reporter.warn('OCB-LOCK-STALE', `${message}; the base itself is read`, refresh)
    throw new OciBuildError('OCB-LOCK-STALE', {
      message: `${message}, and --frozen does not read the base`,
      hint: `${refresh}; then commit ${lockFileName}`,
    })
  }
}

async function readBase({ files, readNames }: PinnedBase): Promise<BaseFiles> {
  return { ...files, tree: createTree(await readNames()) }
}
