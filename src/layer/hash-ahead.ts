/** Contents that threads hash while their layer is still put in order: for builds that will most likely be asked for them. */

import type { FileDigests } from '../cache/file-digests.ts'
import type { Deflater } from '../deflate/deflater.ts'
import type { FileSource } from '../rootfs/file-source.ts'
import type { Changeset } from './changeset.ts'
import { createHashing, type HashedFiles, type Hashing } from './content-hashes.ts'
import type { ComingDigest, LongFiles } from './long-files.ts'
import type { HostSource } from './read-source.ts'

/** What was hashed ahead. */
export interface HashedAhead extends HashedFiles {
  readonly sources: readonly HostSource[]
  /** Those that were hashed from when they were found are not among them. */
  readonly long: ReadonlyMap<FileSource, Uint8Array>
}

export interface HashingAhead {
  /** Hashes what is left, here too, and has `files` remember it all. Throws what aborts it, and where a thread ends. */
  finish(signal: AbortSignal | undefined): Promise<HashedAhead | undefined>
  /** Nobody asks: the threads are for others. */
  stop(): void
}

const digestBytes = 32
/** So many files are handed over first: threads begin with them while the others are put together. */
const firstFiles = 2048

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
  let hashing: Hashing | undefined = createHashing(deflater, false)
  const unknown: HostSource[] = []
  const coming = new Map<HostSource, ComingDigest>()
  let isFirst = true
  let isBegun = false
  for (const source of sources) {
    const isKnown = files.lookup(source) !== undefined
    if (isKnown && isFirst) return undefined
    isFirst = false
    // One that was written just now would not be remembered; when it is so later, its bytes may be others.
    if (isKnown || !files.isSettled(source)) continue
    const digest = longFiles?.digestOf(source)
    if (digest === undefined) unknown.push(source)
    else coming.set(source, digest)
    if (isBegun || unknown.length < firstFiles) continue
    hashing.add(unknown.slice())
    isBegun = true
  }
  if (isFirst) return undefined
  hashing.add(isBegun ? unknown.slice(firstFiles) : unknown)
  const finish = async (begun: Hashing, signal: AbortSignal | undefined): Promise<HashedAhead> => {
    const hashed = await begun.finish(signal)
    files.rememberAll(unknown, hashed.digests, hashed.isFound)
    const long = new Map<FileSource, Uint8Array>()
    for (const [source, found] of coming) {
      const digest = await found
      if (digest === undefined) continue
      files.remember(source, digest)
      long.set(source, digest)
    }
    return { ...hashed, sources: unknown, long }
  }
  let finished: Promise<HashedAhead> | undefined
  return {
    finish(signal) {
      if (hashing !== undefined) finished ??= finish(hashing, signal)
      hashing = undefined
      return finished ?? Promise.resolve(undefined)
    },
    stop() {
      hashing?.stop()
      hashing = undefined
    },
  }
}

/**
 * The digests of a changeset's files, 32 bytes each in order, where they were all hashed ahead: undefined where there are
 * other files among them.
 */
export function contentsAhead({ entries }: Changeset, hashed: HashedAhead): Uint8Array | undefined {
  const { sources, digests, isFound, long } = hashed
  if (isFound.includes(0)) return undefined
  const contents = new Uint8Array((sources.length + long.size) * digestBytes)
  let [next, start, filled] = [0, 0, 0]
  const copy = (): void => {
    contents.set(digests.subarray(start * digestBytes, next * digestBytes), filled)
    filled += (next - start) * digestBytes
    start = next
  }
  for (const entry of entries) {
    if (entry.type !== 'file') continue
    if (entry.source === sources[next]) {
      next += 1
      continue
    }
    const digest = long.get(entry.source)
    if (digest === undefined) return undefined
    copy()
    contents.set(digest, filled)
    filled += digestBytes
  }
  copy()
  return filled === contents.length ? contents : undefined
}
