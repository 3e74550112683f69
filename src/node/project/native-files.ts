/** Native files of dependencies: that the image can load them is known before it is built. */

import { OciBuildError } from '../../errors.ts'
import type { Placement } from '../../plan/placement.ts'
import { formatPlatform } from '../../spec/platform.ts'
import { readElfVersions } from '../elf-versions.ts'
import type { DependencyClosure } from './dependency-closure.ts'
import { readNativeHeader, type NativeHeader } from './native-header.ts'
import { cpuOf, isNamedFor, type NativeTarget } from './native-platform.ts'
import type { PackageManager } from './package-manager.ts'

export interface NativeBase extends NativeTarget {
  /** As the user wrote it. */
  readonly name: string
  /** Host paths of the base's libraries by the names that programs ask for; empty where they are not at hand. */
  readonly libraries: ReadonlyMap<string, string>
}

interface NativeFile {
  /** Below the project's folder in the image. */
  readonly path: string
  readonly hostPath: string
  /** The package's folder in the image, and its name. */
  readonly owner: string
  readonly name: string
  readonly header: NativeHeader
}

/**
 * Reads the header of each native file among the placements. Packages may carry files for many platforms: one that has
 * some and none for the target is refused, and one that was compiled here for another. Throws `OCB-NODE-NATIVE`.
 */
export function checkNativeFiles(
  placements: readonly Placement[],
  base: NativeBase,
  manager: PackageManager,
): number {
  if (base.platform.os !== 'linux') return 0
  const files = placements.flatMap(nativeFile)
  const defined = new Map<string, readonly string[]>()
  const byOwner = new Map<string, NativeFile[]>()
  for (const file of files) byOwner.set(file.owner, [...(byOwner.get(file.owner) ?? []), file])
  for (const own of byOwner.values()) {
    const loaded = own.filter(({ path }) => path.endsWith('.node'))
    const unfit = loaded.filter(({ header }) => !fits(header, base))
    const compiled = unfit.find(({ path }) => /\/build\/(?:Release|Debug)\/[^/]+\.node$/.test(path))
    const culprit = compiled ?? (unfit.length === loaded.length ? unfit[0] : undefined)
    if (culprit !== undefined) throw wrongPlatform(culprit, base, manager, compiled !== undefined)
    for (const file of loaded) if (fits(file.header, base)) checkVersions(file, base, defined)
  }
  return files.length
}

/**
 * Optional dependencies hold one platform's binary each: where others were installed and the target's was not, the
 * package that lists them could not start. Throws `OCB-NODE-NATIVE`.
 */
export function checkLeftOut(
  { leftOut }: DependencyClosure,
  base: NativeBase,
  manager: PackageManager,
): void {
  const others = leftOut.filter(({ manifest }) => manifest !== undefined)
  for (const { by, name } of others) {
    const wanted = (by.manifest?.optionalDependencies ?? []).filter((item) => isNamedFor(item, base))
    const missing = wanted.filter((item) => leftOut.some((out) => out.by === by && out.name === item))
    const [first] = missing
    if (first === undefined || missing.length < wanted.length) continue
    throw new OciBuildError('OCB-NODE-NATIVE', {
      message: `${by.name} is installed with ${name}, which is not for ${formatPlatform(base.platform)}; wanted ${first}`,
      hint: installFor(manager, base),
    })
  }
}

/** Whether one of a header's machines is the target's. */
function fits({ os, cpus, libc }: NativeHeader, target: NativeTarget): boolean {
  const sameLibc = libc === undefined || target.libc === undefined || libc === target.libc
  return os === target.platform.os && cpus.includes(cpuOf(target.platform)) && sameLibc
}

/** Most files of a package are not looked into: names tell which may be native. */
function nativeFile(placement: Placement): NativeFile[] {
  if (placement.type !== 'file' || placement.source.kind !== 'host') return []
  // One of many in a file of the cache, where native files have one of their own.
  if (placement.source.offset !== undefined) return []
  const { path } = placement
  const base = path.slice(path.lastIndexOf('/') + 1)
  const mayBe =
    /\.(?:node|dylib|dll|exe)$|\.so(?:\.\d+)*$/.test(base) ||
    (placement.mode === 0o755 && !base.includes('.'))
  if (!mayBe) return []
  const owner = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]
  const header = owner === undefined ? undefined : readNativeHeader(placement.source.path)
  if (owner === undefined || header === undefined) return []
  const name = owner.slice(owner.lastIndexOf('/node_modules/') + '/node_modules/'.length)
  return [{ path, hostPath: placement.source.path, owner, name, header }]
}

/** `defined` remembers what each library of the base defines. */
function checkVersions(
  { hostPath, path, name }: NativeFile,
  base: NativeBase,
  defined: Map<string, readonly string[]>,
): void {
  if (base.libraries.size === 0) return
  for (const [library, versions] of readElfVersions(hostPath).needs) {
    const provider = base.libraries.get(library)
    if (provider === undefined) continue
    const defines = defined.get(provider) ?? readElfVersions(provider).defines
    defined.set(provider, defines)
    const lacking = versions.find((version) => !defines.includes(version))
    if (lacking === undefined) continue
    const family = lacking.replace(/_.*/, '_')
    const highest = defines
      .filter((version) => version.startsWith(family) && /\d/.test(version))
      .sort(byNumbers)
      .at(-1)
    throw new OciBuildError('OCB-NODE-NATIVE', {
      message: `${name}: ${path} needs ${lacking} of ${library}, and the base ${base.name} has ${highest ?? 'none of it'}`,
      hint: `take a base with a newer ${library}, or compile ${name} on a system as old as the base`,
    })
  }
}

function byNumbers(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true })
}

function wrongPlatform(
  { name, path, header }: NativeFile,
  base: NativeBase,
  manager: PackageManager,
  compiled: boolean,
): OciBuildError {
  const found = [header.os, header.cpus.join(' and '), header.libc].filter((word) => word !== undefined)
  const wanted = [base.platform.os, cpuOf(base.platform), base.libc].filter((word) => word !== undefined)
  return new OciBuildError('OCB-NODE-NATIVE', {
    message: `${name}: ${path} is for ${found.join(' ')}; wanted ${wanted.join(' ')}, which the base ${base.name} runs`,
    hint: compiled
      ? `run ${manager.name} rebuild ${name} on ${formatPlatform(base.platform)}, or build for this host's platform`
      : installFor(manager, base),
  })
}

/** The command, or the words, by which each manager installs for another platform. */
function installFor({ name }: PackageManager, { platform, libc }: NativeTarget): string {
  const cpu = cpuOf(platform)
  const words = libc === undefined ? '' : `, libc: [${libc}]`
  switch (name) {
    case 'npm':
      return `run npm install --os=${platform.os} --cpu=${cpu}${libc === undefined ? '' : ` --libc=${libc}`}`
    case 'bun':
      return `run bun install --os ${platform.os} --cpu ${cpu}`
    case 'pnpm':
      return `set supportedArchitectures: { os: [${platform.os}], cpu: [${cpu}]${words} } for pnpm, and run pnpm install`
    case 'yarn':
      return `set supportedArchitectures: { os: [${platform.os}], cpu: [${cpu}]${words} } in .yarnrc.yml, and run yarn install`
  }
}
