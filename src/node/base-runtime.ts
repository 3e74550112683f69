/** What a base gives to native files: its C library, what its libraries define, its Node.js. */

import { modulesOf } from './node-abi.ts'
import type { NodeRelease } from './program-version.ts'
import type { VersionSummary } from './symbol-versions.ts'

export type Libc = 'glibc' | 'musl'

/** Each question is answered at most once by reading; the answers are remembered. */
export interface BaseRuntime {
  /** Undefined where the base has none, or both. */
  libc(): Promise<Libc | undefined>
  /** By the name that programs ask for: `libc.so.6`. Undefined where the base has no such file. */
  library(name: string): Promise<VersionSummary | undefined>
  /** Undefined where the base has no Node.js, or one that does not say. */
  node(): Promise<NodeRelease | undefined>
}

/** Of `NODE_VERSION`, which Node.js's official image and those built on it set. */
export function releaseOfVariable(env: readonly string[] | undefined): NodeRelease | undefined {
  const version = env?.find((item) => item.startsWith('NODE_VERSION='))?.slice('NODE_VERSION='.length)
  if (version === undefined || !/^\d+\.\d+\.\d+/.test(version)) return undefined
  return { version, modules: modulesOf(version) }
}
