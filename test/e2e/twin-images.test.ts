/** gzip and zstd in one index, by the compiled command: old readers take the gzip, all layers are the same tar. */

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import type { ImageManifest } from '../../src/spec/image-manifest.ts'
import { parseImageIndex } from '../../src/spec/parse-image-index.ts'
import { parseImageManifest } from '../../src/spec/parse-image-manifest.ts'
import { nodeRelease } from '../helpers/node-releases.ts'
import { describeWithPeers, itWithPeers } from '../helpers/peers.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry } from '../helpers/registry/registry.ts'
import { blobPath } from '../helpers/unpack.ts'
import { openWorkbench, type Workbench } from './reproducible-kit.ts'

const spec = {
  name: 'fixture',
  platforms: ['linux/amd64', 'linux/arm64'],
  compression: ['gzip', 'zstd'],
  layers: [
    { name: 'app', entries: [{ copy: '.', to: '/app' }] },
    { name: 'own', compression: 'gzip:1', entries: [{ file: '/etc/motd', content: 'hello\n' }] },
  ],
}
const gzip = 'application/vnd.oci.image.layer.v1.tar+gzip'
const zstd = 'application/vnd.oci.image.layer.v1.tar+zstd'
const annotation = 'io.github.containers.compression.zstd'

let bench: Workbench
let project = ''
let layout = ''
beforeAll(() => {
  bench = openWorkbench()
  project = bench.project({ spec })
  layout = join(bench.folder, 'layout')
})
afterAll(() => bench.remove())

const readBlob = (descriptor: Descriptor): Buffer => readFileSync(blobPath(layout, descriptor))

function manifests(): readonly (Descriptor & { readonly manifest: ImageManifest })[] {
  const [root] = parseImageIndex(readFileSync(join(layout, 'index.json'))).manifests
  if (root === undefined) throw new Error('an empty layout')
  const index = parseImageIndex(readBlob(root))
  return index.manifests.map((item) => ({ ...item, manifest: parseImageManifest(readBlob(item)) }))
}

const release = nodeRelease(24)
const title =
  release.path === undefined ? `two compressions (skipped: ${release.missing})` : 'two compressions'

describe.skipIf(release.path === undefined)(title, () => {
  const newer = { node: release.path }

  it('are one index: every platform as gzip, then every platform as zstd with the annotation', async () => {
    await bench.digests(project, { ...newer, layout })
    const found = manifests().map(({ platform, annotations, manifest }) => ({
      platform: platform?.architecture,
      zstd: annotations?.[annotation],
      layers: manifest.layers.map(({ mediaType }) => mediaType),
    }))
    expect(found).toEqual([
      { platform: 'amd64', zstd: undefined, layers: [gzip, gzip] },
      { platform: 'arm64', zstd: undefined, layers: [gzip, gzip] },
      { platform: 'amd64', zstd: 'true', layers: [zstd, gzip] },
      { platform: 'arm64', zstd: 'true', layers: [zstd, gzip] },
    ])
  })

  it('share the config, since the tars are the same', () => {
    const [one, , twin] = manifests()
    expect(twin?.manifest.config.digest).toBe(one?.manifest.config.digest)
    expect(twin?.manifest.layers[1]).toEqual(one?.manifest.layers[1])
  })

  it('name the version of the library that zstd bytes hold for', () => {
    const [one, , twin] = manifests()
    const encoder = 'dev.ocibuild.layer.encoder'
    expect(one?.manifest.layers[0]?.annotations?.[encoder]).toBeUndefined()
    expect(twin?.manifest.layers[0]?.annotations?.[encoder]).toMatch(/^zstd \d+\.\d+\.\d+$/)
  })

  it('are valid for every release, and have the digest of one image where nothing else differs', async () => {
    for (const node of [release.path, process.execPath]) {
      await bench.cli.must(['validate', `oci:${layout}`], { cwd: project, node })
    }
    const alone = join(bench.folder, 'alone')
    const before = new Set(
      manifests()
        .slice(0, 2)
        .map(({ digest }) => digest.slice('sha256:'.length)),
    )
    await bench.digests(project, { layout: alone, args: ['--compression', 'gzip'] })
    const blobs = new Set(readdirSync(join(alone, 'blobs/sha256')))
    expect([...before].filter((digest) => !blobs.has(digest))).toEqual([])
  })

  it('are the same from another release with the same library, and with a warm cache', async () => {
    const cacheDir = join(bench.folder, 'twin-cache')
    const first = await bench.digests(project, { ...newer, cacheDir })
    expect(await bench.digests(project, { ...newer, cacheDir })).toBe(first)
    const other = nodeRelease(22).path
    const version = (node: string | undefined): string =>
      node === undefined ? '' : execFileSync(node, ['-p', 'process.versions.zstd'], { encoding: 'utf8' })
    if (version(other) === version(release.path)) {
      expect(await bench.digests(project, { node: other })).toBe(first)
    }
  })

  itWithPeers(
    'are what --compression gzip,zstd makes of any spec, also for one platform',
    ['tar'],
    async () => {
      const one = bench.project({ spec: { ...spec, platforms: ['linux/amd64'], compression: 'none' } })
      const args = ['--compression', 'gzip,zstd']
      const { stdout } = await bench.cli.must(
        ['--json', ...args, '-o', 'oci:x', '-o', 'docker-archive:x.tar'],
        {
          cwd: one,
          node: release.path,
        },
      )
      const { images } = JSON.parse(stdout)
      expect(images[0].mediaType).toBe('application/vnd.oci.image.index.v1+json')
      expect(images[0].platforms.map((platform: { twin?: string }) => platform.twin)).toEqual([
        undefined,
        'zstd',
      ])
      // One image of the two, whatever the host.
      const listed = execFileSync('tar', ['-xOf', join(one, 'x.tar'), 'manifest.json'], { encoding: 'utf8' })
      expect(JSON.parse(listed)).toHaveLength(1)
      await bench.cli.must(['ls', 'oci:x', '/app'], { cwd: one })
    },
  )

  it('are both found in a registry by a clean machine, which makes and sends neither', async () => {
    const registry = await forTest(startRegistry())
    const pushed = bench.project({ spec: { ...spec, name: `${registry.host}/team/app` } })
    const push = async (cache: string): Promise<readonly { layers: readonly { cached: boolean }[] }[]> => {
      const words = ['--json', '--push', '--cache-dir', join(bench.folder, cache)]
      const { stdout } = await bench.cli.must(words, { cwd: pushed, node: release.path })
      return JSON.parse(stdout).images[0].platforms
    }
    await push('machine-1')
    registry.forgetRequests()
    const platforms = await push('machine-2')
    expect(platforms).toHaveLength(4)
    expect(platforms.flatMap(({ layers }) => layers.map(({ cached }) => cached))).not.toContain(false)
    expect(registry.lines().filter((line) => line.includes('/blobs/uploads/'))).toEqual([])
  })

  it.skipIf(Number(process.versions.node.split('.')[0]) > 20)(
    'are refused where Node.js has no zstd',
    async () => {
      const args = ['--cache-dir', join(bench.folder, 'refused-cache'), '-o', 'oci:refused']
      const { status, stderr } = await bench.cli.run(args, { cwd: project })
      expect(status).toBe(1)
      expect(stderr).toContain('OCB-ZSTD-UNAVAILABLE')
    },
  )

  describeWithPeers('for readers', ['skopeo', 'podman'], ({ skopeo, podman }) => {
    it('that know nothing of it are the gzip image', () => {
      const flags = ['inspect', '--override-os', 'linux', '--override-arch', 'arm64']
      const seen = execFileSync(skopeo, [...flags, `oci:${layout}:latest`], { encoding: 'utf8' })
      const wanted = manifests()[1]?.manifest.layers.map(({ digest }) => digest)
      expect(JSON.parse(seen).Layers).toEqual(wanted)
    })

    it('that copy all are both', () => {
      const target = join(bench.folder, 'copied')
      execFileSync(skopeo, [
        'copy',
        '-q',
        '--insecure-policy',
        '--all',
        `oci:${layout}:latest`,
        `oci:${target}:latest`,
      ])
      const copied = parseImageIndex(readFileSync(join(target, 'index.json'))).manifests[0]
      const [root] = parseImageIndex(readFileSync(join(layout, 'index.json'))).manifests
      expect(copied?.digest).toBe(root?.digest)
    })

    it('are an image that podman takes', () => {
      const store = [
        '--root',
        join(bench.folder, 'podman'),
        '--runroot',
        join(bench.folder, 'podman-run'),
        '--storage-driver',
        'vfs',
      ]
      execFileSync(podman, [...store, 'pull', '-q', '--arch', 'amd64', 'oci:layout:latest'], {
        // Of the path it makes a name, which must be lower-case.
        cwd: bench.folder,
        stdio: 'pipe',
      })
      const listed = execFileSync(podman, [...store, 'images', '--format', 'json'], { encoding: 'utf8' })
      expect(JSON.parse(listed)).toHaveLength(1)
      if (process.getuid?.() !== 0) {
        execFileSync(podman, [...store, 'unshare', 'rm', '-rf', join(bench.folder, 'podman')])
      }
    })
  })
})
