/** Lockfiles that cannot become a layer, and why. */

import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createPlan } from '../../../src/build.ts'
import { processEnvironment } from '../../../src/environment.ts'
import type { OciBuildError } from '../../../src/errors.ts'
import { errorOf, makeProject, removeProjects, type Files } from '../project/project-kit.ts'
import { packageLock } from './hand-made.ts'

afterAll(removeProjects)

const cacheDir = join(makeProject({}), 'cache')
const environment = { ...processEnvironment(), variables: {}, homeDir: makeProject({}) }

function refusal(files: Files, node: object = {}): Promise<OciBuildError> {
  const spec = { name: 'app', base: 'scratch', created: 'epoch', node: { dependencies: 'lockfile', ...node } }
  // Nobody is asked for anything; without a registry npm would be asked for its own.
  const npmrc = `registry=http://127.0.0.1:9/\n${String(files['.npmrc'] ?? '')}`
  const root = makeProject({ 'package.json': words, 'index.js': '', ...files, '.npmrc': npmrc })
  return errorOf(() => createPlan({ cwd: root, cacheDir, offline: true, environment, spec }))
}

const words = { name: 'app', main: 'index.js', dependencies: { a: '1' } }
const a = { version: '1.0.0', integrity: `sha512-${'A'.repeat(86)}==` }
const lock = packageLock(words, { 'node_modules/a': a })

/** pnpm-lock.yaml whose only package has this resolution. */
function pnpmLock(resolution: string, key = 'a@1.0.0', more = ''): string {
  const version = key.slice(key.indexOf('@', 1) + 1)
  return `lockfileVersion: '9.0'
${more}importers:
  .:
    dependencies:
      a: { specifier: '1', version: '${version}' }
packages:
  ${key}:
    resolution: ${resolution}
snapshots:
  ${key}: {}
`
}

describe('a lockfile', () => {
  it.each<[string, Files, string, RegExp]>([
    [
      'of yarn',
      { 'yarn.lock': '' },
      'OCB-NODE-LOCKFILE-UNSUPPORTED',
      /installed by yarn \(yarn\.lock\); wanted a lockfile of npm or pnpm/,
    ],
    ['of bun', { 'bun.lock': '{}' }, 'OCB-NODE-LOCKFILE-UNSUPPORTED', /installed by bun \(bun\.lock\)/],
    ['that is not there', {}, 'OCB-NODE-LOCKFILE-MISSING', /there is no package-lock\.json in/],
    [
      'of npm 6',
      { 'package-lock.json': { lockfileVersion: 1, dependencies: {} } },
      'OCB-NODE-LOCKFILE-UNSUPPORTED',
      /lockfileVersion 1; wanted 2 or 3/,
    ],
    ['that is no JSON', { 'package-lock.json': '{' }, 'OCB-NODE-LOCKFILE-UNREADABLE', /package-lock\.json/],
    [
      'of pnpm 8',
      { 'pnpm-lock.yaml': "lockfileVersion: '6.0'" },
      'OCB-NODE-LOCKFILE-UNSUPPORTED',
      /lockfileVersion "6\.0"; wanted 9\.0/,
    ],
    ['that is no YAML', { 'pnpm-lock.yaml': 'a: [' }, 'OCB-NODE-LOCKFILE-UNREADABLE', /pnpm-lock\.yaml/],
    [
      'that is older than package.json',
      { 'package-lock.json': packageLock({ dependencies: { a: '2' } }, { 'node_modules/a': a }) },
      'OCB-NODE-LOCKFILE-STALE',
      /^package\.json asks for a 1, and package-lock\.json has 2$/,
    ],
    [
      'of pnpm that is older than package.json',
      {
        'pnpm-lock.yaml': pnpmLock('{integrity: sha512-x}'),
        'package.json': { ...words, dependencies: { a: '1', b: '1' } },
      },
      'OCB-NODE-LOCKFILE-STALE',
      /^package\.json asks for b 1, and pnpm-lock\.yaml has none$/,
    ],
    [
      'that lacks what a package needs',
      {
        'package-lock.json': packageLock(words, { 'node_modules/a': { ...a, dependencies: { gone: '1' } } }),
      },
      'OCB-NODE-NOT-INSTALLED',
      /a .* depends on "gone"/,
    ],
  ])('%s is refused', async (_, files, code, message) => {
    const error = await refusal(files)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
    expect(error.hint).toBeTruthy()
  })
})

describe('a package', () => {
  const resolved = (text: string): Files => ({
    'package-lock.json': packageLock(words, { 'node_modules/a': { ...a, resolved: text } }),
  })

  it.each<[string, Files, string, RegExp]>([
    [
      'from git',
      resolved('git+ssh://git@example.com/a.git#0123'),
      'OCB-NODE-LOCKFILE-UNSUPPORTED',
      /node_modules\/a comes from git \(git\+ssh:\/\/example\.com/,
    ],
    [
      'of a folder',
      { ...resolved('file:lib'), 'lib/package.json': { name: 'a' } },
      'OCB-NODE-LOCKFILE-UNSUPPORTED',
      /a@1\.0\.0 is the folder .*lib/,
    ],
    [
      'from git with pnpm',
      { 'pnpm-lock.yaml': pnpmLock('{type: git, repo: x, commit: y}') },
      'OCB-NODE-LOCKFILE-UNSUPPORTED',
      /a@1\.0\.0 comes from git/,
    ],
    [
      'that pnpm copies',
      { 'pnpm-lock.yaml': pnpmLock('{type: directory, directory: lib}', 'a@file:lib') },
      'OCB-NODE-LOCKFILE-UNSUPPORTED',
      /a@file:lib is a copy of a folder/,
    ],
    [
      'outside of the project',
      { 'package-lock.json': packageLock(words, { 'node_modules/a': { link: true, resolved: '..' } }) },
      'OCB-NODE-LINK-OUTSIDE',
      /outside of/,
    ],
    [
      'of another platform that is not optional',
      { 'package-lock.json': packageLock(words, { 'node_modules/a': { ...a, os: ['darwin'] } }) },
      'OCB-NODE-NATIVE',
      /^a of package-lock\.json is for os darwin, and the image is for linux\/amd64/,
    ],
  ])('%s is refused', async (_, files, code, message) => {
    const error = await refusal({ ...files })
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
  })
})

describe('what changes packages after they are installed', () => {
  it('is refused: patch-package', async () => {
    const error = await refusal({
      'package.json': { ...words, scripts: { postinstall: 'husky && patch-package' } },
      'package-lock.json': lock,
    })
    expect(error.code).toBe('OCB-NODE-LOCKFILE-CHANGED')
    expect(error.message).toContain('scripts.postinstall "husky && patch-package" runs patch-package')
    expect(error.hint).toContain('patchedDependencies')
  })

  const prisma = {
    'package.json': { ...words, dependencies: { '@prisma/client': '6' } },
    'package-lock.json': packageLock(
      { dependencies: { '@prisma/client': '6' } },
      { 'node_modules/@prisma/client': a },
    ),
  }

  it('is refused: a client that prisma generates into node_modules', async () => {
    const error = await refusal({
      ...prisma,
      'prisma/schema.prisma': 'generator client {\n  provider = "prisma-client-js"\n}\n',
    })
    expect(error.code).toBe('OCB-NODE-LOCKFILE-CHANGED')
    expect(error.message).toContain('prisma generate')
  })

  it('is not there where the client is generated elsewhere', async () => {
    const error = await refusal({
      ...prisma,
      'prisma/schema.prisma':
        'generator client {\n  provider = "prisma-client-js"\n  output   = "../src/client"\n}\n',
    })
    // The archive is what it stops at, since nothing may be fetched.
    expect(error.code).toBe('OCB-NETWORK-OFFLINE')
  })
})

describe('a layout of pnpm', () => {
  it('that pnpm-workspace.yaml asks for is refused as well', async () => {
    const error = await refusal({
      'pnpm-lock.yaml': pnpmLock('{integrity: sha512-x}'),
      'pnpm-workspace.yaml': 'nodeLinker: hoisted\n',
    })
    expect(error.message).toMatch(/node-linker of pnpm is "hoisted"; wanted isolated/)
  })

  it.each([
    ['node-linker=hoisted', /node-linker of pnpm is "hoisted"; wanted isolated/],
    ['virtual-store-dir=.store', /virtual-store-dir of pnpm is "\.store"/],
  ])('that is not the isolated one is refused: %s', async (npmrc, message) => {
    const error = await refusal({ 'pnpm-lock.yaml': pnpmLock('{integrity: sha512-x}'), '.npmrc': npmrc })
    expect(error.code).toBe('OCB-NODE-LOCKFILE-UNSUPPORTED')
    expect(error.message).toMatch(message)
  })
})
