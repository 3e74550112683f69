/** Platforms (image-spec v1.1.1 image-index.md, Platform; GOOS and GOARCH words). */

import { OciBuildError } from '../errors.ts'

export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string | undefined
  readonly 'os.version'?: string | undefined
  readonly 'os.features'?: readonly string[] | undefined
}

const aliases: Readonly<Record<string, readonly [string, string?]>> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  aarch64: ['arm64'],
  i386: ['386'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
}
const defaultVariants: Readonly<Record<string, string>> = { arm64: 'v8', arm: 'v7', amd64: 'v1' }

/** Parses `os/architecture[/variant]`, e.g. `linux/arm64/v8`. Throws `OCB-SPEC-PLATFORM`. */
export function parsePlatform(text: string): Platform {
  const parts = text.trim().toLowerCase().split('/')
  const [os, architecture, variant] = parts
  if (!os || !architecture || parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) {
    throw new OciBuildError('OCB-SPEC-PLATFORM', {
      message: `"${text}" is not a platform; wanted os/architecture[/variant]`,
      hint: 'write it like linux/amd64 or linux/arm/v7',
    })
  }
  const [name, aliasVariant] = aliases[architecture] ?? [architecture]
  const wanted = variant ?? aliasVariant
  return wanted === undefined ? { os, architecture: name } : { os, architecture: name, variant: wanted }
}

/** `os/architecture[/variant]`, the form `parsePlatform` reads. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`
}

/** The variant, or the one its architecture stands for without one (as containerd reads it). */
export function effectiveVariant(platform: Platform): string | undefined {
  return platform.variant ?? defaultVariants[platform.architecture]
}

/** Whether an image for `offered` is exactly what `wanted` names. */
export function samePlatform(offered: Platform, wanted: Platform): boolean {
  return (
    offered.os === wanted.os &&
    offered.architecture === wanted.architecture &&
    effectiveVariant(offered) === effectiveVariant(wanted)
  )
}

/**
 * The best of `offered` for `wanted`: the same variant, else the highest one below it (an arm/v7 host runs
 * arm/v6); undefined when none runs there.
 */
export function choosePlatform<T extends { readonly platform?: Platform | undefined }>(
  offered: readonly T[],
  wanted: Platform,
): T | undefined {
  const rank = (platform: Platform): number =>
    Number(/^v(\d+)/.exec(effectiveVariant(platform) ?? '')?.[1] ?? 0)
  let best: T | undefined
  for (const candidate of offered) {
    const { platform } = candidate
    if (!platform || platform.os !== wanted.os || platform.architecture !== wanted.architecture) continue
    if (samePlatform(platform, wanted)) return candidate
    if (rank(platform) >= rank(wanted)) continue
    if (!best?.platform || rank(platform) > rank(best.platform)) best = candidate
  }
  return best
}
