/** What the command writes, in the hands of those who read images for a living. */

import { execFileSync } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isIndexType } from '../../src/spec/media-type.ts'
import { parseImageConfig } from '../../src/spec/parse-image-config.ts'
import { parseImageIndex } from '../../src/spec/parse-image-index.ts'
import { readTree } from '../helpers/file-tree.ts'
import { checkAgainstImageSpec, schemaMissing, schemaMissingReason } from '../helpers/oci-schema.ts'
import { describeWithPeers, findPeer } from '../helpers/peers.ts'
import { applyLayersWithTar, blobPath, readManifest, umociUnpack } from '../helpers/unpack.ts'
import { expectedOnBase, expectedOnScratch, onBase, onScratch, writeBase } from './interop-kit.ts'
import { openWorkbench, type Workbench } from './reproducible-kit.ts'

let bench: Workbench
const projects = { scratch: '', base: '', several: '' }
type Image = keyof typeof projects
const images: readonly Image[] = ['scratch', 'base', 'several']
const isRoot = process.getuid?.() === 0

beforeAll(async () => {
  bench = openWorkbench()
  projects.scratch = bench.project({ spec: onScratch })
  projects.base = bench.project({ spec: onBase })
  await writeBase(join(projects.base, 'base'))
  projects.several = bench.project({ spec: { ...onScratch, platforms: ['linux/amd64', 'linux/arm64'] } })
  for (const image of images) {
    const outputs = ['oci:out', 'oci-archive:out.oci.tar', 'docker-archive:out.docker.tar']
    const words = ['--cache-dir', join(bench.folder, 'cache'), ...outputs.flatMap((output) => ['-o', output])]
    // Its patterns would have to be understood by those who say what must come out.
    rmSync(join(projects[image], '.ociignore'))
    await bench.cli.must(words, { cwd: projects[image] })
  }
})
afterAll(() => bench.remove())

const layoutOf = (image: Image): string => join(projects[image], 'out')
const inImage = (image: Image, name: string): string => join(projects[image], name)
const expectedOf = (image: Image): ReadonlyMap<string, string> =>
  image === 'base' ? expectedOnBase(projects.base) : expectedOnScratch(projects[image])

function sorted(tree: ReadonlyMap<string, string>): object {
  return Object.fromEntries([...tree].sort())
}

function diffIdsOf(layout: string, ref: string, platform?: string): readonly string[] {
  const { config } = readManifest(layout, ref, platform)
  return parseImageConfig(readFileSync(blobPath(layout, config))).rootfs.diff_ids
}

describe('ocibuild itself', () => {
  it.each(images)('finds nothing to say of what it wrote: %s', async (image) => {
    for (const reference of ['oci:out', 'oci-archive:out.oci.tar', 'docker-archive:out.docker.tar']) {
      const { stdout, stderr } = await bench.cli.must(['validate', reference], { cwd: projects[image] })
      expect(stdout + stderr).toContain('0 errors, 0 warnings')
    }
  })
})

describe.skipIf(schemaMissing)(
  schemaMissing ? `image-spec's schemas (skipped: ${schemaMissingReason})` : "image-spec's schemas",
  () => {
    it.each(images)('take every document: %s', (image) => {
      const layout = layoutOf(image)
      const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))
      checkAgainstImageSpec('layout', read(join(layout, 'oci-layout')))
      checkAgainstImageSpec('index', read(join(layout, 'index.json')))
      let documents = 0
      const entries = [...parseImageIndex(readFileSync(join(layout, 'index.json'))).manifests]
      for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
        const path = blobPath(layout, entry)
        documents += 1
        checkAgainstImageSpec('descriptor', entry)
        checkAgainstImageSpec(isIndexType(entry.mediaType) ? 'index' : 'manifest', read(path))
        if (isIndexType(entry.mediaType)) entries.push(...parseImageIndex(readFileSync(path)).manifests)
        else {
          const manifest = read(path)
          if (typeof manifest !== 'object' || manifest === null || !('config' in manifest))
            throw new Error(path)
          const { config } = manifest
          if (typeof config !== 'object' || config === null || !('digest' in config)) throw new Error(path)
          checkAgainstImageSpec(
            'config',
            read(join(layout, 'blobs', String(config.digest).replace(':', '/'))),
          )
        }
      }
      expect(documents).toBe(image === 'several' ? 2 + 2 * 2 : 2)
    })
  },
)

describeWithPeers('GNU tar and gzip', ['tar', 'gzip'], ({ tar, gzip }) => {
  it.each(images)('read each layer without a word: %s', (image) => {
    const { layers } = readManifest(layoutOf(image), 'latest')
    expect(layers.length).toBeGreaterThanOrEqual(3)
    for (const layer of layers) {
      const path = blobPath(layoutOf(image), layer)
      if (layer.mediaType.endsWith('gzip'))
        execFileSync(gzip, ['-t'], { input: readFileSync(path), stdio: 'pipe' })
      const listed = execFileSync('sh', ['-c', `"${tar}" -tvPf "$1" 2>&1`, 'sh', path], { encoding: 'utf8' })
      expect(listed).not.toMatch(/^[^\n]*tar: /m)
      expect(listed.split('\n').length).toBeGreaterThan(2)
    }
  })

  it.skipIf(!isRoot).each(images)('give the files back that went in: %s', (image) => {
    const rootfs = applyLayersWithTar(layoutOf(image), 'latest', join(bench.folder, `tar-${image}`))
    // Extracting onto what a lower layer made moves the times of directories.
    const folders = /^directory .* @\d+$/
    const timeless = (tree: ReadonlyMap<string, string>): object =>
      sorted(
        new Map(
          [...tree].map(([path, node]) => [
            path,
            node.replace(folders, (line) => line.replace(/ @\d+$/, '')),
          ]),
        ),
      )
    expect(timeless(readTree(rootfs))).toEqual(timeless(expectedOf(image)))
  })
})

describeWithPeers('umoci', ['umoci'], () => {
  it.skipIf(!isRoot).each(['scratch', 'base'] as const)(
    'unpacks every file as it went in, with type, mode, time, owner and target: %s',
    (image) => {
      const rootfs = umociUnpack(layoutOf(image), 'latest', join(bench.folder, `umoci-${image}`))
      expect(sorted(readTree(rootfs))).toEqual(sorted(expectedOf(image)))
      if (image === 'base') return
      const inodes = ['first', 'second', 'a-third'].map((name) => lstatSync(join(rootfs, 'twins', name)).ino)
      expect(new Set(inodes).size).toBe(1)
      expect(lstatSync(join(rootfs, 'etc/motd')).ino).toBe(lstatSync(join(rootfs, 'etc/motd.twin')).ino)
    },
  )
})

describeWithPeers('skopeo', ['skopeo'], ({ skopeo }) => {
  const run = (...args: readonly string[]): string =>
    execFileSync(skopeo, ['--insecure-policy', ...args], { encoding: 'utf8', stdio: 'pipe' })
  const inspect = (...args: readonly string[]): Record<string, unknown> => {
    const value: unknown = JSON.parse(run('inspect', ...args))
    if (typeof value !== 'object' || value === null) throw new Error('inspect said no object')
    return { ...value }
  }

  it.each(images)('inspects all three forms: %s', (image) => {
    const layers = readManifest(layoutOf(image), 'latest').layers.map(({ digest }) => digest)
    for (const ref of ['1.0', 'latest']) {
      for (const source of [`oci:${layoutOf(image)}`, `oci-archive:${inImage(image, 'out.oci.tar')}`]) {
        expect(inspect('--override-arch', 'amd64', `${source}:${ref}`)['Layers']).toEqual(layers)
      }
    }
    const archive = `docker-archive:${inImage(image, 'out.docker.tar')}:localhost/interop:1.0`
    expect(inspect(archive)).toMatchObject({ Architecture: 'amd64', Os: 'linux' })
    const config = inspect('--config', archive)
    expect(config['rootfs']).toEqual({ type: 'layers', diff_ids: diffIdsOf(layoutOf(image), 'latest') })
  })

  it('chooses a platform of an index', () => {
    const source = `oci:${layoutOf('several')}:latest`
    expect(inspect('--override-arch', 'arm64', source)['Architecture']).toBe('arm64')
    const raw: unknown = JSON.parse(run('inspect', '--raw', source))
    expect(raw).toMatchObject({ manifests: [{ platform: { architecture: 'amd64' } }, {}] })
  })

  it.each(['scratch', 'base'] as const)(
    'copies to docker-archive and back, and nothing moves: %s',
    (image) => {
      const archive = `docker-archive:${join(bench.folder, `${image}.copy.tar`)}`
      const back = join(bench.folder, `back-${image}`)
      run('copy', '--quiet', `oci:${layoutOf(image)}:latest`, `${archive}:localhost/interop:latest`)
      run('copy', '--quiet', archive, `oci:${back}:latest`)
      expect(diffIdsOf(back, 'latest')).toEqual(diffIdsOf(layoutOf(image), 'latest'))
      const ours = join(bench.folder, `ours-${image}`)
      run('copy', '--quiet', `docker-archive:${inImage(image, 'out.docker.tar')}`, `oci:${ours}:latest`)
      expect(diffIdsOf(ours, 'latest')).toEqual(diffIdsOf(layoutOf(image), 'latest'))
    },
  )

  it.each(images)('copies all platforms to another layout, byte for byte: %s', (image) => {
    const target = join(bench.folder, `same-${image}`)
    run(
      'copy',
      '--quiet',
      '--all',
      '--preserve-digests',
      `oci:${layoutOf(image)}:latest`,
      `oci:${target}:latest`,
    )
    const blobs = (layout: string): readonly string[] => readdirSync(join(layout, 'blobs/sha256')).sort()
    expect(blobs(target)).toEqual(blobs(layoutOf(image)))
  })

  it.skipIf(!isRoot || findPeer('umoci') === undefined)('hands umoci one platform of an index', () => {
    const single = join(bench.folder, 'arm64')
    run(
      'copy',
      '--quiet',
      '--override-arch',
      'arm64',
      `oci:${layoutOf('several')}:latest`,
      `oci:${single}:latest`,
    )
    const rootfs = umociUnpack(single, 'latest', join(bench.folder, 'umoci-arm64'))
    expect(sorted(readTree(rootfs))).toEqual(sorted(expectedOf('several')))
  })
})

describeWithPeers('podman', ['podman'], ({ podman }) => {
  it.skipIf(!isRoot)('loads the docker-archive and the oci-archive', () => {
    const store = join(bench.folder, 'podman')
    const flags = ['--root', store, '--runroot', `${store}-run`, '--storage-driver', 'vfs']
    const run = (...args: readonly string[]): string =>
      execFileSync(podman, [...flags, ...args], { encoding: 'utf8', stdio: 'pipe' })
    const expected = diffIdsOf(layoutOf('base'), 'latest')
    const diffIds = (name: string): unknown =>
      JSON.parse(run('image', 'inspect', '--format', '{{json .RootFS.Layers}}', name))
    run('load', '--quiet', '--input', inImage('base', 'out.docker.tar'))
    for (const tag of ['1.0', 'latest']) expect(diffIds(`localhost/interop:${tag}`)).toEqual(expected)
    const pulled = run('pull', '--quiet', `oci-archive:${inImage('base', 'out.oci.tar')}:1.0`)
    expect(diffIds(pulled.trim())).toEqual(expected)
    expect(run('images', '--noheading', '--format', '{{.Repository}}:{{.Tag}}')).toContain(
      'localhost/interop:1.0',
    )
  })
})
