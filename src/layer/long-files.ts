/** Long files that a thread hashes from when the walk comes upon them, while all others still wait for it. */

import type { FileDigests } from '../cache/file-digests.ts'
import type { FileRun } from '../deflate/file-run.ts'
import type { Deflater } from '../deflate/deflater.ts'
import { longFileBytes } from '../plan/place-tree.ts'
import type { FileSource } from '../rootfs/file-source.ts'
import { changeOf, type HostSource } from './read-source.ts'

/** A digest that is being found; undefined where the file is not as it was planned, or cannot be read. */
export type ComingDigest = Promise<Uint8Array | undefined>

export interface LongFiles {
  /** A file was found: nothing is done where it is short, remembered, or was written just now. */
  meet(source: HostSource): void
  /** Undefined where nobody looks for it. */
  digestOf(source: FileSource): ComingDigest | undefined
}

/** A thread is started for a file of so many bytes: it starts in the time that less takes. */
const worthThread = 8 * 1024 * 1024

export function createLongFiles(
  files: FileDigests,
  deflater: Deflater,
  signal: AbortSignal | undefined,
): LongFiles {
  const met = new Map<string, { readonly source: HostSource; readonly digest: ComingDigest }>()
  const running = new Set<FileRun>()
  signal?.addEventListener('abort', () => {
    for (const run of running) run.stop()
  })
  const find = async (source: HostSource): ComingDigest => {
    const run = deflater.hashFiles([source])
    running.add(run)
    await run.done
    running.delete(run)
    const digest = run.digest(0)
    // The memory that it lies in goes with the run.
    return digest && changeOf(source, run.seen(0)) === undefined ? Buffer.from(digest) : undefined
  }
  return {
    meet(source) {
      const { path, size } = source
      if (deflater.threads < 2 || size < (met.size === 0 ? worthThread : longFileBytes) || met.has(path))
        return
      if (!files.isSettled(source) || files.lookup(source) !== undefined) return
      const digest = find(source)
      // Met where it is waited for; here it only must not count as unhandled.
      digest.catch(() => {})
      met.set(path, { source, digest })
    },
    digestOf(source) {
      if (source.kind !== 'host' || met.size === 0 || source.size < longFileBytes) return undefined
      const one = met.get(source.path)
      return one !== undefined && changeOf(source, one.source) === undefined ? one.digest : undefined
    },
  }
}
