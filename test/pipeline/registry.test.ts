import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { build, type BuildOptions, type BuildResult } from '../../src/index.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry, type TestRegistry } from '../helpers/registry/registry.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocibuild-registry-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const twoPlatforms = ['linux/amd64', 'linux/arm64']

function run(spec: object, options: BuildOptions = {}): Promise<BuildResult> {
  return build({
    cwd: folder,
    cacheDir: join(folder, 'cache'),
    spec: { platforms: ['linux/amd64'], created: 'epoch', metadata: 'none', ...spec },
    ...options,
  })
}

/** An image of two platforms in the registry, with a passwd and a link to build on. */
function pushBase(registry: TestRegistry): Promise<BuildResult> {
  return run({
    name: `${registry.host}/team/base`,
    tags: ['1'],
    platforms: twoPlatforms,
    layers: ({ platform }: { platform: { architecture: string } }) => [
      {
        name: 'system',
        entries: [
          { directory: '/usr/bin' },
          { symlink: '/bin', target: 'usr/bin' },
          { file: '/etc/passwd', content: 'app:x:1234:1235::/:/bin/sh\n' },
          { file: '/etc/arch', content: platform.architecture },
        ],
      },
    ],
    config: { env: { FROM_BASE: '1' } },
    outputs: ['registry'],
  })
}

const uploadsOf = (registry: TestRegistry): readonly string[] =>
  registry.lines().filter((line) => /^(?:PATCH|PUT) \S*\/blobs\/uploads\//.test(line))

const blobReads = (registry: TestRegistry): readonly string[] =>
  registry.lines().filter((line) => /^GET \S*\/blobs\/sha256/.test(line))

describe('a build that pushes', () => {
  it('gives NAME@DIGEST, and an index with every tag', async () => {
    const registry = await forTest(startRegistry())
    const name = `${registry.host}/team/app`
    const { images } = await run({
      name,
      tags: ['1.4.0', 'latest'],
      platforms: twoPlatforms,
      layers: [{ file: '/a', content: 'a' }],
      outputs: ['registry'],
    })
    const [image] = images
    expect(image?.reference).toBe(`${name}@${image?.digest}`)
    expect(image?.outputs.map(({ ref }) => ref)).toEqual([`${name}:1.4.0`, `${name}:latest`])
    expect(
      registry.lines().filter((line) => /^PUT \S+\/manifests\/(?:1\.4\.0|latest) 201/.test(line)),
    ).toHaveLength(2)
  })

  it('uploads nothing and asks at most 2 + tags requests a platform when nothing changed', async () => {
    const registry = await forTest(startRegistry())
    const spec = {
      name: `${registry.host}/team/app`,
      tags: ['1', '2'],
      layers: [
        { file: '/a', content: 'a' },
        { file: '/b', content: 'b' },
      ],
      outputs: ['registry'],
    }
    await run(spec)
    registry.forgetRequests()
    await run(spec)
    expect(uploadsOf(registry)).toEqual([])
    const asked = registry.lines()
    expect(asked.length, asked.join('\n')).toBeLessThanOrEqual(2 + spec.tags.length)
  })

  it('says before anything runs that a name without a registry cannot be pushed', async () => {
    const marker = join(folder, 'ran')
    const prepare = [`node -e "fs.writeFileSync('${marker}', '')"`]
    await expect(
      run({ name: 'app', prepare, layers: [{ file: '/a', content: 'a' }], outputs: ['registry'] }),
    ).rejects.toMatchObject({ code: 'OCB-SPEC-NAME-HOST' })
    expect(readdirSync(folder)).not.toContain('ran')
  })

  it('warns when the platform it pushes is only this host’s', async () => {
    const registry = await forTest(startRegistry())
    const { warnings } = await run({
      name: `${registry.host}/team/app`,
      platforms: undefined,
      layers: [{ file: '/a', content: 'a' }],
      outputs: ['registry'],
    })
    expect(warnings.map(({ code }) => code)).toContain('OCB-PLATFORM-DEFAULTED')
  })

  it('sends a layer while the next is made', async () => {
    const registry = await forTest(startRegistry())
    let early: readonly string[] | undefined
    const { images } = await run(
      {
        name: `${registry.host}/team/app`,
        layers: [
          { name: 'first', entries: [{ file: '/a', content: 'a' }] },
          // Long enough for a small upload to end beside it.
          {
            name: 'second',
            entries: [{ file: '/b', content: 'ab'.repeat(24_000_000) }],
            compression: 'gzip:9',
          },
        ],
        outputs: ['registry'],
      },
      {
        onEvent: (event) => {
          if (event.type === 'step-end' && event.title === 'second') early = uploadsOf(registry)
        },
      },
    )
    const first = images[0]?.platforms[0]?.layers[0]?.digest ?? ''
    expect(
      early?.filter((line) => line.includes(encodeURIComponent(first)) && / 201/.test(line)),
    ).toHaveLength(1)
  })

  it('moves no tag when another image of the same command fails', async () => {
    const registry = await forTest(startRegistry())
    const good = {
      name: `${registry.host}/team/good`,
      layers: [{ file: '/a', content: 'a' }],
      outputs: ['registry'],
    }
    const bad = { ...good, name: `${registry.host}/team/bad`, layers: [{ copy: 'missing', to: '/x' }] }
    const spec = { defaults: { platforms: ['linux/amd64'] }, images: { good, bad } }
    await expect(build({ cwd: folder, cacheDir: join(folder, 'cache'), spec })).rejects.toMatchObject({
      code: 'OCB-COPY-NO-MATCH',
    })
    expect(registry.lines().filter((line) => /^PUT \S+\/manifests\//.test(line))).toEqual([])
  })
})

describe('a base in a registry', () => {
  it('is resolved per platform, inherited, named in annotations, and its layers are mounted, not read', async () => {
    const registry = await forTest(startRegistry())
    const base = await pushBase(registry)
    registry.forgetRequests()
    const { images } = await run(
      {
        name: `${registry.host}/team/app`,
        base: `${registry.host}/team/base:1`,
        platforms: twoPlatforms,
        layers: [{ name: 'app', entries: [{ directory: '/app' }, { file: '/app/x', content: 'x' }] }],
        outputs: ['registry'],
      },
      { cacheDir: join(folder, 'another-cache') },
    )
    const layers = images[0]?.platforms.map(({ layers }) =>
      layers.map(({ from, digest }) => `${from} ${digest}`),
    )
    expect(layers?.map((list) => list[0])).toEqual(
      base.images[0]?.platforms.map(({ layers: [first] }) => `base ${first?.digest}`),
    )
    // Configs are documents and are read; layers are not.
    const layerDigests = base.images[0]?.platforms.map(({ layers: [first] }) => first?.digest ?? '') ?? []
    expect(
      blobReads(registry).filter((line) => layerDigests.some((digest) => line.includes(digest))),
    ).toEqual([])
    expect(registry.lines().filter((line) => /^POST \S+mount=\S+ 201/.test(line))).toHaveLength(2)
  })

  it('is asked for once by all images and platforms of a build, and is one to all of them', async () => {
    const registry = await forTest(startRegistry())
    await pushBase(registry)
    registry.forgetRequests()
    const image = { base: `${registry.host}/team/base:1`, layers: [{ file: '/x', content: 'x' }] }
    const spec = {
      defaults: { platforms: twoPlatforms, outputs: [`oci:${folder}/image`] },
      images: { one: { name: 'one', tags: ['1'], ...image }, two: { name: 'two', tags: ['2'], ...image } },
    }
    await build({ cwd: folder, cacheDir: join(folder, 'another-cache'), spec })
    const asked = registry.lines().filter((line) => / \S*\/manifests\/1 /.test(line))
    expect(asked).toHaveLength(1)
    // Index, two manifests, two configs, and each layer that the outputs need.
    expect(new Set(registry.lines()).size).toBe(registry.lines().length)
  })

  it('is read once where its names are needed, and never again offline', async () => {
    const registry = await forTest(startRegistry())
    await pushBase(registry)
    const spec = {
      name: 'app',
      base: `${registry.host}/team/base:1`,
      layers: [{ file: '/bin/tool', content: '#!/bin/sh\n', mode: '0755', owner: 'app' }],
      outputs: ['oci:image'],
    }
    const cacheDir = join(folder, 'another-cache')
    registry.forgetRequests()
    const first = await run(spec, {
      cacheDir,
      overrides: { outputs: [`oci:${folder}/one`] },
    })
    expect(blobReads(registry).length).toBeGreaterThan(0)
    registry.forgetRequests()
    const second = await run(spec, { cacheDir, offline: true, overrides: { outputs: [`oci:${folder}/two`] } })
    expect(registry.lines()).toEqual([])
    expect(second.images[0]?.digest).toBe(first.images[0]?.digest)
  })

  it('gives files to a copy with from', async () => {
    const registry = await forTest(startRegistry())
    await pushBase(registry)
    const { images } = await run({
      name: 'app',
      layers: [{ copy: '/etc/arch', to: '/arch', from: `${registry.host}/team/base:1` }],
      outputs: [`oci:${folder}/image`],
    })
    expect(images[0]?.platforms[0]?.layers).toHaveLength(1)
  })

  it('that is not there is said with what was asked for', async () => {
    const registry = await forTest(startRegistry())
    await expect(
      run({ name: 'app', base: `${registry.host}/team/none:1`, layers: [{ file: '/a', content: 'a' }] }),
    ).rejects.toMatchObject({ code: 'OCB-REFERENCE-NOT-FOUND' })
  })

  it('that was never seen cannot be had offline', async () => {
    await expect(
      run(
        { name: 'app', base: 'registry.example.com/base:1', layers: [{ file: '/a', content: 'a' }] },
        { offline: true },
      ),
    ).rejects.toMatchObject({ code: 'OCB-NETWORK-OFFLINE' })
  })
})
