/** Contents that threads hash while their layer is still put in order: for builds that will most likely be asked for them. */

import type { FileDigests } from '../cache/file-digests.ts'
import type { Deflater } from '../deflate/deflater.ts'
import { beginHashing, type Hashing } from './content-hashes.ts'
import type { HostSource } from './read-source.ts'

export interface HashingAhead {
  /** Hashes what is left, here too, and has `files` remember it all. Throws what aborts it, and where a thread ends. */
  finish(signal: AbortSignal | undefined): Promise<void>
  /** Nobody asks: the threads are for others. */
  stop(): void
}

/**
 * Begins with those of the files that are not remembered. Undefined where there are no threads for it, and where the first
 * of them is remembered: then most are.
 */
export function hashAhead(
  sources: readonly HostSource[],
  files: FileDigests,
  deflater: Deflater,
): HashingAhead | undefined {
  const [first] = sources
  if (first === undefined || files.lookup(first) !== undefined || deflater.threads < 2) return undefined
  // One that was written just now would not be remembered; when it is so later, its bytes may be others.
  const unknown = sources.filter((source) => files.lookup(source) === undefined && files.isSettled(source))
  // Let go of when it is done: layers are made while somebody holds this.
  let hashing: Hashing | undefined = beginHashing(unknown, deflater)
  let finished: Promise<void> | undefined
  return {
    async finish(signal) {
      finished ??= hashing?.finish((source, digest) => files.remember(source, digest), signal)
      hashing = undefined
      await finished
    },
    stop() {
      hashing?.stop()
      hashing = undefined
    },
  }
}
