/** What one build has at hand from its first step to its last: environment, listener, cache, staging store. */

import { resolve } from 'node:path'
import type { BuildOptions } from '../build-types.ts'
import { cacheLimitOf } from '../cache/cache-size.ts'
import { openCacheFolder, type CacheFolder } from '../cache/cache-folder.ts'
import { openFileDigests, type FileDigests } from '../cache/file-digests.ts'
import { openFolderListings, type FolderListings } from '../cache/folder-listings.ts'
import { openTakenWalks, type TakenWalks } from '../cache/taken-walks.ts'
import { defaultCacheDir, processEnvironment, type Environment } from '../environment.ts'
import { asBuildError, OciBuildError, systemErrorCode } from '../errors.ts'
import { createDeflater, type Deflater } from '../deflate/deflater.ts'
import { createReporter, type Reporter, type Warning } from '../events.ts'
import { createLayerCache, type LayerCache } from '../layer/layer-cache.ts'
import { createLongFiles, type LongFiles } from '../layer/long-files.ts'
import { createSegmentMemory, type SegmentMemory } from '../layer/segments.ts'
import { openLayout, type LayoutStore } from '../layout/layout-store.ts'
import type { LayerEntry } from '../rootfs/tree-types.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { createRegistries, type Registries } from './registries.ts'
import { createTimeSpent, type TimeSpent } from './time-spent.ts'

export interface Session {
  readonly options: BuildOptions
  readonly environment: Environment
  readonly reporter: Reporter
  readonly warnings: readonly Warning[]
  /** Absolute. */
  readonly cwd: string
  /** Absolute. */
  readonly cacheDir: string
  readonly cache: CacheFolder
  /** What the cache folder may hold. */
  readonly maxCacheBytes: number
  /** Where every layer and document is put first; outputs are copies of it. */
  readonly staging: LayoutStore
  readonly timeSpent: TimeSpent
  readonly layers: LayerCache
  /** Its threads start when there is something to compress. */
  readonly deflater: Deflater
  /** Of the blobs that earlier builds made. */
  readonly segments: SegmentMemory
  /** What the folders of a project held, by its root. */
  listings(root: string): FolderListings
  /** What walks of folders took. */
  readonly walks: TakenWalks
  /** Those of a project's long files, by its root, that are hashed while it is walked. */
  longFiles(root: string): LongFiles
  /** When the session began, in milliseconds since the epoch. */
  readonly startedWallMs: number
  readonly registries: Registries
  /** What is known of the files of a project, by its root: one memory for all its images. */
  files(root: string): FileDigests
  /** What this build was told or read of images elsewhere, by what was asked: each is asked once. */
  readonly asked: Asked
  /**
   * Keeps work for the time in which outputs are written, mostly by others than this thread: what the next build is to
   * know. It is done at the end at the latest, however the session ends.
   */
  meanwhile(work: () => void): void
  /** Does what was kept so, first things first. */
  doMeanwhile(): void
  /** Runs when the session ends, however it ends; the last first. */
  atEnd(work: () => Promise<void>): void
  /** Milliseconds since the session began. */
  elapsedMs(): number
  /** Throws `OCB-STRICT` when warnings are errors and there were any. */
  checkStrict(): void
}

export interface Asked {
  /** By the text of a reference: what it resolved to, one and the same for all images of a build. */
  readonly roots: Map<string, Promise<Descriptor>>
  /** By the digests of layers: their names. */
  readonly names: Map<string, Promise<readonly (readonly LayerEntry[])[]>>
}

/** What is known under a key, else what `ask` gives, for all who come after. */
export function askOnce<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const answer = known.get(key) ?? ask()
  known.set(key, answer)
  return answer
}

/**
 * Opens a session for as long as `work` takes. Whatever is thrown is an `OciBuildError`: `OCB-CACHE-DENIED` where the
 * cache folder cannot be written.
 */
export async function withSession<T>(
  options: BuildOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  try {
    const environment = options.environment ?? processEnvironment()
    const cacheDir = resolve(environment.cwd, options.cacheDir ?? defaultCacheDir(environment))
    const cache = openCache(cacheDir, options.cache !== false, environment)
    try {
      const endings: (() => Promise<void>)[] = []
      const atEnd: Session['atEnd'] = (ending) => void endings.unshift(ending)
      try {
        return await work(await openSession(options, environment, cacheDir, cache, atEnd))
      } finally {
        for (const ending of endings) await ending()
      }
    } finally {
      cache.close()
    }
  } catch (error) {
    throw asBuildError(error, options.signal)
  }
}

function openCache(dir: string, keep: boolean, environment: Environment): CacheFolder {
  const nowMs = environment.wallClockMs()
  try {
    return openCacheFolder(dir, { keep, nowMs, fallbackDir: keep ? undefined : environment.tempDir })
  } catch (error) {
    if (systemErrorCode(error) === 'ENOSPC') throw error
    throw new OciBuildError('OCB-CACHE-DENIED', {
      message: `cannot write to the cache folder ${dir}: ${systemErrorCode(error) ?? 'unknown'}`,
      hint: 'name another with --cache-dir or OCIBUILD_CACHE_DIR, or build with --no-cache',
      cause: error,
    })
  }
}

async function openSession(
  options: BuildOptions,
  environment: Environment,
  cacheDir: string,
  cache: CacheFolder,
  atEnd: Session['atEnd'],
): Promise<Session> {
  const startedMs = environment.now()
  const startedWallMs = environment.wallClockMs()
  // Of what changed after the build began, nothing is remembered: it could change again while it is read.
  const asOf = (): number => startedWallMs
  const maxCacheBytes = cacheLimitOf(options.maxCacheBytes, environment)
  const reporter = createReporter(options.onEvent, options.signal, environment.now)
  const staging = await openLayout(cache.contentDir, { create: true, nowMs: environment.wallClockMs() })
  const registries = createRegistries(environment, reporter, cache, options.offline === true)
  atEnd(() => registries.close())
  const deflater = createDeflater(environment.threads)
  atEnd(() => deflater.close())
  const kept: (() => void)[] = []
  const meanwhile = (work: () => void): void => void kept.push(work)
  const saved = <T extends { save(): void }>(memory: T): T => {
    meanwhile(() => memory.save())
    return memory
  }
  const listings = ofEachRoot((root) => saved(openFolderListings(cache.foldersDir, root, asOf)))
  const files = ofEachRoot((root) => saved(openFileDigests(cache.filesDir, root, asOf)))
  const doMeanwhile = (): void => {
    for (const keptWork of kept.splice(0)) keptWork()
  }
  atEnd(async () => {
    try {
      doMeanwhile()
    } catch {
      // Something else went wrong before, and is what there is to tell.
    }
  })
  return {
    options,
    environment,
    reporter,
    warnings: reporter.warnings,
    cwd: resolve(environment.cwd, options.cwd ?? '.'),
    cacheDir,
    cache,
    maxCacheBytes,
    staging,
    timeSpent: createTimeSpent(environment.now),
    layers: createLayerCache(cache.layersDir, staging, environment.wallClockMs),
    deflater,
    segments: createSegmentMemory(cache.segmentsDir, staging, deflater),
    listings,
    walks: saved(openTakenWalks(cache.foldersDir, asOf)),
    startedWallMs,
    registries,
    asked: { roots: new Map(), names: new Map() },
    files,
    longFiles: ofEachRoot((root) => createLongFiles(files(root), deflater, options.signal)),
    meanwhile,
    doMeanwhile,
    atEnd,
    elapsedMs: () => environment.now() - startedMs,
    checkStrict() {
      const { warnings } = reporter
      const [first] = warnings
      if (options.strict !== true || first === undefined) return
      const which = warnings.length === 1 ? 'a warning' : `${warnings.length} warnings`
      throw new OciBuildError('OCB-STRICT', {
        message: `${which} under --strict${warnings.length === 1 ? '' : ', the first'}: ${first.message}`,
        hint: first.hint ?? 'mend what it warns of, or build without --strict',
      })
    },
  }
}

/** One for all images of a root. */
function ofEachRoot<T>(open: (root: string) => T): (root: string) => T {
  const opened = new Map<string, T>()
  return (root) => {
    const one = opened.get(root) ?? open(root)
    opened.set(root, one)
    return one
  }
}
