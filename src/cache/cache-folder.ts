/** The cache folder and its parts; all of it may be deleted at any time, and shared by processes that run at once. */

import { mkdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { removeStaleTemporaries, temporaryPath } from '../content/atomic-file.ts'

export interface CacheFolder {
  /** An image layout: blobs by digest. Every build's staging store. */
  readonly contentDir: string
  /** Finished layers by the digest of their changeset. */
  readonly layersDir: string
  /** Encoded blocks of layers, by the layer that has them. */
  readonly segmentsDir: string
  /** Digests of files by their stat. */
  readonly filesDir: string
  /** What layers held when they were last built, by their names. */
  readonly builtDir: string
  /** Names that layers hold, by layer digest. */
  readonly namesDir: string
  /** Packages of registries, unpacked, by the integrity of their archive. */
  readonly packagesDir: string
  /** Small facts about this machine's tools. */
  readonly factsDir: string
  /** Config files as JavaScript. */
  readonly compiledDir: string
  /** Where blobs were seen in registries. */
  readonly seenDir: string
  /** What the last build made of each layer. */
  readonly plannedDir: string
  /** What folders of the host held. */
  readonly foldersDir: string
  /** What references resolved to. */
  readonly resolvedDir: string
  /** This run's own; gone after `close`. */
  readonly runDir: string
  /** Removes what was only for this run. */
  close(): void
}

/** Beside `tmp` and the content store, which see to it themselves. */
const partsWithTemporaries = ['layers', 'segments', 'built', 'files', 'names', 'packages', 'facts']

/**
 * Opens the cache folder, making it where it is missing, and removes what killed runs left in it. When not
 * `keep` (`--no-cache`), every part lies in a folder of this run, which `close` removes.
 */
export function openCacheFolder(
  dir: string,
  options: {
    readonly keep: boolean
    readonly nowMs: number
    /** Where this run works, and keeps nothing, when `dir` cannot be written. Default: that is an error. */
    readonly fallbackDir?: string | undefined
  },
): CacheFolder {
  const { fallbackDir, nowMs } = options
  let keep = options.keep
  let runDir: string
  try {
    runDir = makeRunDir(join(dir, 'tmp'), nowMs)
    for (const part of partsWithTemporaries) removeStaleTemporaries(join(dir, part), nowMs)
  } catch (error) {
    if (fallbackDir === undefined) throw error
    runDir = makeRunDir(fallbackDir, nowMs)
    keep = false
  }
  const root = keep ? dir : join(runDir, 'cache')
  return {
    contentDir: join(root, 'content'),
    layersDir: join(root, 'layers'),
    builtDir: join(root, 'built'),
    segmentsDir: join(root, 'segments'),
    filesDir: join(root, 'files'),
    namesDir: join(root, 'names'),
    packagesDir: join(root, 'packages'),
    factsDir: join(root, 'facts'),
    compiledDir: join(root, 'facts', 'compiled'),
    seenDir: join(root, 'facts', 'seen'),
    plannedDir: join(root, 'facts', 'planned'),
    foldersDir: join(root, 'facts', 'folders'),
    resolvedDir: join(root, 'facts', 'resolved'),
    runDir,
    close: () => removeFolder(runDir),
  }
}

function makeRunDir(parent: string, nowMs: number): string {
  mkdirSync(parent, { recursive: true })
  removeStaleTemporaries(parent, nowMs)
  const runDir = temporaryPath(parent)
  mkdirSync(runDir, { mode: 0o700 })
  return runDir
}

/** Mostly empty: what removes others takes longer to load than that to remove. */
function removeFolder(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    rmSync(path, { recursive: true, force: true })
  }
}
