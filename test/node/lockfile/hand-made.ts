/** Packages of registries made by hand, and lockfiles that name them. */

import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { handMadeTar, type HandMadeEntry } from '../../helpers/hand-made-tar.ts'

/** A tgz whose entries lie below `package/`. */
export function packageArchive(entries: readonly HandMadeEntry[]): Buffer {
  const below = (name: string | Buffer): Buffer => Buffer.concat([Buffer.from('package/'), Buffer.from(name)])
  return gzipSync(handMadeTar(entries.map((entry) => ({ ...entry, name: below(entry.name) }))))
}

export function integrityOf(archive: Buffer, algorithm: 'sha1' | 'sha512' = 'sha512'): string {
  return `${algorithm}-${createHash(algorithm).update(archive).digest('base64')}`
}

export interface HandMadePackage {
  readonly words: Readonly<Record<string, unknown>> & { readonly name: string; readonly version: string }
  readonly archive: Buffer
  readonly integrity: string
}

/** A package of these files and a package.json of these words. */
export function handMade(
  name: string,
  version: string,
  files: Readonly<Record<string, string | Buffer>> = { 'index.js': `module.exports = '${name}'` },
  more: object = {},
): HandMadePackage {
  const words = { name, version, ...more }
  const archive = packageArchive([
    { name: 'package.json', content: JSON.stringify(words) },
    ...Object.entries(files).map(([path, content]) => ({ name: path, content })),
  ])
  return { words, archive, integrity: integrityOf(archive) }
}

/** package-lock.json of version 3; `packages` by path. */
export function packageLock(
  root: object,
  packages: Readonly<Record<string, HandMadePackage | object>>,
): object {
  const entries = Object.entries(packages).map(([path, item]) => [path, entryOf(item)])
  return {
    name: 'app',
    lockfileVersion: 3,
    requires: true,
    packages: { '': root, ...Object.fromEntries(entries) },
  }
}

function entryOf(item: HandMadePackage | object): object {
  if (!('archive' in item)) return item
  const { name: _, scripts, ...words } = item.words
  return { ...words, integrity: item.integrity, ...(scripts === undefined ? {} : { hasInstallScript: true }) }
}
