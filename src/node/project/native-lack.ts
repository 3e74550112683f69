/** What a native file would miss in a base. */

import type { FileSource } from '../../plan/placement.ts'
import type { BaseRuntime } from '../base-runtime.ts'
import type { NodeRelease } from '../program-version.ts'
import { isMuslItself } from '../shared-libraries.ts'
import { lackingVersion } from '../symbol-versions.ts'
import type { NativeHeader, NativeNeeds } from './native-header.ts'
import type { NativeOwner } from './native-owner.ts'
import { cpuOf, type NativeTarget } from './native-platform.ts'

export interface NativeBase extends NativeTarget {
  /** As the user wrote it. */
  readonly name: string
  /** Undefined for a base of nothing. */
  readonly runtime: BaseRuntime | undefined
}

export interface NativeFile {
  /** In the image. */
  readonly path: string
  readonly source: FileSource
  readonly owner: NativeOwner
  readonly header: NativeHeader
}

export type Lack =
  | { readonly kind: 'library'; readonly library: string }
  | {
      readonly kind: 'version'
      readonly library: string
      readonly version: string
      /** Of its family; undefined where the library has none. */
      readonly highest: string | undefined
    }
  | { readonly kind: 'abi'; readonly modules: number; readonly node: NodeRelease }

/** Whether one of a header's machines is the target's. */
export function fits({ os, cpus, libc }: NativeHeader, target: NativeTarget): boolean {
  const sameLibc = libc === undefined || target.libc === undefined || libc === target.libc
  return os === target.platform.os && cpus.includes(cpuOf(target.platform)) && sameLibc
}

/** `provided` are names of files that the image has beside the base's. Undefined for a file that loads. */
export async function findLack(
  { path }: NativeFile,
  { libraries, versions, abi }: NativeNeeds,
  { runtime, libc }: NativeBase,
  provided: ReadonlySet<string>,
): Promise<Lack | undefined> {
  if (runtime === undefined) return undefined
  if (path.endsWith('.node') && typeof abi === 'number') {
    const node = await runtime.node()
    if (node?.modules !== undefined && node.modules !== abi) return { kind: 'abi', modules: abi, node }
  }
  for (const library of libraries) {
    const name = library.slice(library.lastIndexOf('/') + 1)
    if (provided.has(name) || (libc === 'musl' && isMuslItself(name))) continue
    const summary = await runtime.library(name)
    if (summary === undefined) return { kind: 'library', library: name }
    const lacking = lackingVersion(summary, versions.get(library) ?? [])
    if (lacking !== undefined) return { kind: 'version', library: name, ...lacking }
  }
  return undefined
}
