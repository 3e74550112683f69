/** Contents that threads hash while their layer is still put in order: for builds that will most likely be asked for them. */

import type { FileDigests } from '../cache/file-digests.ts'
import type { Deflater } from '../deflate/deflater.ts'
import { createHashing, type Hashing } from './content-hashes.ts'
import type { ComingDigest, LongFiles } from './long-files.ts'
import type { HostSource } from './read-source.ts'

export interface HashingAhead {
  /** Hashes what is left, here too, and has `files` remember it all. Throws what aborts it, and where a thread ends. */
  finish(signal: AbortSignal | undefined): Promise<void>
  /** Nobody asks: the threads are for others. */
  stop(): void
}

/** So many files are handed over at once: threads begin while the next are put together. */
const partFiles = 2048

/**
 * Begins with those of the files that are not remembered. Undefined where there are no threads for it, and where the first
 * of them is remembered: then most are.
 */
export function hashAhead(
  sources: Iterable<HostSource>,
  files: FileDigests,
  { deflater, longFiles }: { readonly deflater: Deflater; readonly longFiles?: LongFiles | undefined },
): HashingAhead | undefined {
  if (deflater.threads < 2) return undefined
  // Of a file that changes while it is hashed a digest of what it became is remembered by the times that it had, which it
  // never has again. Let go of when it is done: layers are made while somebody holds this.
  let hashing: Hashing | undefined
  const unknown: HostSource[] = []
  /** Those that somebody else hashes. */
  const long = new Map<HostSource, ComingDigest>()
  let part: HostSource[] = []
  let isFirst = true
  for (const source of sources) {
    const isKnown = files.lookup(source) !== undefined
    if (isKnown && isFirst) return undefined
    isFirst = false
    // One that was written just now would not be remembered; when it is so later, its bytes may be others.
    if (isKnown || !files.isSettled(source)) continue
    const coming = longFiles?.digestOf(source)
    unknown.push(source)
    if (coming === undefined) part.push(source)
    else long.set(source, coming)
    if (part.length < partFiles) continue
    hashing ??= createHashing(deflater, false)
    hashing.add(part)
    part = []
  }
  if (isFirst) return undefined
  hashing ??= createHashing(deflater, false)
  hashing.add(part)
  let finished: Promise<void> | undefined
  const finish = async (
    { finish: finishOthers }: Hashing,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const digests = await finishOthers(signal)
    let next = 0
    // In their order: so they are asked for.
    for (const source of unknown) {
      const coming = long.get(source)
      const digest = coming === undefined ? digests[next++] : await coming
      if (digest !== undefined) files.remember(source, digest)
    }
  }
  return {
    async finish(signal) {
      if (hashing !== undefined) finished ??= finish(hashing, signal)
      hashing = undefined
      await finished
    },
    stop() {
      hashing?.stop()
      hashing = undefined
    },
  }
}
