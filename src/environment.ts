/** The one place that looks at the clock, the environment variables and the host; all others are told. */

import { availableParallelism, homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Environment {
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Absolute. */
  readonly cwd: string
  readonly homeDir: string
  readonly tempDir: string
  /** `process.platform` of the host. */
  readonly hostPlatform: NodeJS.Platform
  /** GOARCH of the host, e.g. `amd64`, `arm64`. */
  readonly hostArchitecture: string
  /** How many threads can work at once. */
  readonly threads: number
  /** The Node.js that runs us. */
  readonly node: {
    readonly execPath: string
    readonly version: string
    readonly zlib: string
    readonly zstd: string | undefined
  }
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since the epoch; only for the cache's own bookkeeping, never for what is written into an image. */
  readonly wallClockMs: () => number
}

const goArchitectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  mipsel: 'mipsle',
  ppc64: 'ppc64le',
}

/** The environment of this process. */
export function processEnvironment(): Environment {
  return {
    variables: process.env,
    cwd: process.cwd(),
    homeDir: homedir(),
    tempDir: tmpdir(),
    hostPlatform: process.platform,
    hostArchitecture: goArchitectures[process.arch] ?? process.arch,
    threads: availableParallelism(),
    node: {
      execPath: process.execPath,
      version: process.versions.node,
      zlib: process.versions.zlib,
      zstd: process.versions['zstd'],
    },
    // Not `performance`, which Node.js loads a dozen modules for.
    now: () => Number(process.hrtime.bigint()) / 1e6,
    wallClockMs: () => Date.now(),
  }
}

/** The cache folder: `$OCIBUILD_CACHE_DIR`, else the user's cache folder of the platform and `ocibuild` in it. */
export function defaultCacheDir(environment: Environment): string {
  const { variables, homeDir, hostPlatform } = environment
  if (variables['OCIBUILD_CACHE_DIR']) return variables['OCIBUILD_CACHE_DIR']
  if (hostPlatform === 'darwin') return join(homeDir, 'Library', 'Caches', 'ocibuild')
  if (hostPlatform === 'win32') {
    return join(variables['LOCALAPPDATA'] ?? join(homeDir, 'AppData', 'Local'), 'ocibuild')
  }
  return join(variables['XDG_CACHE_HOME'] || join(homeDir, '.cache'), 'ocibuild')
}
