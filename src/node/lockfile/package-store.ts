/** Packages of registries in the cache folder, unpacked once: every later build reads them there. */

import { join } from 'node:path'
import { forEachLimited } from '../../content/for-each-limited.ts'
import { OciBuildError } from '../../errors.ts'
import type { Reporter } from '../../events.ts'
import { integrityName, parseIntegrity, type Integrity } from './integrity.ts'
import type { LockedArchive } from './locked-tree.ts'
import { openPacked, type PackedPackage } from './packed-package.ts'
import { labelOf, type TarballSource } from './tarball-source.ts'
import { unpackTarball } from './unpack-tarball.ts'

export type PackedPackages = ReadonlyMap<string, PackedPackage>

/** What an archive's package is found by in `PackedPackages`. */
export function packedKey({ integrity }: Pick<LockedArchive, 'integrity'>): string {
  return integrity ?? ''
}

/** At once: each holds an archive in memory. */
const limit = 8

/**
 * All archives as packages, from `dir` or from `source`. Throws what `source` throws, `OCB-ARCHIVE-…` and
 * `OCB-NODE-LOCKFILE-INTEGRITY` for one without a checksum.
 */
export async function fetchPackages(
  archives: readonly LockedArchive[],
  dir: string,
  source: TarballSource,
  reporter: Reporter,
): Promise<PackedPackages> {
  const packed = new Map<string, PackedPackage>()
  const missing = new Map<string, { readonly archive: LockedArchive; readonly integrity: Integrity }>()
  for (const archive of archives) {
    const key = packedKey(archive)
    if (packed.has(key) || missing.has(key)) continue
    const integrity = parseIntegrity(archive.integrity ?? '')
    if (integrity === undefined) throw withoutIntegrity(archive)
    const found = openPacked(join(dir, integrityName(integrity)))
    if (found === undefined) missing.set(key, { archive, integrity })
    else packed.set(key, found)
  }
  if (missing.size === 0) return packed
  const title = `packages of the lockfile (${missing.size})`
  await reporter.step({ stage: 'plan', title }, async ({ progress }) => {
    let done = 0
    const items = Array.from(missing)
    await forEachLimited(items, limit, reporter.signal, async ([key, { archive, integrity }], signal) => {
      const folder = join(dir, integrityName(integrity))
      await unpackTarball(await source.get(archive, integrity, signal), folder, labelOf(archive), signal)
      const found = openPacked(folder)
      if (found === undefined) throw new Error(`unreachable: ${folder} was written and is not whole`)
      packed.set(key, found)
      progress((done += 1), items.length)
    })
  })
  return packed
}

function withoutIntegrity(archive: LockedArchive): OciBuildError {
  return new OciBuildError('OCB-NODE-LOCKFILE-INTEGRITY', {
    message: `the lockfile has no checksum of ${labelOf(archive)}${archive.resolved === undefined ? '' : ` (${archive.resolved.replace(/\/\/[^/@]*@/, '//')})`}: nothing tells whether what is fetched is what was meant`,
    hint: 'remove node_modules and the lockfile, and install again, which writes one',
  })
}
