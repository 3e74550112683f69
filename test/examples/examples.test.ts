import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuildResult } from '../../src/build-types.ts'
import { validateLayout } from '../../src/image/validate-layout.ts'
import { parseImageConfig } from '../../src/spec/parse-image-config.ts'
import { describeWithPeers, findPeer, itWithPeers, skipOrFail } from '../helpers/peers.ts'
import { runWithRunc } from '../helpers/run-image.ts'
import { applyLayersWithTar, blobPath, readManifest } from '../helpers/unpack.ts'
import { buildFixedBase, examplesFolder, openWorkshop } from './build-example.ts'

const workshop = openWorkshop()
const inWorkshop = (...parts: readonly string[]): string => join(workshop.folder, ...parts)
let onFixedBase: { readonly overrides: { readonly base: string; readonly platforms: readonly string[] } }

beforeAll(async () => {
  onFixedBase = { overrides: { base: await buildFixedBase(workshop), platforms: ['linux/amd64'] } }
})
afterAll(() => workshop.remove())

/** Builds, validates and unpacks; gives the root file system of one platform. */
async function unpacked(layout: string, ref: string, platform?: string): Promise<string> {
  const report = await validateLayout(layout)
  expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([])
  const dest = inWorkshop(`rootfs-${layout.replaceAll(/\W/g, '-')}-${platform?.replaceAll('/', '-')}`)
  return applyLayersWithTar(layout, ref, dest, platform)
}

/** What `unpacked` runs. */
const unpackers = ['tar', 'gzip'] as const

/** All files and links below a folder, relative, sorted. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !lstatSync(join(folder, name)).isDirectory())
    .sort()
}

function configOf(layout: string, ref: string): ReturnType<typeof parseImageConfig>['config'] {
  return parseImageConfig(readFileSync(blobPath(layout, readManifest(layout, ref).config))).config
}

/** What a reviewer of a changed digest wants to see. */
function digestsOf({ images }: BuildResult): unknown {
  return images.map(({ name, tags, digest, platforms }) => ({
    name,
    tags,
    digest,
    platforms: platforms.map(({ platform, layers, ...rest }) => ({
      platform,
      digest: rest.digest,
      layers: layers.map((layer) => `${layer.name} ${layer.size} ${layer.digest}`),
    })),
  }))
}

describe('the examples', () => {
  it('are all here', () => {
    const folders = readdirSync(examplesFolder, { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    )
    expect(folders.map(({ name }) => name).sort()).toEqual([
      'ci',
      'hello',
      'library',
      'monorepo-images',
      'multi-platform',
      'node-app',
      'static-site',
      'whiteout',
      'yaml',
    ])
    for (const { name } of folders)
      expect(existsSync(join(examplesFolder, name, 'README.md')), name).toBe(true)
  })

  // A digest that changes is a change for every user: `npx vitest run test/examples -u` writes it, a reviewer reads it.
  it('have the digests that they had', async () => {
    const golden: Record<string, unknown> = {}
    golden['hello'] = digestsOf(await workshop.build('hello', onFixedBase))
    golden['static-site'] = digestsOf(await workshop.build('static-site'))
    golden['multi-platform'] = digestsOf(await workshop.build('multi-platform'))
    golden['node-app'] = digestsOf(await workshop.build('node-app', onFixedBase))
    golden['yaml'] = digestsOf(await workshop.build('yaml', onFixedBase))
    golden['whiteout base'] = digestsOf(await workshop.build('whiteout', { config: 'base.config.ts' }))
    golden['whiteout'] = digestsOf(await workshop.build('whiteout'))
    golden['monorepo-images'] = digestsOf(await workshop.build('monorepo-images', onFixedBase))
    await expect(`${JSON.stringify(golden, null, 2)}\n`).toMatchFileSnapshot('../golden/examples.json')
  })
})

describeWithPeers('hello, run', ['umoci', 'runc'], () => {
  it.skipIf(process.getuid?.() !== 0)('says hello from the Node.js of this host', async () => {
    await workshop.build('hello')
    const result = await runWithRunc(inWorkshop('hello/dist/image'), 'latest')
    expect(result).toEqual({
      status: 0,
      stdout: `Hello from Node.js ${process.version} on linux/${process.arch}, as user node.\n`,
      stderr: '',
    })
  })
})

describe('node-app', () => {
  itWithPeers('holds what runs, and starts it without npm', unpackers, async () => {
    await workshop.build('node-app', onFixedBase)
    const layout = inWorkshop('node-app/.ocibuild/image')
    const rootfs = await unpacked(layout, 'latest')
    expect(filesIn(join(rootfs, 'app'))).toEqual(['package.json', 'server.js', 'views/index.html'])
    expect(configOf(layout, 'latest')).toMatchObject({
      Cmd: ['node', '--enable-source-maps', 'server.js'],
      Env: ['NODE_ENV=production', 'PORT=3000'],
      ExposedPorts: { '3000/tcp': {} },
      User: '1000:1000',
      WorkingDir: '/app',
    })
  })
})

describe('static-site', () => {
  itWithPeers('holds pages and pictures, and no drafts', unpackers, async () => {
    const { images } = await workshop.build('static-site')
    expect(images[0]?.platforms[0]?.layers.map(({ name, mediaType }) => [name, mediaType])).toEqual([
      ['media', 'application/vnd.oci.image.layer.v1.tar'],
      ['pages', 'application/vnd.oci.image.layer.v1.tar+gzip'],
    ])
    const rootfs = await unpacked(inWorkshop('static-site/.ocibuild/image'), 'latest')
    const html = 'usr/share/nginx/html'
    expect(filesIn(rootfs)).toEqual([
      'etc/nginx/conf.d/default.conf',
      ...['404.html', 'index.html', 'media/dot.png', 'style.css'].map((name) => `${html}/${name}`),
    ])
    const picture = 'public/media/dot.png'
    expect(readFileSync(join(rootfs, html, 'media/dot.png'))).toEqual(
      readFileSync(join(examplesFolder, 'static-site', picture)),
    )
    if (process.getuid?.() === 0) expect(lstatSync(join(rootfs, html, 'index.html')).uid).toBe(101)
  })
})

describe('multi-platform', () => {
  it('has a program for each platform and one layer for all', async () => {
    const { images } = await workshop.build('multi-platform')
    const platforms = images[0]?.platforms ?? []
    expect(platforms.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64', 'linux/arm/v7'])
    expect(new Set(platforms.map(({ layers }) => layers[0]?.digest)).size).toBe(1)
    expect(new Set(platforms.map(({ layers }) => layers[1]?.digest)).size).toBe(3)
  })

  it.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(
    'has a program that runs',
    async (context) => {
      if (!unpackers.every(findPeer)) skipOrFail(context, `${unpackers.join(' or ')} is not installed`)
      await workshop.build('multi-platform')
      const rootfs = await unpacked(inWorkshop('multi-platform/dist/image'), 'latest', 'linux/amd64')
      expect(execFileSync(join(rootfs, 'usr/bin/hello'), { encoding: 'utf8' })).toBe(
        'hello from linux/amd64\n',
      )
    },
  )
})

describe('yaml', () => {
  itWithPeers('has the words of its file, with variables filled in', unpackers, async () => {
    const { images } = await workshop.build('yaml', { ...onFixedBase, args: { channel: 'beta' } })
    expect(images[0]).toMatchObject({ name: 'example/yaml', tags: ['2.1.0', 'beta'] })
    const layout = inWorkshop('yaml/dist/image')
    expect(configOf(layout, 'beta')).toMatchObject({
      Cmd: ['node', '/app/server.js'],
      Env: expect.arrayContaining(['CHANNEL=beta']),
      ExposedPorts: { '8080/tcp': {} },
      Healthcheck: { Test: ['CMD', 'node', '/app/health.js'], Interval: 30e9, Retries: 3 },
      Labels: { 'com.example.team': 'core', 'com.example.price': '${not a variable}' },
    })
    const rootfs = await unpacked(layout, 'beta')
    expect(filesIn(join(rootfs, 'app'))).toEqual(['health.js', 'server.js'])
    expect(JSON.parse(readFileSync(join(rootfs, 'etc/yaml-example/settings.json'), 'utf8'))).toEqual({
      channel: 'beta',
      architecture: 'amd64',
    })
    if (process.getuid?.() === 0) expect(lstatSync(join(rootfs, 'app/server.js')).uid).toBe(1000)
  })
})

describe('whiteout', () => {
  itWithPeers('removes, hides and appends', unpackers, async () => {
    await workshop.build('whiteout', { config: 'base.config.ts' })
    await workshop.build('whiteout')
    const layout = inWorkshop('whiteout/dist/image')
    const top = readManifest(layout, 'latest').layers.at(-1)
    if (top === undefined) throw new Error('no layers')
    const names = execFileSync(findPeer('tar') ?? 'tar', ['-tf', blobPath(layout, top)], { encoding: 'utf8' })
    expect(names.trim().split('\n')).toEqual([
      'etc/',
      'etc/hosts.allow',
      'usr/',
      'usr/bin/',
      'usr/bin/.wh.debugger',
      'var/',
      'var/cache/',
      'var/cache/app/',
      'var/cache/app/.wh..wh..opq',
      'var/cache/app/fresh',
    ])
    const rootfs = await unpacked(layout, 'latest')
    expect(filesIn(rootfs)).toEqual(['bin', 'etc/hosts.allow', 'var/cache/app/fresh'])
    expect(readFileSync(join(rootfs, 'etc/hosts.allow'), 'utf8')).toBe(
      'sshd: 10.0.0.0/8\napp: 192.168.0.0/16\n',
    )
    expect(lstatSync(join(rootfs, 'etc/hosts.allow')).mode & 0o7777).toBe(0o640)
    expect(lstatSync(join(rootfs, 'var/cache/app')).mode & 0o7777).toBe(0o750)
    expect(configOf(layout, 'latest')).toEqual({ Env: ['PATH=/usr/bin:/app/bin'] })
  })

  it('cannot be built before its base', async () => {
    const other = openWorkshop()
    await expect(other.build('whiteout')).rejects.toThrow(/dist\/base/)
    other.remove()
  })
})

describe('monorepo-images', () => {
  itWithPeers('builds both images, or the one that is named', unpackers, async () => {
    const { images } = await workshop.build('monorepo-images', onFixedBase)
    expect(images.map(({ image, name, tags }) => [image, name, tags])).toEqual([
      ['api', 'monorepo/api', ['3.0.0']],
      ['web', 'monorepo/web', ['3.0.0']],
    ])
    const one = await workshop.build('monorepo-images', { images: ['web'] })
    expect(one.images.map(({ image }) => image)).toEqual(['web'])
    const rootfs = await unpacked(inWorkshop('monorepo-images/.ocibuild/web'), '3.0.0')
    expect(filesIn(rootfs)).toEqual(['srv/www/index.html'])
  })
})

describeWithPeers('monorepo-images, run', ['umoci', 'runc'], () => {
  it.skipIf(process.getuid?.() !== 0)('has a program that finds the package that it shares', async () => {
    await workshop.build('monorepo-images', { images: ['api'] })
    const code = `import('@monorepo/shared').then(({ title }) => console.log(title))`
    const args = ['node', '--input-type=module', '--eval', code]
    const result = await runWithRunc(inWorkshop('monorepo-images/.ocibuild/api'), '3.0.0', { args })
    expect(result).toEqual({ status: 0, stdout: 'Monorepo\n', stderr: '' })
  })
})

describe('library', () => {
  itWithPeers('builds from a script, with the compiled package', unpackers, async () => {
    const root = join(examplesFolder, '..')
    execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'ignore' })
    const layout = inWorkshop('library')
    const script = join(examplesFolder, 'library/build.mjs')
    const env = { ...process.env, OCIBUILD_CACHE_DIR: inWorkshop('cache') }
    const printed = execFileSync(process.execPath, [script, `oci:${layout}`], {
      encoding: 'utf8',
      env,
      stdio: 'pipe',
    })
    expect(printed).toMatch(
      /^oci:\S+library:@sha256:[0-9a-f]{64}\n  sources: \d+ bytes, sha256:\w+\n  facts: \d+ bytes, sha256:\w+\n$/,
    )
    expect(filesIn(await unpacked(layout, '1.0.0'))).toEqual(['facts.json', 'src/build.mjs'])
  })
})
