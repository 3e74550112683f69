/** What Yarn's lockfile says of packages that `.pnp.cjs` does not: their commands, and the systems that they are for. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPlainObject } from '../../config/check-shape.ts'
import { messageOf, OciBuildError } from '../../errors.ts'
import { parseManifest, type Manifest } from '../project/manifest.ts'
import type { PnpPackage } from './pnp-state.ts'

export interface LockedPackage {
  /** Commands by name: paths in the package. */
  readonly bin: Readonly<Record<string, string>>
  /** `os`, `cpu` and `libc` alone; undefined for a package that is for all systems. */
  readonly system: Manifest | undefined
}

export interface YarnLock {
  find(item: PnpPackage): LockedPackage | undefined
}

/** Empty where there is none. Throws `OCB-NODE-PNP`. */
export async function readYarnLock(root: string): Promise<YarnLock> {
  const path = join(root, 'yarn.lock')
  const found = new Map<string, LockedPackage>()
  for (const words of existsSync(path) ? Object.values(await parseLock(path)) : []) {
    if (!isPlainObject(words) || typeof words['resolution'] !== 'string') continue
    const { resolution, bin, conditions } = words
    const own = parseManifest({ name: nameOf(resolution), bin, ...systemOf(conditions) })
    found.set(resolution, { bin: own.bin, system: typeof conditions === 'string' ? own : undefined })
  }
  return {
    find: ({ name, reference }) =>
      found.get(`${name ?? ''}@${(reference ?? '').replace(/^virtual:[^#]*#/, '')}`),
  }
}

/** `os=linux & (cpu=x64 | cpu=arm64)` */
function systemOf(conditions: unknown): object {
  const text = typeof conditions === 'string' ? conditions : ''
  const valuesOf = (key: string): readonly string[] =>
    Array.from(text.matchAll(new RegExp(`\\b${key}=([\\w-]+)`, 'g')), ([, value = '']) => value)
  return { os: valuesOf('os'), cpu: valuesOf('cpu'), libc: valuesOf('libc') }
}

function nameOf(resolution: string): string {
  return resolution.slice(0, resolution.indexOf('@', 1))
}

async function parseLock(path: string): Promise<Readonly<Record<string, unknown>>> {
  const { parse } = await import('yaml')
  try {
    const value: unknown = parse(readFileSync(path, 'utf8'))
    return isPlainObject(value) ? value : {}
  } catch (error) {
    throw new OciBuildError('OCB-NODE-PNP', {
      message: `cannot read ${path}: ${messageOf(error)}`,
      hint: 'run yarn install, which writes it anew',
      cause: error,
    })
  }
}
