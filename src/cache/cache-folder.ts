/** The cache folder and its parts; all of it may be deleted at any time, and shared by processes that run at once. */

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { removeStaleTemporaries, temporaryPath } from '../content/atomic-file.ts'

export interface CacheFolder {
  /** An image layout: blobs by digest. Every build's staging store. */
  readonly contentDir: string
  /** Finished layers by the digest of their changeset. */
  readonly layersDir: string
  /** Digests of files by their stat. */
  readonly filesDir: string
  /** Names that layers hold, by layer digest. */
  readonly namesDir: string
  /** Small facts about this machine's tools. */
  readonly factsDir: string
  /** Config files as JavaScript. */
  readonly compiledDir: string
  /** This run's own; gone after `close`. */
  readonly runDir: string
  /** Removes what was only for this run. */
  close(): void
}

/**
 * Opens the cache folder, making it where it is missing, and removes what killed runs left in it. When not
 * `keep` (`--no-cache`), every part lies in a folder of this run, which `close` removes.
 */
export function openCacheFolder(
  dir: string,
  options: { readonly keep: boolean; readonly nowMs: number },
): CacheFolder {
  const temporaryDir = join(dir, 'tmp')
  mkdirSync(temporaryDir, { recursive: true })
  removeStaleTemporaries(temporaryDir, options.nowMs)
  const runDir = temporaryPath(temporaryDir)
  mkdirSync(runDir, { mode: 0o700 })
  const root = options.keep ? dir : join(runDir, 'cache')
  return {
    contentDir: join(root, 'content'),
    layersDir: join(root, 'layers'),
    filesDir: join(root, 'files'),
    namesDir: join(root, 'names'),
    factsDir: join(root, 'facts'),
    compiledDir: join(root, 'facts', 'compiled'),
    runDir,
    close: () => rmSync(runDir, { recursive: true, force: true }),
  }
}
