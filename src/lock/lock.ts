/** `oci.lock` as data: what each registry reference of a spec resolved to, and what the spec asks of the bases. */

import type { Owner } from '../rootfs/owners.ts'
import type { LayerEntryType } from '../rootfs/tree-types.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { RegistryReference } from '../spec/reference.ts'

/** The name of the file, in the folder of the config file. */
export const lockFileName = 'oci.lock'
/** What this release writes; it reads no newer one. */
export const lockVersion = 1

/** Keys are those of `lockKey`. */
export interface Lock {
  readonly references: ReadonlyMap<string, LockedReference>
}

export interface LockedReference {
  /** What the reference named: media type, digest and size. */
  readonly root: Descriptor
  /** By `os/architecture[/variant]` of the spec. */
  readonly platforms: ReadonlyMap<string, LockedPlatform>
}

export interface LockedPlatform {
  /** Of the manifest that was chosen for the platform. */
  readonly manifest: Digest
  readonly config: Digest
  readonly facts: BaseFacts
}

/** What a spec asked of a base. What is not here was not asked. */
export interface BaseFacts {
  /** Relative image paths. Each directory above one of them is one itself; below what is absent or no directory, nothing is. */
  readonly paths: ReadonlyMap<string, PathFact>
  /** By the words of the spec: `node`, `node:staff`. */
  readonly owners: ReadonlyMap<string, Owner>
  /** What it has for native files, by what was asked: `libc`, `libc.so.6`, `node`. */
  readonly programs: ReadonlyMap<string, string>
}

export type PathFact = 'absent' | NodeFact

export interface NodeFact {
  readonly type: Exclude<LayerEntryType, 'whiteout' | 'opaque'>
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly target?: string | undefined
  readonly xattrs?: Readonly<Record<string, string>> | undefined
  /** Of files: the position of the layer that holds the bytes, 0 is the lowest. */
  readonly layer?: number | undefined
  /** Of directories: all that is directly in it is among the facts. */
  readonly listed?: boolean | undefined
}

export const emptyFacts: BaseFacts = { paths: new Map(), owners: new Map(), programs: new Map() }

/** `docker.io/library/node:22-slim`, with `@DIGEST` where one was written; whatever mirror will serve it. */
export function lockKey({ host, repository, tag, digest }: RegistryReference): string {
  const name = `${host}/${repository}`
  const named = tag === undefined && digest === undefined ? `${name}:latest` : name
  return `${named}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}
