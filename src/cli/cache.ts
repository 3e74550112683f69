/** `ocibuild cache info` and `ocibuild cache prune`. */

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { defaultCacheDir } from '../environment.ts'
import type { CliContext } from './context.ts'

interface CacheFlags {
  readonly cacheDir?: string | undefined
  readonly json?: boolean | undefined
}

interface PruneFlags extends CacheFlags {
  readonly all?: boolean | undefined
  readonly maxSize?: string | undefined
  readonly olderThan?: string | undefined
}

const examples = `
Examples:
  ocibuild cache info
  ocibuild cache prune                       what was not used for 30 days, or is beyond the limit
  ocibuild cache prune --older-than 7d --max-size 2GB
  ocibuild cache prune --all                 everything but what was used within the last hour
`

/** Registers `cache` and its two commands. */
export function registerCache(program: Command, context: CliContext): void {
  const cache = program
    .command('cache')
    .summary('show or shrink the cache')
    .description(
      'The cache holds finished layers, and what is known of files and of base layers. A build that makes it larger ' +
        'than OCIBUILD_CACHE_MAX_SIZE (10GB) removes what was used longest ago.',
    )
    .addHelpText('after', examples)
  cache
    .command('info')
    .description('Prints where the cache is and what it holds.')
    .option('--cache-dir <dir>', 'the cache folder')
    .option('--json', 'print as JSON')
    .action(async (flags: CacheFlags) => {
      const { printCacheInfo } = await import('./print-cache.ts')
      printCacheInfo(cacheDirOf(flags, context), flags.json === true, context)
    })
  cache
    .command('prune')
    .description(
      'Removes what was used longest ago. Builds may run meanwhile: what was used within the last hour stays.',
    )
    .option('--all', 'everything')
    .option('--max-size <size>', 'until the cache is at most this large: 2GB, 500MB')
    .option(
      '--older-than <age>',
      'what was not used for this long: 7d, 12h (default: 30d, if nothing else is asked)',
    )
    .option('--cache-dir <dir>', 'the cache folder')
    .option('--json', 'print as JSON')
    .action(async (flags: PruneFlags) => {
      const { printPrune } = await import('./print-cache.ts')
      printPrune(cacheDirOf(flags, context), flags, context)
    })
}

function cacheDirOf(flags: CacheFlags, { environment }: CliContext): string {
  return resolve(environment.cwd, flags.cacheDir ?? defaultCacheDir(environment))
}
