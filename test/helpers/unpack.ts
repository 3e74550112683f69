/** Turns an image of a layout into a folder of files, by other people's tools. Both need root to keep owners. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseImageIndex } from '../../src/spec/parse-image-index.ts'
import type { ImageManifest } from '../../src/spec/image-manifest.ts'
import { parseImageManifest } from '../../src/spec/parse-image-manifest.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { splitDigest } from '../../src/spec/digest.ts'
import { isIndexType } from '../../src/spec/media-type.ts'

/** A fresh folder that the test removes, outside the project. */
export function temporaryFolder(name = 'ocibuild-test-'): string {
  return mkdtempSync(join(tmpdir(), name))
}

/** `umoci unpack` of a ref of a layout; gives the path of the rootfs. The bundle is its parent folder. */
export function umociUnpack(layoutDir: string, ref: string, bundle?: string): string {
  const target = bundle ?? join(temporaryFolder('ocibuild-umoci-'), 'bundle')
  const rootless = process.getuid?.() === 0 ? [] : ['--rootless']
  execFileSync('umoci', ['unpack', ...rootless, '--image', `${layoutDir}:${ref}`, target], { stdio: 'pipe' })
  return join(target, 'rootfs')
}

/**
 * Applies the layers of a ref one after another with GNU tar, whiteouts by hand (image-spec v1.1.1 layer.md).
 * `platform` (`linux/arm64`) chooses from an index; default: its first manifest.
 */
export function applyLayersWithTar(layoutDir: string, ref: string, dest: string, platform?: string): string {
  mkdirSync(dest, { recursive: true })
  for (const layer of readManifest(layoutDir, ref, platform).layers)
    applyLayer(blobPath(layoutDir, layer), dest)
  return dest
}

/** The manifest of a ref, by hand: no store of ours is asked. */
export function readManifest(layoutDir: string, ref: string, platform?: string): ImageManifest {
  const { manifests } = parseImageIndex(readFileSync(join(layoutDir, 'index.json')))
  const named = manifests.find(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === ref,
  )
  if (!named) throw new Error(`no ref "${ref}" in ${layoutDir}`)
  if (!isIndexType(named.mediaType)) return parseImageManifest(readFileSync(blobPath(layoutDir, named)))
  const index = parseImageIndex(readFileSync(blobPath(layoutDir, named)))
  const chosen = index.manifests.find(({ platform: offered }) => {
    return platform === undefined || `${offered?.os}/${offered?.architecture}` === platform
  })
  if (!chosen) throw new Error(`no manifest for ${platform} in ${ref}`)
  return parseImageManifest(readFileSync(blobPath(layoutDir, chosen)))
}

export function blobPath(layoutDir: string, { digest }: Descriptor): string {
  const { algorithm, encoded } = splitDigest(digest)
  return join(layoutDir, 'blobs', algorithm, encoded)
}

function applyLayer(blob: string, dest: string): void {
  const names = execFileSync(
    'tar',
    ['--list', '--quoting-style=literal', '--show-transformed-names', '-f', blob, '--null'],
    {
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
    },
  )
    .split('\n')
    .map((name) => name.replace(/^(?:\.\/)+/, ''))
  // Whiteouts hide what lower layers hold, so they go first.
  for (const name of names) {
    const base = name.slice(name.lastIndexOf('/') + 1)
    if (!base.startsWith('.wh.')) continue
    const folder = join(dest, dirname(name))
    if (base === '.wh..wh..opq') {
      for (const child of existsSync(folder) ? readdirSync(folder) : []) {
        rmSync(join(folder, child), { recursive: true, force: true })
      }
    } else rmSync(join(folder, base.slice('.wh.'.length)), { recursive: true, force: true })
  }
  const flags = ['--numeric-owner', '--same-permissions', '--xattrs', '--xattrs-include=*', '--exclude=.wh.*']
  if (process.getuid?.() !== 0) flags.push('--no-same-owner')
  execFileSync('tar', ['--extract', ...flags, '--overwrite', '-f', blob, '-C', dest], { stdio: 'pipe' })
}
