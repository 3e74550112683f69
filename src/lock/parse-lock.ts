/** A lock from text that people merge and edit: every value is looked at. */

import { isNormalName } from '../rootfs/entry-name.ts'
import type { Owner } from '../rootfs/owners.ts'
import { isDigest, type Digest } from '../spec/digest.ts'
import { lockVersion, type Lock, type LockedPlatform, type LockedReference } from './lock.ts'
import type { BaseFacts, NodeFact, PathFact } from './lock.ts'

export type LockPath = readonly string[]

/** What is wrong with a lock, and where in it. */
export class LockFault extends Error {
  readonly at: LockPath
  readonly newer: boolean

  constructor(at: LockPath, message: string, newer = false) {
    super(message)
    this.at = at
    this.newer = newer
  }
}

/** Reads a parsed JSON document. Throws `LockFault`. */
export function parseLock(document: unknown): Lock {
  const members = readObject(document, [])
  const version = members.get('lockVersion')
  if (typeof version === 'number' && version > lockVersion) {
    throw new LockFault(['lockVersion'], `found ${version}; this ocibuild reads ${lockVersion}`, true)
  }
  if (version !== lockVersion) throw wrong(['lockVersion'], version, `${lockVersion}`)
  return { references: readMap(members.get('references'), ['references'], readReference) }
}

function readReference(value: unknown, at: LockPath): LockedReference {
  const members = readObject(value, at)
  const size = members.get('size')
  if (!isWhole(size)) throw wrong([...at, 'size'], size, 'a number of bytes')
  const mediaType = readString(members.get('mediaType'), [...at, 'mediaType'])
  const digest = readDigest(members.get('digest'), [...at, 'digest'])
  return {
    root: { mediaType, digest, size },
    platforms: readMap(members.get('platforms'), [...at, 'platforms'], readPlatform),
  }
}

function readPlatform(value: unknown, at: LockPath): LockedPlatform {
  const members = readObject(value, at)
  return {
    manifest: readDigest(members.get('manifest'), [...at, 'manifest']),
    config: readDigest(members.get('config'), [...at, 'config']),
    facts: {
      owners: readMap(members.get('owners') ?? {}, [...at, 'owners'], readOwner),
      programs: readMap(members.get('programs') ?? {}, [...at, 'programs'], readString),
      paths: readPaths(members.get('paths') ?? {}, [...at, 'paths']),
    },
  }
}

function readPaths(value: unknown, at: LockPath): BaseFacts['paths'] {
  const paths = new Map<string, PathFact>()
  for (const [key, fact] of readMap(value, at, readFact)) {
    const path = key.slice(1)
    if (!key.startsWith('/') || !isNormalName(path)) throw wrong([...at, key], key, 'an absolute image path')
    paths.set(path, fact)
  }
  for (const path of paths.keys()) {
    const slash = path.lastIndexOf('/')
    if (slash < 0) continue
    const parent = paths.get(path.slice(0, slash))
    if (typeof parent === 'object' && parent.type === 'directory') continue
    throw new LockFault(
      [...at, `/${path}`],
      `stands below /${path.slice(0, slash)}, which is no directory here`,
    )
  }
  return paths
}

const types: readonly NodeFact['type'][] = [
  'file',
  'directory',
  'symlink',
  'hardlink',
  'character',
  'block',
  'fifo',
]

function readFact(value: unknown, at: LockPath): PathFact {
  if (value === 'absent') return value
  const members = readObject(value, at)
  const type = types.find((known) => known === members.get('type'))
  if (type === undefined) throw wrong([...at, 'type'], members.get('type'), 'a type of file')
  const mode = members.get('mode')
  if (typeof mode !== 'string' || !/^[0-7]{4}$/.test(mode)) {
    throw wrong([...at, 'mode'], mode, 'four octal digits')
  }
  const layer = members.get('layer')
  if (layer !== undefined && !isWhole(layer)) throw wrong([...at, 'layer'], layer, 'the position of a layer')
  const listed = members.get('listed')
  if (listed !== undefined && typeof listed !== 'boolean') {
    throw wrong([...at, 'listed'], listed, 'true or nothing')
  }
  const isLink = type === 'symlink' || type === 'hardlink'
  const target = members.get('target')
  const xattrs = members.get('xattrs')
  return {
    type,
    mode: Number.parseInt(mode, 8),
    ...readOwner(members.get('owner'), [...at, 'owner']),
    target: isLink || target !== undefined ? readString(target, [...at, 'target']) : undefined,
    layer,
    listed,
    xattrs:
      xattrs === undefined ? undefined : Object.fromEntries(readMap(xattrs, [...at, 'xattrs'], readString)),
  }
}

function readOwner(value: unknown, at: LockPath): Owner {
  const [, uid, gid] = typeof value === 'string' ? (/^(\d{1,15}):(\d{1,15})$/.exec(value) ?? []) : []
  if (uid === undefined || gid === undefined) throw wrong(at, value, 'UID:GID')
  return { uid: Number(uid), gid: Number(gid) }
}

function readDigest(value: unknown, at: LockPath): Digest {
  if (typeof value === 'string' && isDigest(value)) return value
  throw wrong(at, value, 'a digest')
}

function readString(value: unknown, at: LockPath): string {
  if (typeof value === 'string') return value
  throw wrong(at, value, 'a string')
}

function readObject(value: unknown, at: LockPath): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(at, value, 'an object')
  }
  return new Map(Object.entries(value))
}

function readMap<Value>(
  value: unknown,
  at: LockPath,
  read: (value: unknown, at: LockPath) => Value,
): Map<string, Value> {
  return new Map(Array.from(readObject(value, at), ([key, item]) => [key, read(item, [...at, key])]))
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function wrong(at: LockPath, value: unknown, wanted: string): LockFault {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return new LockFault(at, `found ${text.length > 80 ? `${text.slice(0, 80)}…` : text}, wanted ${wanted}`)
}
