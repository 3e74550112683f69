/** Where the archives of a lockfile come from, and who is asked with what. */

import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuildPlan } from '../../../src/build-types.ts'
import { build, createPlan } from '../../../src/build.ts'
import { processEnvironment } from '../../../src/environment.ts'
import { readNpmSettings } from '../../../src/node/lockfile/npmrc.ts'
import { addFiles, errorOf, makeProject, removeProjects } from '../project/project-kit.ts'
import { handMade, integrityOf, packageLock, type HandMadePackage } from './hand-made.ts'
import { servePackages, type PackageRegistry } from './package-registry.ts'

let registry: PackageRegistry
let other: PackageRegistry

beforeAll(async () => {
  registry = await servePackages()
  other = await servePackages()
})

afterAll(async () => {
  await registry.close()
  await other.close()
  removeProjects()
})

interface Options {
  readonly cacheDir?: string
  readonly offline?: boolean
  readonly home?: string
  readonly variables?: Readonly<Record<string, string>>
}

function plan(root: string, options: Options = {}): Promise<BuildPlan> {
  const { cacheDir = join(makeProject({}), 'cache'), offline = false, home = makeProject({}) } = options
  const environment = { ...processEnvironment(), variables: options.variables ?? {}, homeDir: home }
  const spec = { name: 'app', base: 'scratch', created: 'epoch', node: { dependencies: 'lockfile' } }
  return createPlan({ cwd: root, cacheDir, offline, environment, spec })
}

const ms = handMade('ms', '2.1.3')
const own = handMade('@acme/own', '1.0.0')

/** A project that asks for these packages; `.npmrc` names the registry. */
function projectOf(
  packages: Readonly<Record<string, HandMadePackage | object>>,
  npmrc: string = `registry=${registry.origin}`,
): string {
  const names = Object.keys(packages).map((path) => path.replace('node_modules/', ''))
  const words = {
    name: 'app',
    main: 'index.js',
    dependencies: Object.fromEntries(names.map((name) => [name, '*'])),
  }
  return makeProject({
    'package.json': words,
    'index.js': '',
    'package-lock.json': packageLock(words, packages),
    '.npmrc': npmrc,
  })
}

const filesOf = (found: BuildPlan): readonly string[] =>
  (found.images[0]?.platforms[0]?.layers.find(({ name }) => name === 'dependencies')?.entries ?? [])
    .filter(({ type }) => type === 'file')
    .map(({ path }) => path)

/** What was asked of a registry while `work` ran. */
async function askedBy(from: PackageRegistry, work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = from.asked.length
  await work()
  return from.asked.slice(before).map(({ path, authorization = 'nobody' }) => `${path} ${authorization}`)
}

describe('an archive', () => {
  it('comes from the registry once, and from the cache folder after', async () => {
    registry.put('/ms/-/ms-2.1.3.tgz', ms.archive)
    const root = projectOf({ 'node_modules/ms': ms })
    const cacheDir = join(makeProject({}), 'cache')
    const first = await askedBy(registry, () => plan(root, { cacheDir }))
    expect(first).toEqual(['/ms/-/ms-2.1.3.tgz nobody'])
    const again = await askedBy(registry, async () => {
      expect(filesOf(await plan(root, { cacheDir, offline: true }))).toEqual([
        '/app/node_modules/ms/index.js',
        '/app/node_modules/ms/package.json',
      ])
    })
    expect(again).toEqual([])
  })

  it('is marked as used, so that the cache keeps it when it makes room', async () => {
    registry.put('/ms/-/ms-2.1.3.tgz', ms.archive)
    const root = projectOf({ 'node_modules/ms': ms })
    const cacheDir = join(makeProject({}), 'cache')
    await plan(root, { cacheDir })
    const [folder = ''] = readdirSync(join(cacheDir, 'packages'))
    const file = join(cacheDir, 'packages', folder, 'files')
    utimesSync(file, 1_000_000, 1_000_000)
    await plan(root, { cacheDir, offline: true })
    expect(statSync(file).mtimeMs).toBeGreaterThan(Date.now() - 60_000)
  })

  it('is fetched again where the cache folder has half of it', async () => {
    registry.put('/ms/-/ms-2.1.3.tgz', ms.archive)
    const root = projectOf({ 'node_modules/ms': ms })
    const cacheDir = join(makeProject({}), 'cache')
    await plan(root, { cacheDir })
    const [folder = ''] = readdirSync(join(cacheDir, 'packages'))
    writeFileSync(join(cacheDir, 'packages', folder, 'files'), 'half')
    const asked = await askedBy(registry, async () => {
      expect(filesOf(await plan(root, { cacheDir })).length).toBe(2)
    })
    expect(asked.length).toBe(1)
  })

  it('that went bad in the cache folder is told of, and fetched by the next build', async () => {
    registry.put('/ms/-/ms-2.1.3.tgz', ms.archive)
    registry.put('/@acme/own/-/own-1.0.0.tgz', own.archive)
    const cacheDir = join(makeProject({}), 'cache')
    await plan(projectOf({ 'node_modules/ms': ms }), { cacheDir })
    const [folder = ''] = readdirSync(join(cacheDir, 'packages'))
    const file = join(cacheDir, 'packages', folder, 'files')
    const bytes = readFileSync(file)
    bytes[3] = 0
    writeFileSync(file, bytes)
    const root = projectOf({ 'node_modules/ms': ms, 'node_modules/@acme/own': own })
    const environment = { ...processEnvironment(), variables: {}, homeDir: makeProject({}) }
    const spec = { name: 'app', base: 'scratch', created: 'epoch', node: { dependencies: 'lockfile' } }
    const error = await errorOf(() => build({ cwd: root, cacheDir, environment, spec }))
    expect(error).toMatchObject({ code: 'OCB-CACHE-DAMAGED', hint: 'build again' })
    const { images } = await build({ cwd: root, cacheDir, environment, spec })
    expect(images.length).toBe(1)
  })

  it('comes from the cache of npm where that has it whole', async () => {
    const home = makeProject({})
    const hex = Buffer.from(ms.integrity.slice('sha512-'.length), 'base64').toString('hex')
    const place = join(
      home,
      '.npm/_cacache/content-v2/sha512',
      hex.slice(0, 2),
      hex.slice(2, 4),
      hex.slice(4),
    )
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, ms.archive)
    const root = projectOf({ 'node_modules/ms': ms })
    expect(filesOf(await plan(root, { home, offline: true })).length).toBe(2)
    writeFileSync(place, ms.archive.subarray(1))
    expect(await askedBy(registry, () => plan(root, { home }))).toEqual(['/ms/-/ms-2.1.3.tgz nobody'])
  })

  it('is refused where it is not the one that was locked', async () => {
    registry.put('/ms/-/ms-2.1.4.tgz', ms.archive)
    const wanted = { ...ms, words: { ...ms.words, version: '2.1.4' }, integrity: integrityOf(own.archive) }
    const error = await errorOf(() => plan(projectOf({ 'node_modules/ms': wanted })))
    expect(error.code).toBe('OCB-NODE-LOCKFILE-INTEGRITY')
    expect(error.message).toBe(
      `ms@2.1.4 from ${registry.origin}/ms/-/ms-2.1.4.tgz has the integrity ${ms.integrity}; the lockfile wants ${wanted.integrity}`,
    )
  })

  it('is refused without a checksum', async () => {
    const error = await errorOf(() => plan(projectOf({ 'node_modules/ms': { version: '2.1.3' } })))
    expect(error).toMatchObject({ code: 'OCB-NODE-LOCKFILE-INTEGRITY' })
    expect(error.message).toContain('no checksum of ms@2.1.3')
  })

  it('may be known by sha1 alone', async () => {
    registry.put('/ms/-/ms-2.1.3.tgz', ms.archive)
    const old = { ...ms, integrity: integrityOf(ms.archive, 'sha1') }
    expect(filesOf(await plan(projectOf({ 'node_modules/ms': old }))).length).toBe(2)
  })

  it('is not fetched offline', async () => {
    const error = await errorOf(() => plan(projectOf({ 'node_modules/ms': ms }), { offline: true }))
    expect(error).toMatchObject({ code: 'OCB-NETWORK-OFFLINE', hint: 'build once without --offline' })
    expect(error.message).toContain('ms@2.1.3')
  })
})

describe('a registry', () => {
  it('is that of the scope, with the token for its path, which no other host sees', async () => {
    registry.put('/ms/-/ms-2.1.3.tgz', ms.archive)
    const path = '/team/npm/@acme/own/-/own-1.0.0.tgz'
    other.put(path, new URL(`${registry.origin}/elsewhere.tgz`))
    registry.put('/elsewhere.tgz', own.archive)
    const host = other.origin.slice('http:'.length)
    const root = projectOf(
      { 'node_modules/ms': ms, 'node_modules/@acme/own': own },
      [
        `registry=${registry.origin}/ # for all`,
        `@acme:registry = "${other.origin}/team/npm"`,
        `${host}/team/:_authToken=\${TOKEN}`,
        `; ${host}/:_authToken=wrong`,
      ].join('\n'),
    )
    const variables = { TOKEN: 's3cret' }
    let seen: readonly string[] = []
    const plain = await askedBy(registry, async () => {
      seen = await askedBy(other, () => plan(root, { variables }))
    })
    expect(seen).toEqual([`${path} Bearer s3cret`])
    expect([...plain].sort()).toEqual(['/elsewhere.tgz nobody', '/ms/-/ms-2.1.3.tgz nobody'])
  })

  it('takes user and password of the file in the home folder, and variables over all files', async () => {
    other.put('/ms/-/ms-2.1.3.tgz', ms.archive)
    const host = other.origin.slice('http:'.length)
    const home = makeProject({})
    const password = Buffer.from('pass').toString('base64')
    addFiles(home, { '.npmrc': `${host}/:username=me\n${host}/:_password=${password}\n` })
    const root = projectOf({ 'node_modules/ms': ms }, `registry=${registry.origin}`)
    const variables = { npm_config_registry: other.origin }
    expect(await askedBy(other, () => plan(root, { home, variables }))).toEqual([
      `/ms/-/ms-2.1.3.tgz Basic ${Buffer.from('me:pass').toString('base64')}`,
    ])
  })

  it('is the one that the lockfile says, unless its host is to be replaced', async () => {
    const at = { ...ms, words: { ...ms.words, resolved: `${other.origin}/x/ms-2.1.3.tgz` } }
    other.put('/x/ms-2.1.3.tgz', ms.archive)
    registry.put('/x/ms-2.1.3.tgz', ms.archive)
    const asIs = projectOf(
      { 'node_modules/ms': at },
      `registry=${registry.origin}\nreplace-registry-host=never`,
    )
    expect(await askedBy(other, () => plan(asIs))).toEqual(['/x/ms-2.1.3.tgz nobody'])
    const replaced = projectOf(
      { 'node_modules/ms': at },
      `registry=${registry.origin}\nreplace-registry-host=always`,
    )
    expect(await askedBy(registry, () => plan(replaced))).toEqual(['/x/ms-2.1.3.tgz nobody'])
  })

  it('is the configured one where the lockfile says that of npm', async () => {
    registry.put('/ms/-/ms-2.1.3.tgz', ms.archive)
    const own = readNpmSettings(makeProject({}), processEnvironment()).ownRegistry()
    const at = { ...ms, words: { ...ms.words, resolved: `${own}ms/-/ms-2.1.3.tgz` } }
    const root = projectOf({ 'node_modules/ms': at })
    const variables = { PATH: process.env['PATH'] ?? '' }
    expect(await askedBy(registry, () => plan(root, { variables }))).toEqual(['/ms/-/ms-2.1.3.tgz nobody'])
  })

  it('is reached through the proxy of .npmrc, unless noproxy names it', async () => {
    other.put('http://packages.invalid/ms/-/ms-2.1.3.tgz', ms.archive)
    const words = ['registry=http://packages.invalid', `proxy=${other.origin}`, 'https-proxy=null']
    const root = projectOf({ 'node_modules/ms': ms }, words.join('\n'))
    expect(await askedBy(other, () => plan(root))).toEqual([
      'http://packages.invalid/ms/-/ms-2.1.3.tgz nobody',
    ])
    // A port that nobody listens on, so that no name is looked up.
    const direct = words.map((line) => line.replace('http://packages.invalid', 'http://127.0.0.1:9'))
    addFiles(root, { '.npmrc': [...direct, 'noproxy=127.0.0.1'].join('\n') })
    const asked = await askedBy(other, async () => {
      expect((await errorOf(() => plan(root))).code).toBe('OCB-NETWORK-DOWNLOAD')
    })
    expect(asked).toEqual([])
  })

  it('is told of when it refuses, without its secrets', async () => {
    const gone = handMade('gone', '1.0.0')
    registry.put('/gone/-/gone-1.0.0.tgz', 403)
    const host = registry.origin.slice('http:'.length)
    const root = projectOf(
      { 'node_modules/gone': gone },
      `registry=${registry.origin}\n${host}/:_authToken=s3cret`,
    )
    const error = await errorOf(() => plan(root))
    expect(error.code).toBe('OCB-NETWORK-DOWNLOAD')
    expect(error.message).toContain('/gone/-/gone-1.0.0.tgz answered with status 403')
    expect(`${error.message} ${error.hint}`).not.toContain('s3cret')
  })
})

describe('a start script', () => {
  it('may name a program of a locked package', async () => {
    const files = { 'bin/serve.js': '#!/usr/bin/env node\n', 'bin/other': '#!/bin/sh\n' }
    const tool = handMade('tool', '1.0.0', files, { bin: { serve: 'bin/serve', other: 'bin/other' } })
    registry.put('/tool/-/tool-1.0.0.tgz', tool.archive)
    const root = projectOf({ 'node_modules/tool': tool })
    const words = { name: 'app', dependencies: { tool: '*' } }
    addFiles(root, { 'package.json': { ...words, scripts: { start: 'serve --port 80' } } })
    const { images } = await plan(root)
    expect(images[0]?.platforms[0]?.config).toMatchObject({
      Cmd: ['node', 'node_modules/tool/bin/serve.js', '--port', '80'],
    })
    addFiles(root, { 'package.json': { ...words, scripts: { start: 'other' } } })
    const error = await errorOf(() => plan(root))
    expect(error).toMatchObject({ code: 'OCB-NODE-START' })
    expect(error.message).toContain('other is no program of a production dependency')
  })
})

it('tells of install scripts, and of what lacks its native code without them', async () => {
  const packages = [
    handMade('plain', '1.0.0'),
    handMade('greets', '1.0.0', {}, { scripts: { postinstall: 'node hello.js' } }),
    handMade('compiles', '2.0.0', { 'binding.gyp': '{}' }),
    handMade('fetches', '3.0.0', {}, { scripts: { install: 'prebuild-install || node-gyp rebuild' } }),
    handMade('carries', '4.0.0', { 'prebuilds/a.node': 'x' }, { scripts: { install: 'node-gyp-build' } }),
  ]
  for (const { words, archive } of packages) {
    registry.put(`/${words.name}/-/${words.name}-${words.version}.tgz`, archive)
  }
  const root = projectOf(
    Object.fromEntries(packages.map((item) => [`node_modules/${item.words.name}`, item])),
  )
  const { warnings } = await plan(root)
  expect(warnings.map(({ message }) => message)).toEqual([
    '4 packages have install scripts, which nobody runs when dependencies come from package-lock.json: carries@4.0.0, compiles@2.0.0, fetches@3.0.0, greets@1.0.0; those of compiles@2.0.0, fetches@3.0.0 make native code, without which it cannot be loaded',
  ])
})
