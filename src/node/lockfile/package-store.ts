/** Packages of registries in the cache folder, unpacked once: every later build reads them there. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { forEachLimited } from '../../content/for-each-limited.ts'
import { messageOf, OciBuildError } from '../../errors.ts'
import type { Reporter } from '../../events.ts'
import { wrongPatch } from './apply-patch.ts'
import { integrityName, parseIntegrity, type Integrity } from './integrity.ts'
import type { LockedArchive } from './locked-tree.ts'
import { openPacked, type PackedPackage } from './packed-package.ts'
import { patchPackage } from './patched-package.ts'
import { labelOf, type TarballSource } from './tarball-source.ts'
import { unpackTarball } from './unpack-tarball.ts'

export type PackedPackages = ReadonlyMap<string, PackedPackage>

/** What an archive's package is found by in `PackedPackages`. */
export function packedKey({ integrity = '', patch }: Pick<LockedArchive, 'integrity' | 'patch'>): string {
  return patch === undefined ? integrity : `${integrity} ${patch}`
}

/** At once: each holds an archive in memory. */
const limit = 8

/**
 * All archives as packages, from `dir` or from `source`, patched where they name a patch. Throws what `source` throws,
 * `OCB-ARCHIVE-…`, `OCB-NODE-PATCH` and `OCB-NODE-LOCKFILE-INTEGRITY` for one without a checksum.
 */
export async function fetchPackages(
  archives: readonly LockedArchive[],
  dir: string,
  source: TarballSource,
  reporter: Reporter,
  nowMs: number,
): Promise<PackedPackages> {
  const kept = new Map<string, PackedPackage>()
  const missing = new Map<string, { readonly archive: LockedArchive; readonly integrity: Integrity }>()
  for (const archive of archives) {
    const { integrity: key = '' } = archive
    if (kept.has(key) || missing.has(key)) continue
    const integrity = parseIntegrity(key)
    if (integrity === undefined) throw withoutIntegrity(archive)
    const found = openPacked(join(dir, integrityName(integrity)), nowMs)
    if (found === undefined) missing.set(key, { archive, integrity })
    else kept.set(key, found)
  }
  if (missing.size > 0) {
    const title = `packages of the lockfile (${missing.size})`
    await reporter.step({ stage: 'plan', title }, async ({ progress }) => {
      let done = 0
      const items = Array.from(missing)
      await forEachLimited(items, limit, reporter.signal, async ([key, { archive, integrity }], signal) => {
        const folder = join(dir, integrityName(integrity))
        await unpackTarball(await source.get(archive, integrity, signal), folder, labelOf(archive), signal)
        const found = openPacked(folder, nowMs)
        if (found === undefined) throw new Error(`unreachable: ${folder} was written and is not whole`)
        kept.set(key, found)
        progress((done += 1), items.length)
      })
    })
  }
  const packed = new Map<string, PackedPackage>()
  for (const archive of archives) {
    const found = kept.get(archive.integrity ?? '')
    if (found !== undefined) packed.set(packedKey(archive), patched(found, archive))
  }
  return packed
}

function patched(packed: PackedPackage, archive: LockedArchive): PackedPackage {
  const { patch } = archive
  if (patch === undefined) return packed
  const what = `the patch ${patch} to ${labelOf(archive)}`
  let text: string
  try {
    text = readFileSync(patch, 'utf8')
  } catch (error) {
    throw wrongPatch(what, messageOf(error))
  }
  return patchPackage(packed, text, what)
}

function withoutIntegrity(archive: LockedArchive): OciBuildError {
  return new OciBuildError('OCB-NODE-LOCKFILE-INTEGRITY', {
    message: `the lockfile has no checksum of ${labelOf(archive)}${archive.resolved === undefined ? '' : ` (${archive.resolved.replace(/\/\/[^/@]*@/, '//')})`}: nothing tells whether what is fetched is what was meant`,
    hint: 'remove node_modules and the lockfile, and install again, which writes one',
  })
}
