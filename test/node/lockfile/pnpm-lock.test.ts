/** What pnpm-lock.yaml decides, with packages made by hand. */

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuildPlan } from '../../../src/build-types.ts'
import { createPlan } from '../../../src/build.ts'
import { processEnvironment } from '../../../src/environment.ts'
import { makeProject, removeProjects, type Files } from '../project/project-kit.ts'
import { handMade, type HandMadePackage } from './hand-made.ts'
import { entriesOf } from './lock-kit.ts'
import { servePackages, type PackageRegistry } from './package-registry.ts'

let registry: PackageRegistry
const cacheDir = join(makeProject({}), 'cache')
const environment = { ...processEnvironment(), variables: {}, homeDir: makeProject({}) }

beforeAll(async () => {
  registry = await servePackages()
})

afterAll(async () => {
  await registry.close()
  removeProjects()
})

interface Lock {
  readonly importers: object
  readonly snapshots: object
  readonly more?: object
}

async function linksOf(
  packages: readonly HandMadePackage[],
  { importers, snapshots, more }: Lock,
  files: Files,
): Promise<readonly string[]> {
  for (const { words, archive } of packages) {
    registry.put(`/${words.name}/-/${words.name}-${words.version}.tgz`, archive)
  }
  const known = packages.map(({ words, integrity }) => [
    `${words.name}@${words.version}`,
    { resolution: { integrity } },
  ])
  // JSON is YAML.
  const lock = { lockfileVersion: '9.0', importers, packages: Object.fromEntries(known), snapshots, ...more }
  const root = makeProject({
    'index.js': '',
    'pnpm-lock.yaml': JSON.stringify(lock),
    '.npmrc': `registry=${registry.origin}`,
    ...files,
  })
  const spec = { name: 'app', base: 'scratch', created: 'epoch', node: { dependencies: 'lockfile' } }
  const plan: BuildPlan = await createPlan({ cwd: root, cacheDir, environment, spec })
  const layers = plan.images[0]?.platforms[0]?.layers.map(({ name }) => name) ?? []
  return layers
    .flatMap((name) => entriesOf(plan, name))
    .filter((line) => line.startsWith('symlink'))
    .map((line) => line.replace('symlink 0777 /app/node_modules/', '').replace(' 0 -> ', ' -> '))
}

const app = (dependencies: object, more: object = {}): object => ({
  name: 'app',
  main: 'index.js',
  dependencies,
  ...more,
})
const direct = (version = '1.0.0'): object => ({ specifier: '1.0.0', version })

describe('the lockfile', () => {
  it('decides what a package depends on, whatever the package says', async () => {
    const a = handMade('a', '1.0.0', undefined, { dependencies: { removed: '1.0.0', kept: '1.0.0' } })
    const links = await linksOf(
      [a, handMade('kept', '1.0.0'), handMade('added', '1.0.0')],
      {
        importers: { '.': { dependencies: { a: direct() } } },
        snapshots: {
          'a@1.0.0': { dependencies: { kept: '1.0.0', added: '1.0.0' } },
          'kept@1.0.0': {},
          'added@1.0.0': {},
        },
        more: { overrides: { removed: '-' } },
      },
      { 'package.json': app({ a: '1.0.0' }) },
    )
    expect(links).toEqual([
      '.pnpm/a@1.0.0/node_modules/added -> ../../added@1.0.0/node_modules/added',
      '.pnpm/a@1.0.0/node_modules/kept -> ../../kept@1.0.0/node_modules/kept',
      '.pnpm/node_modules/added -> ../added@1.0.0/node_modules/added',
      '.pnpm/node_modules/kept -> ../kept@1.0.0/node_modules/kept',
      'a -> .pnpm/a@1.0.0/node_modules/a',
    ])
  })

  it('tells a version from a package of another name, and links peers in the monorepo', async () => {
    const a = handMade('a', '1.0.0', undefined, { peerDependencies: { lib: '*' } })
    const links = await linksOf(
      [a, handMade('real', '2.0.0')],
      {
        importers: {
          '.': {
            dependencies: {
              a: direct('1.0.0(lib@lib)'),
              alias: direct('real@2.0.0'),
              lib: direct('link:lib'),
            },
          },
          lib: {},
        },
        snapshots: { 'a@1.0.0(lib@lib)': { dependencies: { lib: 'link:lib' } }, 'real@2.0.0': {} },
      },
      {
        'package.json': app({ a: '1.0.0', alias: '1.0.0', lib: '1.0.0' }),
        'pnpm-workspace.yaml': 'packages: [lib]\n',
        'lib/package.json': { name: 'lib', version: '1.0.0', main: 'lib.js' },
        'lib/lib.js': '',
      },
    )
    expect(links).toEqual([
      'a -> .pnpm/a@1.0.0_lib@lib/node_modules/a',
      'alias -> .pnpm/real@2.0.0/node_modules/real',
      '.pnpm/a@1.0.0_lib@lib/node_modules/lib -> ../../../../lib',
      'lib -> ../lib',
    ])
  })
})
