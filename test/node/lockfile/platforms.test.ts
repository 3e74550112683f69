/** Optional packages of each target, from one lockfile on one machine. */

import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuildPlan, BuildResult } from '../../../src/build-types.ts'
import { build, createPlan } from '../../../src/build.ts'
import { processEnvironment } from '../../../src/environment.ts'
import { elfBytes } from '../../../src/node/elf.ts'
import { readNativeHeader } from '../../../src/node/project/native-header.ts'
import { readLayer } from '../../../src/rootfs/read-layer.ts'
import { runManager } from '../project/package-managers.ts'
import { makeProject, removeProjects, type Files } from '../project/project-kit.ts'
import { handMade, packageLock, type HandMadePackage } from './hand-made.ts'
import { layerDigests, withLockfile } from './lock-kit.ts'
import { offlineReason, titled } from './online.ts'
import { servePackages, type PackageRegistry } from './package-registry.ts'

let registry: PackageRegistry
const cacheDir = join(makeProject({}), 'cache')
const environment = { ...processEnvironment(), variables: {}, homeDir: makeProject({}) }

const cases = [
  ['linux', 'x64', 'glibc'],
  ['linux', 'x64', 'musl'],
  ['linux', 'arm64', 'glibc'],
  ['darwin', 'arm64', undefined],
] as const

/** One binary each, as sharp and others are published. */
const binaries = cases.map(([os, cpu, libc]): HandMadePackage => {
  const name = `@fast/${[os, cpu, libc === 'musl' ? 'musl' : undefined].filter(Boolean).join('-')}`
  const words = { os: [os], cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }) }
  return handMade(name, '1.0.0', { 'fast.txt': `${os} ${cpu} ${libc ?? ''}` }, words)
})
const optional = Object.fromEntries(binaries.map(({ words }) => [words.name, '1.0.0']))
const fast = handMade('fast', '1.0.0', undefined, { optionalDependencies: optional })
const plain = handMade('plain', '1.0.0')

beforeAll(async () => {
  registry = await servePackages()
  for (const { words, archive } of [...binaries, fast, plain]) {
    const base = words.name.slice(words.name.lastIndexOf('/') + 1)
    registry.put(`/${words.name}/-/${base}-1.0.0.tgz`, archive)
  }
})

afterAll(async () => {
  await registry.close()
  removeProjects()
})

const app = { name: 'app', main: 'index.js', dependencies: { fast: '1.0.0', plain: '1.0.0' } }

function npmProject(): Files {
  const own = Object.fromEntries(
    binaries.map((item) => [
      `node_modules/${item.words.name}`,
      { ...item, words: { ...item.words, optional: true } },
    ]),
  )
  const packages = { 'node_modules/fast': fast, 'node_modules/plain': plain, ...own }
  return { 'package.json': app, 'package-lock.json': packageLock(app, packages) }
}

function pnpmProject(): Files {
  const importers = { '.': { dependencies: Object.fromEntries(['fast', 'plain'].map(direct)) } }
  const all = [fast, plain, ...binaries]
  const packages = Object.fromEntries(
    all.map(({ words, integrity }) => {
      const { name, version: _, optionalDependencies: __, ...more } = words
      return [`${name}@1.0.0`, { resolution: { integrity }, ...more }]
    }),
  )
  const snapshots = {
    'fast@1.0.0': { optionalDependencies: optional },
    'plain@1.0.0': {},
    ...Object.fromEntries(binaries.map(({ words }) => [`${words.name}@1.0.0`, { optional: true }])),
  }
  // JSON is YAML.
  const lock = JSON.stringify({ lockfileVersion: '9.0', importers, packages, snapshots })
  return { 'package.json': app, 'pnpm-lock.yaml': lock }
}

function direct(name: string): [string, object] {
  return [name, { specifier: '1.0.0', version: '1.0.0' }]
}

const specOf = (platforms: readonly string[], more: object = {}): object => ({
  name: 'app',
  base: 'scratch',
  created: 'epoch',
  metadata: 'none',
  node: { dependencies: 'lockfile' },
  platforms,
  ...more,
})

function placeFiles(files: Files): string {
  return makeProject({ 'index.js': '', '.npmrc': `registry=${registry.origin}`, ...files })
}

/** Names of the packages that each platform's dependency layer holds. */
function packagesOf(plan: BuildPlan): Record<string, string[]> {
  const platforms = plan.images[0]?.platforms ?? []
  return Object.fromEntries(
    platforms.map(({ platform, layers }) => {
      const entries = layers.find(({ name }) => name === 'dependencies')?.entries ?? []
      const names = entries.flatMap(({ path, type }) =>
        /\/(@?[^/@]+\/[^/]+|[^/]+)\/package\.json$/.exec(path) && type === 'file' ? [path] : [],
      )
      return [
        platform,
        names.map((path) => path.replace(/^.*\/node_modules\//, '').replace('/package.json', '')),
      ]
    }),
  )
}

/** What the programs in each platform's dependency layer run on, by their headers. */
async function programsOf(result: BuildResult): Promise<Record<string, readonly string[]>> {
  const found: Record<string, readonly string[]> = {}
  for (const [layer, digest] of Object.entries(layerDigests(result))) {
    if (!layer.startsWith('dependencies ')) continue
    const blob = join(cacheDir, 'content/blobs/sha256', digest.slice('sha256:'.length))
    for await (const { entry, content } of readLayer(createReadStream(blob), 'gzip')) {
      if (!/\/linux-[^/]+\/bin\/esbuild$/.test(entry.path)) continue
      const chunks: Uint8Array[] = []
      for await (const chunk of content) chunks.push(chunk)
      const { cpus = [] } = readNativeHeader(elfBytes(Buffer.concat(chunks), entry.path)) ?? {}
      found[layer] = [entry.path, ...cpus]
    }
  }
  return found
}

describe.each([
  ['npm', npmProject],
  ['pnpm', pnpmProject],
])('a lockfile of %s', (_, files) => {
  it('gives each platform the optional packages of its os and cpu', async () => {
    const root = placeFiles(files())
    const spec = specOf(['linux/amd64', 'linux/arm64'])
    const plan = await createPlan({ cwd: root, cacheDir, environment, spec })
    // Nothing tells the libc of an empty base: both are taken.
    expect(packagesOf(plan)).toEqual({
      'linux/amd64': expect.arrayContaining(['@fast/linux-x64', '@fast/linux-x64-musl', 'fast', 'plain']),
      'linux/arm64': expect.arrayContaining(['@fast/linux-arm64', 'fast', 'plain']),
    })
    expect(Object.values(packagesOf(plan)).map(({ length }) => length)).toEqual([4, 3])
    const decisions = plan.images[0]?.decisions ?? []
    expect(decisions).toContain(
      'left out: @fast/darwin-arm64, @fast/linux-arm64 (optional, and not for linux/amd64)',
    )
  })
})

it('leaves out an optional package whole when what it needs is for another platform', async () => {
  const mac = handMade('only-mac', '1.0.0', undefined, { os: ['darwin'] })
  const needs = handMade('needs-mac', '1.0.0', undefined, { dependencies: { 'only-mac': '1.0.0' } })
  const words = {
    ...app,
    dependencies: { plain: '1.0.0' },
    optionalDependencies: { 'needs-mac': '1.0.0' },
  }
  const lock = packageLock(words, {
    'node_modules/plain': plain,
    'node_modules/needs-mac': needs,
    'node_modules/only-mac': mac,
  })
  const root = placeFiles({ 'package.json': words, 'package-lock.json': lock })
  const plan = await createPlan({ cwd: root, cacheDir, environment, spec: specOf(['linux/amd64']) })
  expect(packagesOf(plan)).toEqual({ 'linux/amd64': ['plain'] })
  expect(plan.images[0]?.decisions).toContain('left out: needs-mac (optional, and not for linux/amd64)')
})

it.skipIf(process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch))(
  'takes the libc of the base where that is known',
  async () => {
    const root = placeFiles(npmProject())
    const report: unknown = process.report.getReport()
    const isGlibc = JSON.stringify(report).includes('glibcVersionRuntime')
    const platform = process.arch === 'x64' ? 'linux/amd64' : 'linux/arm64'
    const spec = specOf([platform], { base: 'host:node' })
    const plan = await createPlan({ cwd: root, cacheDir, environment, spec })
    const own = `@fast/linux-${process.arch}${isGlibc ? '' : '-musl'}`
    expect(packagesOf(plan)).toEqual({ [platform]: [own, 'fast', 'plain'] })
  },
)

it('shares the layers of packages without native files among platforms', async () => {
  const words = { ...app, dependencies: { plain: '1.0.0' } }
  const lock = packageLock(words, { 'node_modules/plain': plain })
  const root = placeFiles({ 'package.json': words, 'package-lock.json': lock })
  const spec = specOf(['linux/amd64', 'linux/arm64'])
  const result: BuildResult = await build({ cwd: root, cacheDir, environment, spec })
  const digests = layerDigests(result)
  expect(digests['dependencies linux/amd64']).toBe(digests['dependencies linux/arm64'])
  const second = result.images[0]?.platforms[1]?.layers.filter(({ from }) => from === 'build')
  expect(second?.every(({ cached }) => cached)).toBe(true)
})

const reason = offlineReason()

describe.skipIf(reason !== undefined)(titled('esbuild from the registry', reason), () => {
  it('is the right program on each platform, and its install script is told of', async () => {
    const root = withLockfile(
      makeProject({
        'package.json': {
          name: 'app',
          version: '1.0.0',
          main: 'index.js',
          dependencies: { esbuild: '0.25.0' },
        },
        'index.js': '',
      }),
      'package-lock.json',
      'npm',
      (at) => runManager(['npm'], ['install', '--package-lock-only', '--ignore-scripts'], at),
    )
    const spec = specOf(['linux/amd64', 'linux/arm64'])
    const plan = await createPlan({ cwd: root, cacheDir, environment: processEnvironment(), spec })
    expect(packagesOf(plan)).toEqual({
      'linux/amd64': ['@esbuild/linux-x64', 'esbuild'],
      'linux/arm64': ['@esbuild/linux-arm64', 'esbuild'],
    })
    const result = await build({ cwd: root, cacheDir, environment: processEnvironment(), spec })
    expect(await programsOf(result)).toEqual({
      'dependencies linux/amd64': ['app/node_modules/@esbuild/linux-x64/bin/esbuild', 'x64'],
      'dependencies linux/arm64': ['app/node_modules/@esbuild/linux-arm64/bin/esbuild', 'arm64'],
    })
    expect(plan.warnings.map(({ code, message }) => [code, message])).toEqual([
      [
        'OCB-NODE-INSTALL-SCRIPTS',
        'a package has install scripts, which nobody runs when dependencies come from package-lock.json: esbuild@0.25.0',
      ],
    ])
    expect(plan.images[0]?.decisions).toContain('install scripts: not run, of esbuild@0.25.0')
  })
})
