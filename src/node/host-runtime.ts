/** The base `host:node`: the Node.js that runs us and all it needs, taken from this Linux host. */

import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Environment } from '../environment.ts'
import { messageOf, OciBuildError, throwIfAborted } from '../errors.ts'
import type { Placement } from '../plan/placement.ts'
import { choosePlatform, formatPlatform, type Platform } from '../spec/platform.ts'
import { baseFiles } from './base-files.ts'
import { certificateFiles } from './certificates.ts'
import { completeTree, findHostFile, placeHostFile, placeSymlink } from './place.ts'
import { externalBuiltins } from './external-builtins.ts'
import { usesMusl } from './library-search.ts'
import { findLibraries, type ProgramLibraries } from './shared-libraries.ts'
import { timeZoneFiles } from './time-zones.ts'

export interface HostRuntimeOptions {
  readonly environment: Environment
  /** What the image is for. Default: this host's platform. */
  readonly platform?: Platform | undefined
  readonly signal?: AbortSignal | undefined
}

/** A base of one layer. */
export interface HostRuntime {
  readonly layerName: 'node runtime'
  /** Sorted by path, parents included; the later layers' own links through `/bin`, `/lib` and the like hold. */
  readonly placements: readonly Placement[]
  /** `NAME=value`, as Node.js's official image sets them. */
  readonly env: readonly string[]
  readonly platform: Platform
  /** `20.19.0` */
  readonly nodeVersion: string
}

/** Opened by glibc while a program runs: name resolution; and glibc's other parts, which native addons name. */
const openedAtRunTime = [
  'libnss_files.so.2',
  'libnss_dns.so.2',
  'libresolv.so.2',
  'libdl.so.2',
  'libpthread.so.0',
  'librt.so.1',
  'libutil.so.1',
  'libm.so.6',
  'libgcc_s.so.1',
]

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const otherBase = 'use an image layout (oci:DIR) or a registry image as base'

/**
 * Finds everything by reading ELF; runs nothing, needs no network. Throws `OCB-HOST-RUNTIME-OS` on macOS and
 * Windows, `OCB-HOST-RUNTIME-PLATFORM` when the host cannot give what is wanted, `OCB-HOST-RUNTIME-NODE` when the
 * binary cannot be read, `OCB-HOST-RUNTIME-LOADER` and `OCB-HOST-RUNTIME-LIBRARY` when a part of it is missing.
 */
export async function hostNodeRuntime(options: HostRuntimeOptions): Promise<HostRuntime> {
  const { environment, signal } = options
  throwIfAborted(signal)
  const platform = checkPlatform(environment, options.platform)
  const program = realProgram(environment.node.execPath)
  const libraryPath = (environment.variables['LD_LIBRARY_PATH'] ?? '')
    .split(':')
    .filter((path) => path.startsWith('/'))
  const found = findLibraries({ root: '/', libraryPath }, program, openedAtRunTime)
  throwIfAborted(signal)
  const placements = completeTree([
    ...baseFiles(found.program.bits),
    placeHostFile('/usr/local/bin/node', program, 0o755),
    placeSymlink('/usr/local/bin/nodejs', 'node'),
    ...libraryFiles(found),
    ...externalBuiltins('/', found.libraries),
    ...distributionFiles('/'),
    ...(await certificateFiles('/')),
    ...timeZoneFiles('/'),
  ])
  const { version } = environment.node
  return {
    layerName: 'node runtime',
    placements,
    env: [`PATH=${searchPath}`, `NODE_VERSION=${version}`],
    platform,
    nodeVersion: version,
  }
}

function checkPlatform(environment: Environment, wanted: Platform | undefined): Platform {
  if (environment.hostPlatform !== 'linux') {
    throw new OciBuildError('OCB-HOST-RUNTIME-OS', {
      message: `base host:node takes Node.js from a Linux host, and this one is ${environment.hostPlatform}`,
      hint: otherBase,
    })
  }
  const host: Platform = { os: 'linux', architecture: environment.hostArchitecture }
  if (wanted !== undefined && choosePlatform([{ platform: host }], wanted) === undefined) {
    throw new OciBuildError('OCB-HOST-RUNTIME-PLATFORM', {
      message: `base host:node is ${formatPlatform(host)} here, and ${formatPlatform(wanted)} is wanted`,
      hint: `set platforms to ['${formatPlatform(host)}'], or ${otherBase}`,
    })
  }
  return host
}

function realProgram(execPath: string): string {
  try {
    return realpathSync(execPath)
  } catch (cause) {
    throw new OciBuildError('OCB-HOST-RUNTIME-NODE', {
      message: `the Node.js binary ${execPath} cannot be read: ${messageOf(cause)}`,
      hint: 'start ocibuild again; Node.js may have been replaced while it ran',
      cause,
    })
  }
}

/** Libraries go where the loader looks without ld.so.cache, which an image does not have. */
function libraryFiles(found: ProgramLibraries): readonly Placement[] {
  if (found.interpreter === undefined) return []
  const folder = libraryFolder(found)
  return [
    placeHostFile(merged(found.interpreter.path), found.interpreter.realPath, 0o755),
    ...found.libraries.map(({ name, realPath }) =>
      placeHostFile(merged(name.includes('/') ? name : join(folder, name)), realPath),
    ),
  ]
}

/** The libraries are this distribution's: scanners, and packages that choose a prebuilt binary, ask for its name. */
function distributionFiles(root: string): readonly Placement[] {
  const hostPath = findHostFile(join(root, '/etc/os-release'))
  if (hostPath === undefined) return []
  return [
    placeHostFile('/usr/lib/os-release', hostPath),
    placeSymlink('/etc/os-release', '../usr/lib/os-release'),
  ]
}

/** Where libc lies its own loader looks by itself, in every distribution. musl is both in one, and looks in /lib. */
function libraryFolder(found: ProgramLibraries): string {
  const libc = found.libraries.find(({ name }) => /^libc\.so\.\d/.test(name))
  if (libc !== undefined) return dirname(libc.foundAt)
  return usesMusl(found.program) ? '/lib' : '/usr/lib'
}

/** `/lib/x` is written as `/usr/lib/x`, since the image has `/lib -> usr/lib`. */
function merged(path: string): string {
  return /^\/(?:bin|sbin|lib|lib64)\//.test(path) ? `/usr${path}` : path
}
