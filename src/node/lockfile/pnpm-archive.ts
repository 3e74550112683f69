/** Where packages of pnpm-lock.yaml come from, and whether package.json still asks for them. */

import { join, posix } from 'node:path'
import { isPlainObject } from '../../config/check-shape.ts'
import { readPackageJson } from '../../config/package-json.ts'
import { OciBuildError } from '../../errors.ts'
import type { LockedArchive } from './locked-tree.ts'
import { installInstead, unsupported } from './lockfile-error.ts'
import type { PnpmLock, PnpmSnapshot } from './pnpm-lock.ts'

/** Throws `OCB-NODE-LOCKFILE-UNSUPPORTED` for what is no archive of a registry or of a file, and `OCB-NODE-PATCH`. */
export function archiveOf(item: PnpmSnapshot, lock: PnpmLock, root: string, lockfile: string): LockedArchive {
  const { key, name, version, resolution, patchHash } = item
  const { integrity, tarball, type, gitHosted } = resolution
  if (type === 'git' || gitHosted === true || (typeof tarball === 'string' && isGitHost(tarball))) {
    throw unsupported(
      `${lockfile}: ${key} comes from git, which holds sources, not what is published`,
      `depend on a published version of ${name}, or ${installInstead}`,
    )
  }
  if (type === 'directory') {
    throw unsupported(
      `${lockfile}: ${key} is a copy of a folder, made when it is installed`,
      `link to it instead (workspace: or link:), or ${installInstead}`,
    )
  }
  if (type !== undefined) {
    throw unsupported(
      `${lockfile}: ${key} is of the kind ${JSON.stringify(type)}; wanted an archive`,
      installInstead,
    )
  }
  return {
    name,
    version,
    integrity: typeof integrity === 'string' ? integrity : undefined,
    resolved: typeof tarball === 'string' ? tarball : undefined,
    patch: patchHash === undefined ? undefined : patchPath(item, patchHash, lock, root, lockfile),
  }
}

/** pnpm marks what it fetches from these as archives, and packs it again. */
function isGitHost(url: string): boolean {
  return /^https?:\/\/(?:codeload\.github\.com|gitlab\.com\/.*\/archive|bitbucket\.org\/.*\/get)\//.test(url)
}

function patchPath(
  { key }: PnpmSnapshot,
  hash: string,
  { patches }: PnpmLock,
  root: string,
  lockfile: string,
): string {
  const path = patches.get(hash)
  if (path !== undefined) return join(root, path)
  throw new OciBuildError('OCB-NODE-PATCH', {
    message: `${lockfile}: ${key} is patched, and patchedDependencies names no patch with the hash ${hash}`,
    hint: 'run pnpm install, which writes the lockfile',
  })
}

/**
 * Throws `OCB-NODE-LOCKFILE-STALE` where package.json of an importer asks for production dependencies that the lockfile
 * has otherwise. Development's may differ: none of them is taken.
 */
export function checkImporters(root: string, lockfile: string, { importers, overrides }: PnpmLock): void {
  const replaced = new Set(overrides.map((name) => name.replace(/^.*>/, '').replace(/(?<=.)@.*$/, '')))
  for (const [path, { dependencies }] of importers) {
    const words = readPackageJson(join(root, path))
    if (words === undefined) continue
    const wanted = namesOf(words, ['dependencies', 'optionalDependencies'])
    // Peers are installed as well (auto-install-peers), and may come with what replaces another.
    const also = namesOf(words, ['peerDependencies', 'devDependencies'])
    const locked = new Map(dependencies.map(({ alias, specifier }) => [alias, specifier]))
    const names = [...new Set([...wanted.keys(), ...locked.keys()])].filter((name) => !replaced.has(name))
    const differing = names.find((name) =>
      wanted.has(name) ? wanted.get(name) !== locked.get(name) : !also.has(name),
    )
    if (differing === undefined) continue
    throw new OciBuildError('OCB-NODE-LOCKFILE-STALE', {
      message: `${posix.join(path, 'package.json')} asks for ${differing} ${String(wanted.get(differing) ?? '(not at all)')}, and ${lockfile} has ${locked.get(differing) ?? 'none'}`,
      hint: 'run pnpm install, which writes the lockfile',
    })
  }
}

function namesOf(
  words: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): ReadonlyMap<string, unknown> {
  return new Map(
    keys.flatMap((key) => {
      const list = words[key]
      return Object.entries(isPlainObject(list) ? list : {})
    }),
  )
}
