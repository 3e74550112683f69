/** The config that `init` writes for Node.js projects: what it says, and that it builds what no config builds. */

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { build, createPlan, processEnvironment, type BuildResult } from '../../../src/index.ts'
import type { ConfigFormat } from '../../../src/config/config-text.ts'
import { detectProject } from '../../../src/node/project/detect-project.ts'
import { renderProjectInit } from '../../../src/node/project/init-config.ts'
import { addFiles, makeProject, removeProjects, type Files } from './project-kit.ts'

afterAll(removeProjects)

const cacheDir = join(makeProject({}), 'cache')
const own = processEnvironment()
const node = { ...own.node, version: '22.12.0' }

async function textOf(root: string, format: ConfigFormat = 'ts'): Promise<string> {
  const environment = { ...own, hostArchitecture: 'amd64', node }
  return renderProjectInit(await detectProject(root, undefined), environment, format)
}

/** Builds over a base that stands for any, since no test asks a registry. */
async function buildIn(cwd: string): Promise<BuildResult> {
  const environment = { ...own, hostArchitecture: 'amd64', node, cwd, variables: {} }
  return build({ cwd, cacheDir, environment, overrides: { base: 'scratch' } })
}

const app: Files = {
  'package.json': {
    name: '@team/app',
    version: '1.2.3',
    scripts: { start: 'node --enable-source-maps server.js', build: 'exit 1' },
    dependencies: { ms: '1' },
    engines: { node: '>=20' },
  },
  'server.js': '1',
  '.nvmrc': 'v22.11.0\n',
  'node_modules/ms/package.json': { name: 'ms' },
}

describe('init of a package', () => {
  it('says what was found', async () => {
    const text = await textOf(makeProject(app))
    expect(text).toContain("  name: 'app',\n")
    expect(text).toContain('  // The base (v22.11.0 in .nvmrc). ')
    expect(text).toContain("  base: 'node:22.11.0-slim',\n")
    expect(text).toContain("  platforms: ['linux/amd64'],\n")
    expect(text).toContain("  // prepare: ['npm run build'],\n")
    expect(text).toContain('  //   dependencies: 1 packages as they are installed')
    expect(text).toContain(
      '  //   command: node --enable-source-maps server.js (scripts.start of package.json)',
    )
    expect(text).toContain('  node: true,\n')
  })

  it.each<[ConfigFormat]>([['ts'], ['yaml']])(
    'builds the image that no config builds, as %s',
    async (format) => {
      const root = makeProject(app)
      const [before] = (await buildIn(root)).images
      writeFileSync(join(root, `oci.config.${format}`), await textOf(root, format))
      const [after] = (await buildIn(root)).images
      expect(after?.digest).toBe(before?.digest)
      expect(after?.name).toBe(before?.name)
      // The comparison would see a difference.
      addFiles(root, { 'server.js': '2' })
      expect((await buildIn(root)).images[0]?.digest).not.toBe(before?.digest)
    },
  )

  it('builds first where the build is missing, and names no path of this machine', async () => {
    const root = makeProject({
      'package.json': { scripts: { start: 'node dist/a.js', build: 'x' } },
      'pnpm-lock.yaml': '',
    })
    const text = await textOf(root)
    expect(text).toContain("  prepare: ['pnpm run build'],\n")
    expect(text).toContain(
      '  // This does not build yet:\n  //   this folder is a package whose build has not run',
    )
    expect(text).not.toContain(root)
  })
})

const monorepo: Files = {
  'package.json': {
    name: 'all',
    private: true,
    workspaces: ['apps/*', 'packages/*'],
    scripts: { start: 'npm start -w apps/web', build: 'x' },
  },
  'apps/web/package.json': { name: '@m/web', version: '2.0.0', scripts: { start: 'node a.js' } },
  'apps/web/a.js': '',
  'apps/api/package.json': {
    name: '@m/api',
    main: 'main.js',
    private: true,
    dependencies: { '@m/lib': '*' },
    engines: { node: '^20' },
  },
  'apps/api/main.js': '',
  'packages/lib/package.json': { name: '@m/lib', private: true, main: 'i.js' },
  'packages/lib/i.js': '',
  'packages/published/package.json': { name: 'published', main: 'i.js' },
  'packages/published/i.js': '',
  'packages/web/package.json': { name: '@other/web', devDependencies: { next: '1' } },
  'node_modules/@m/lib': '-> ../../packages/lib',
}

describe('init at the root of a monorepo', () => {
  it('makes an image of each package that is started, and of no library', async () => {
    const text = await textOf(makeProject(monorepo))
    expect(text.match(/package: '[^']*'/g)).toEqual([
      "package: 'apps/api'",
      "package: 'apps/web'",
      "package: 'packages/web'",
    ])
    expect(text.match(/^ {4}(?:\w|')[^:]*: \{$/gm)).toEqual([
      '    api: {',
      '    web: {',
      "    'packages-web': {",
    ])
    expect(text).toContain("    base: 'node:22-slim',")
    expect(text).toContain("      base: 'node:20-slim',")
    expect(text).toContain("    created: 'epoch',\n    metadata: 'package',\n")
    expect(text).toContain('    //   workspace packages: @m/lib (the app depends on them)')
    expect(text).toContain("  prepare: ['npm run build'],\n")
  })

  it.each<[ConfigFormat]>([['ts'], ['yaml']])(
    'builds the images that its packages build alone, as %s',
    async (format) => {
      const { 'packages/web/package.json': _unbuilt, ...files } = monorepo
      const root = makeProject(files)
      const alone = []
      for (const name of ['api', 'web']) alone.push(...(await buildIn(join(root, 'apps', name))).images)
      for (const name of ['api', 'web']) rmSync(join(root, 'apps', name, '.ocibuild'), { recursive: true })
      writeFileSync(join(root, `oci.config.${format}`), await textOf(root, format))
      const { images } = await buildIn(root)
      expect(images.map(({ image, digest }) => [image, digest])).toEqual(
        alone.map(({ digest }, index) => [['api', 'web'][index], digest]),
      )
    },
  )
})

describe('the metadata of an image of a monorepo', () => {
  it.each<[string, object]>([
    ['by its name', { node: { package: '@m/web' } }],
    ['by its folder', { node: { package: 'apps/web' } }],
    ['as the root of the spec', { node: true, root: 'apps/web' }],
  ])('is that of its package, which is named %s', async (_title, words) => {
    const { 'packages/web/package.json': _unbuilt, ...files } = monorepo
    const cwd = makeProject(files)
    const spec = { images: { web: { ...words, base: 'scratch', annotations: { 'com.example': 'x' } } } }
    const { images } = await createPlan({ cwd, cacheDir, environment: { ...own, variables: {} }, spec })
    expect(images[0]?.annotations).toEqual({
      'com.example': 'x',
      'org.opencontainers.image.title': '@m/web',
      'org.opencontainers.image.version': '2.0.0',
    })
  })
})

describe('init in a monorepo of', () => {
  it.each<[string, Files]>([
    ['npm', { 'package.json': { workspaces: ['apps/*'] }, 'package-lock.json': '{}' }],
    ['yarn', { 'package.json': { workspaces: { packages: ['apps/*'] } }, 'yarn.lock': '' }],
    ['bun', { 'package.json': { workspaces: ['apps/*'] }, 'bun.lock': '' }],
    ['pnpm', { 'package.json': {}, 'pnpm-workspace.yaml': 'packages: [apps/*]', 'pnpm-lock.yaml': '' }],
  ])('%s finds its packages', async (manager, files) => {
    const root = makeProject({
      ...files,
      'apps/one/package.json': { name: 'one', scripts: { start: 'node a.js' } },
      'apps/one/a.js': '',
    })
    const text = await textOf(root, 'yaml')
    expect(text).toContain('      package: apps/one\n')
    expect(text).toContain(`installed by ${manager}`)
    // Run in the package it is the package's own.
    expect(await textOf(join(root, 'apps/one'), 'yaml')).toContain('\nnode: true\n')
  })
})
