/** pnpm-lock.yaml of version 9: what pnpm 9 and 10 write (github.com/pnpm/spec, lockfile). */

import { readFileSync } from 'node:fs'
import { isPlainObject } from '../../config/check-shape.ts'
import { messageOf } from '../../errors.ts'
import { unreadableLockfile, unsupported } from './lockfile-error.ts'

type Words = Readonly<Record<string, unknown>>

export interface PnpmDependency {
  /** The name it is asked for by. */
  readonly alias: string
  /** What package.json asks for; undefined below a package. */
  readonly specifier: string | undefined
  /** A key of `snapshots`, or `link:` and a folder below the importer. */
  readonly target: string
}

export interface PnpmImporter {
  /** Without development's; in the lockfile's order. */
  readonly dependencies: readonly PnpmDependency[]
  /** Names of development's. */
  readonly development: readonly string[]
}

export interface PnpmSnapshot {
  /** `@scope/name@1.0.0(peer@2.0.0)` */
  readonly key: string
  readonly name: string
  readonly version: string
  readonly dependencies: readonly PnpmDependency[]
  /** Nothing but optional dependencies leads to it. */
  readonly optional: boolean
  readonly resolution: Words
  /** `os`, `cpu` and `libc`, as package.json has them. */
  readonly words: Words
  /** The patch that its key names. */
  readonly patchHash: string | undefined
}

export interface PnpmLock {
  /** By path, `.` is the root. */
  readonly importers: ReadonlyMap<string, PnpmImporter>
  readonly snapshots: ReadonlyMap<string, PnpmSnapshot>
  /** Paths below the root, by hash. */
  readonly patches: ReadonlyMap<string, string>
  /** Names whose ranges pnpm replaces. */
  readonly overrides: readonly string[]
}

/** Throws `OCB-NODE-LOCKFILE-UNREADABLE` and, for another version, `OCB-NODE-LOCKFILE-UNSUPPORTED`. */
export async function readPnpmLock(path: string): Promise<PnpmLock> {
  const { parse } = await import('yaml')
  let value: unknown
  try {
    value = parse(readFileSync(path, 'utf8'), { maxAliasCount: 0, merge: false })
  } catch (error) {
    throw unreadableLockfile(path, messageOf(error), error)
  }
  if (!isPlainObject(value)) throw unreadableLockfile(path, 'it holds no lockfile')
  const { lockfileVersion } = value
  if (!/^9(?:\.|$)/.test(String(lockfileVersion))) {
    throw unsupported(
      `${path} has the lockfileVersion ${JSON.stringify(lockfileVersion)}; wanted 9.0`,
      'write it again with pnpm 9 or 10: pnpm install --lockfile-only',
    )
  }
  const packages = recordOf(value['packages'])
  const snapshots = Object.entries(recordOf(value['snapshots']))
  return {
    importers: new Map(
      Object.entries(recordOf(value['importers'])).map(([name, words]) => [
        name,
        importerOf(recordOf(words)),
      ]),
    ),
    snapshots: new Map(
      snapshots.map(([key, words]) => [key, snapshotOf(path, key, recordOf(words), packages)]),
    ),
    patches: patchesOf(value['patchedDependencies']),
    overrides: Object.keys(recordOf(value['overrides'])),
  }
}

function importerOf(words: Words): PnpmImporter {
  return {
    dependencies: [...directOf(words['dependencies']), ...directOf(words['optionalDependencies'])],
    development: Object.keys(recordOf(words['devDependencies'])),
  }
}

function directOf(list: unknown): readonly PnpmDependency[] {
  return Object.entries(recordOf(list)).flatMap(([alias, item]): PnpmDependency[] => {
    const { specifier, version } = recordOf(item)
    if (typeof version !== 'string') return []
    const asked = typeof specifier === 'string' ? specifier : undefined
    return [{ alias, specifier: asked, target: targetOf(alias, version) }]
  })
}

function snapshotOf(path: string, key: string, words: Words, packages: Words): PnpmSnapshot {
  const suffix = key.indexOf('(', 1)
  const id = suffix < 0 ? key : key.slice(0, suffix)
  const own = recordOf(packages[id])
  const at = id.indexOf('@', 1)
  const resolution = own['resolution']
  if (at < 0 || !isPlainObject(resolution)) {
    throw unreadableLockfile(path, `snapshots["${key}"] has no package that says where it comes from`)
  }
  const { version } = own
  const name = typeof own['name'] === 'string' ? own['name'] : id.slice(0, at)
  if (!/^(?:@[^/@]+\/)?(?!\.{1,2}$)[^/]+$/.test(name)) {
    throw unreadableLockfile(path, `"${name}" of snapshots["${key}"] is no name of a package`)
  }
  const children = { ...recordOf(words['dependencies']), ...recordOf(words['optionalDependencies']) }
  return {
    key,
    name,
    version: typeof version === 'string' ? version : id.slice(at + 1),
    dependencies: Object.entries(children).flatMap(([alias, reference]): PnpmDependency[] =>
      typeof reference === 'string'
        ? [{ alias, specifier: undefined, target: targetOf(alias, reference) }]
        : [],
    ),
    optional: words['optional'] === true,
    resolution,
    words: own,
    patchHash: /\(patch_hash=([^)]+)\)/.exec(key)?.[1],
  }
}

/** A version stands for the package of the alias's own name; what holds a name already is a key. */
function targetOf(alias: string, reference: string): string {
  if (reference.startsWith('link:') || reference.startsWith('@')) return reference
  const [at, colon, bracket] = ['@', ':', '('].map((mark) => reference.indexOf(mark))
  const isKey = at !== undefined && at >= 0 && isFirst(at, colon) && isFirst(at, bracket)
  return isKey ? reference : `${alias}@${reference}`
}

function isFirst(at: number, other: number | undefined): boolean {
  return other === undefined || other < 0 || at < other
}

/** Each has `hash` and `path`. */
function patchesOf(value: unknown): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const item of Object.values(recordOf(value))) {
    const { hash, path } = recordOf(item)
    if (typeof hash === 'string' && typeof path === 'string') found.set(hash, path)
  }
  return found
}

function recordOf(value: unknown): Words {
  return isPlainObject(value) ? value : {}
}
