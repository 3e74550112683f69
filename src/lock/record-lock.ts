/** The making of a lock: everything is asked for anew, and what was found is written down. */

import { formatPlatform } from '../spec/platform.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import {
  emptyFacts,
  lockKey,
  type BaseFacts,
  type Lock,
  type LockedPlatform,
  type LockedReference,
} from './lock.ts'
import type { Pins } from './pins.ts'
import { mergeFacts, recordFacts, type FactRecorder } from './record-facts.ts'

export interface LockRecorder extends Pins {
  /** What was found so far. */
  lock(): Lock
}

interface Recorded {
  root: Descriptor
  readonly platforms: Map<string, { readonly image: LockedPlatform; readonly facts: BaseFacts[] }>
}

/** `kept` are references that stay what they are, by `lockKey`. */
export function recordLock(kept: ReadonlyMap<string, Descriptor>): LockRecorder {
  const references = new Map<string, Recorded>()

  return {
    rootOf(reference) {
      const key = lockKey(reference)
      const known = references.get(key)?.root ?? kept.get(key)
      if (known !== undefined && !references.has(key))
        references.set(key, { root: known, platforms: new Map() })
      return known
    },

    resolved(reference, { mediaType, digest, size }) {
      const key = lockKey(reference)
      if (!references.has(key))
        references.set(key, { root: { mediaType, digest, size }, platforms: new Map() })
    },

    opened(reference, platform, { manifestDigest, configDigest }) {
      const platforms = references.get(lockKey(reference))?.platforms
      const name = formatPlatform(platform)
      if (platforms === undefined || platforms.has(name)) return
      if (manifestDigest === undefined || configDigest === undefined) return
      const image = { manifest: manifestDigest, config: configDigest, facts: emptyFacts }
      platforms.set(name, { image, facts: [] })
    },

    async overBase({ reference, platform, files, readNames }, plan) {
      const facts = references.get(lockKey(reference))?.platforms.get(formatPlatform(platform))?.facts
      let recorder: Promise<FactRecorder> | undefined
      const programs = new Map<string, string>()
      const planned = await plan(
        async () => {
          recorder ??= readNames().then((names) => recordFacts(files, names))
          return (await recorder).open()
        },
        { get: () => undefined, keep: (question, answer) => void programs.set(question, answer) },
      )
      // At once, since the recorder holds the whole base.
      facts?.push({ ...((await recorder)?.facts() ?? emptyFacts), programs })
      return planned
    },

    lock: () => ({
      references: new Map(Array.from(references, ([key, recorded]) => [key, lockedReference(recorded)])),
    }),
  }
}

function lockedReference({ root, platforms }: Recorded): LockedReference {
  const locked = Array.from(platforms, ([name, { image, facts }]) => {
    return [name, { ...image, facts: mergeFacts(facts) }] as const
  })
  return { root, platforms: new Map(locked) }
}
