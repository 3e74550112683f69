/** Platforms in the words of npm: what a package says it runs on, against what the image is for. */

import type { Platform } from '../../spec/platform.ts'
import type { Manifest } from './manifest.ts'

export interface NativeTarget {
  readonly platform: Platform
  /** Of the base; undefined where it is not known. */
  readonly libc: 'glibc' | 'musl' | undefined
}

const cpus: Readonly<Record<string, string>> = {
  amd64: 'x64',
  '386': 'ia32',
  ppc64le: 'ppc64',
  mipsle: 'mipsel',
}

/** `process.arch` of a platform. */
export function cpuOf({ architecture }: Platform): string {
  return cpus[architecture] ?? architecture
}

/**
 * Whether a package's `os`, `cpu` and `libc` allow the target (docs.npmjs.com, package.json). One that tells its libc in
 * its name alone is left to its sibling for the target's, where `offered`, the names it is listed among, has that.
 */
export function fitsTarget(
  { name = '', os, cpu, libc }: Manifest,
  target: NativeTarget,
  offered: readonly string[] = [],
): boolean {
  const { platform, libc: own } = target
  if (!allows(os, platform.os) || !allows(cpu, cpuOf(platform))) return false
  if (own === undefined) return true
  if (libc.length > 0) return allows(libc, own)
  const isOther =
    os.length > 0 && !isNamedFor(name, target) && isNamedFor(name, { platform, libc: undefined })
  return !isOther || !offered.some((other) => other !== name && isNamedFor(other, target))
}

/** Names with `!` are refused; where there are others, one of them must be meant. */
function allows(list: readonly string[], value: string): boolean {
  const refused = list.filter((item) => item.startsWith('!'))
  if (refused.includes(`!${value}`)) return false
  return refused.length === list.length || list.includes(value) || list.includes('any')
}

/** Whether the name of a package says that it holds the target's binary: `@img/sharp-linux-x64`. */
export function isNamedFor(name: string, { platform, libc }: NativeTarget): boolean {
  const words = name.toLowerCase().split(/[-_./@]+/)
  const isMusl = words.some((word) => word.endsWith('musl'))
  const isGlibc = words.some((word) => word === 'gnu' || word === 'glibc')
  const hasOs = words.some((word) => word === platform.os || word === `${platform.os}musl`)
  const libcFits = libc === undefined || (libc === 'musl' ? !isGlibc : !isMusl)
  return hasOs && words.includes(cpuOf(platform)) && libcFits
}
