/** What one build has at hand from its first step to its last: environment, listener, cache, staging store. */

import { resolve } from 'node:path'
import type { BuildOptions } from '../build-types.ts'
import { openCacheFolder, type CacheFolder } from '../cache/cache-folder.ts'
import { defaultCacheDir, processEnvironment, type Environment } from '../environment.ts'
import { OciBuildError } from '../errors.ts'
import { createReporter, type Reporter, type Warning } from '../events.ts'
import { openLayout, type LayoutStore } from '../layout/layout-store.ts'

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
  /** Where every layer and document is put first; outputs are copies of it. */
  readonly staging: LayoutStore
  /** Milliseconds since the session began. */
  elapsedMs(): number
  /** Throws `OCB-STRICT` when warnings are errors and there were any. */
  checkStrict(): void
  close(): void
}

export async function openSession(options: BuildOptions): Promise<Session> {
  const environment = options.environment ?? processEnvironment()
  const startedMs = environment.now()
  const cwd = resolve(environment.cwd, options.cwd ?? '.')
  const cacheDir = resolve(environment.cwd, options.cacheDir ?? defaultCacheDir(environment))
  const reporter = createReporter(options.onEvent, options.signal, environment.now)
  const cache = openCacheFolder(cacheDir, { keep: options.cache !== false, nowMs: environment.wallClockMs() })
  try {
    const staging = await openLayout(cache.contentDir, { create: true, nowMs: environment.wallClockMs() })
    return {
      options,
      environment,
      reporter,
      warnings: reporter.warnings,
      cwd,
      cacheDir,
      cache,
      staging,
      elapsedMs: () => environment.now() - startedMs,
      checkStrict() {
        const [first] = reporter.warnings
        if (options.strict !== true || first === undefined) return
        throw new OciBuildError('OCB-STRICT', {
          message: `${reporter.warnings.length} warning(s) under --strict, the first: ${first.message}`,
          hint: first.hint ?? 'mend what it warns of, or build without --strict',
        })
      },
      close: () => cache.close(),
    }
  } catch (error) {
    cache.close()
    throw error
  }
}
