/** Every compression, by the compiled command: what it writes is read by those who did not write it. */

import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256 } from '../../src/content/hash.ts'
import { nodeRelease } from '../helpers/node-releases.ts'
import { describeWithPeers, itWithPeers } from '../helpers/peers.ts'
import { blobPath, readManifest } from '../helpers/unpack.ts'
import { openWorkbench, type Workbench } from './reproducible-kit.ts'

const spec = { name: 'fixture', platforms: ['linux/amd64'], layers: [{ copy: '.', to: '/app' }] }

let bench: Workbench
let project = ''
beforeAll(() => {
  bench = openWorkbench()
  project = bench.project({ spec })
})
afterAll(() => bench.remove())

const inBench = (name: string): string => join(bench.folder, name)

/** The one layer of a layout: where it lies, its size, and the digest of its tar. */
function layerOf(layout: string): { readonly path: string; readonly size: number; readonly diffId: string } {
  const manifest = readManifest(layout, 'latest')
  const config: unknown = JSON.parse(readFileSync(blobPath(layout, manifest.config), 'utf8'))
  const diffId = /sha256:[0-9a-f]{64}/.exec(JSON.stringify(config))?.[0] ?? ''
  const [layer] = manifest.layers
  if (layer === undefined) throw new Error('no layer')
  return { path: blobPath(layout, layer), size: layer.size, diffId }
}

/** The digest of the tar that a tool finds in a blob. */
function tarDigest(path: string, tool: 'gzip' | 'zstd'): string {
  return sha256(execFileSync(tool, ['-dcq'], { input: readFileSync(path), maxBuffer: 1 << 28 }))
}

describe('compression', () => {
  it('changes the blob and not the tar in it', async () => {
    const sizes: number[] = []
    const diffIds = new Set<string>()
    for (const compression of ['none', 'gzip:1', 'gzip', 'gzip:9']) {
      const layout = inBench(compression.replace(':', '-'))
      await bench.digests(project, { layout, args: ['--compression', compression] })
      const layer = layerOf(layout)
      const blob = readFileSync(layer.path)
      expect(sha256(compression === 'none' ? blob : gunzipSync(blob))).toBe(layer.diffId)
      await bench.cli.must(['validate', `oci:${layout}`], { cwd: project })
      sizes.push(layer.size)
      diffIds.add(layer.diffId)
    }
    expect(diffIds.size).toBe(1)
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a))
    expect(new Set(sizes).size).toBe(4)
  })

  itWithPeers('is undone by gzip, at every level', ['gzip'], async () => {
    for (const name of ['gzip-1', 'gzip', 'gzip-9']) {
      const layer = layerOf(inBench(name))
      expect(tarDigest(layer.path, 'gzip')).toBe(layer.diffId)
    }
  })

  it('writes a gzip header without time, name or system', () => {
    const head = readFileSync(layerOf(inBench('gzip')).path).subarray(0, 10)
    expect([head.subarray(0, 8).toString('hex'), head[9]]).toEqual(['1f8b080000000000', 255])
  })
})

const release = nodeRelease(24)
const title = release.path === undefined ? `zstd (skipped: ${release.missing})` : 'zstd, by Node.js 24'

describe.skipIf(release.path === undefined)(title, () => {
  const layout = (): string => inBench('zstd')
  const newer = { node: release.path, args: ['--compression', 'zstd'] }

  it('is the same each time, and again from another thread pool', async () => {
    const first = await bench.digests(project, { ...newer, layout: layout() })
    expect(await bench.digests(project, { ...newer, env: { UV_THREADPOOL_SIZE: '1' } })).toBe(first)
    expect(readManifest(layout(), 'latest').layers[0]?.mediaType).toBe(
      'application/vnd.oci.image.layer.v1.tar+zstd',
    )
    expect(layerOf(layout()).diffId).toBe(layerOf(inBench('none')).diffId)
  })

  it('is valid for the release that wrote it, for those that cannot, and for 22, which reads it wrongly itself', async () => {
    for (const node of [release.path, process.execPath, nodeRelease(22).path]) {
      await bench.cli.must(['validate', `oci:${layout()}`], { cwd: project, node })
    }
  })

  it.skipIf(Number(process.versions.node.split('.')[0]) > 20)(
    'is refused with a name of a release by Node.js 20',
    async () => {
      const args = ['--compression', 'zstd', '--cache-dir', inBench('refused-cache'), '-o', 'oci:refused']
      const { status, stderr } = await bench.cli.run(args, { cwd: project })
      expect(status).toBe(1)
      expect(stderr).toContain('OCB-ZSTD-UNAVAILABLE')
      expect(stderr).toContain('22.15')
    },
  )

  itWithPeers('is unpacked by zstd', ['zstd'], async () => {
    const layer = layerOf(layout())
    expect(tarDigest(layer.path, 'zstd')).toBe(layer.diffId)
  })

  it('is a base for Node.js 20', async () => {
    const onTop = bench.project({
      spec: { ...spec, base: 'oci:base', layers: [{ append: '/app/package.json', content: '\n' }] },
    })
    cpSync(layout(), join(onTop, 'base'), { recursive: true })
    const built = await bench.digests(onTop)
    expect(built).toContain(layerOf(layout()).diffId)
  })

  describeWithPeers('for skopeo', ['skopeo'], ({ skopeo }) => {
    it('is read whole', () => {
      const source = `oci:${layout()}:latest`
      const inspected = execFileSync(skopeo, ['inspect', source], { encoding: 'utf8' })
      expect(inspected).toContain(readManifest(layout(), 'latest').layers[0]?.digest)
      const target = inBench('zstd-dir')
      execFileSync(skopeo, [
        'copy',
        '--quiet',
        '--insecure-policy',
        '--dest-decompress',
        source,
        `dir:${target}`,
      ])
      const { diffId } = layerOf(layout())
      expect(sha256(readFileSync(join(target, diffId.slice('sha256:'.length))))).toBe(diffId)
    })
  })
})
