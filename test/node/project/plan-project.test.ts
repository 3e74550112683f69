/** A project's image as `plan` shows it: layers, config, decisions. */

import { existsSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { BuildOptions, BuildPlan, ImagePlanView } from '../../../src/build-types.ts'
import { createPlan } from '../../../src/build.ts'
import { processEnvironment } from '../../../src/environment.ts'
import { encodeHeader } from '../../../src/tar/tar-header.ts'
import { errorOf, makeProject, removeProjects, type Files } from './project-kit.ts'

afterAll(removeProjects)

const cacheDir = join(makeProject({}), 'cache')
const environment = { ...processEnvironment(), variables: {} }

async function plan(root: string, node: object | true = true, more: object = {}): Promise<BuildPlan> {
  const options: BuildOptions = { cwd: root, cacheDir, environment, offline: true }
  // A base that has no Node.js is as good as any for a plan.
  return createPlan({ ...options, spec: { node, base: 'scratch', created: 'epoch', ...more } })
}

async function imageOf(files: Files, node: object | true = true, more: object = {}): Promise<ImagePlanView> {
  const { images } = await plan(makeProject(files), node, more)
  const [image] = images
  if (image === undefined) throw new Error('no image')
  return image
}

/** Files and links of each layer, below /app. */
function layersOf(image: ImagePlanView): Record<string, string[]> {
  const layers = image.platforms[0]?.layers ?? []
  return Object.fromEntries(
    layers.map(({ name, entries }) => [
      name,
      entries.filter(({ type }) => type !== 'directory').map(({ path }) => path.replace('/app/', '')),
    ]),
  )
}

const configOf = (image: ImagePlanView): Readonly<Record<string, unknown>> => image.platforms[0]?.config ?? {}

const tarOf = (path: string): string =>
  encodeHeader({ path: path.slice(0, -1), type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 })
    .toString('latin1')
    .padEnd(4096, '\0')

const app = {
  'package.json': {
    name: 'app',
    main: 'server.js',
    dependencies: { ms: '1' },
    devDependencies: { dev: '1' },
  },
  'server.js': '',
  'node_modules/ms/package.json': { name: 'ms' },
  'node_modules/ms/.npmrc': 'kept as it is published',
  'node_modules/dev/package.json': { name: 'dev' },
  'node_modules/.package-lock.json': '{}',
}

describe('the layers', () => {
  it('are dependencies, workspace packages and the app', async () => {
    const root = makeProject({
      'package.json': { workspaces: ['packages/*'] },
      'packages/api/package.json': { name: 'api', main: 'index.js', dependencies: { shared: '*', ms: '1' } },
      'packages/api/index.js': '',
      'packages/shared/package.json': { name: 'shared', files: ['lib'] },
      'packages/shared/lib/a.js': '',
      'packages/shared/src/a.ts': '',
      'node_modules/shared': '-> ../packages/shared',
      'node_modules/ms/package.json': { name: 'ms' },
    })
    const { images } = await plan(root, { package: 'api' })
    const [image] = images
    if (image === undefined) throw new Error('no image')
    expect(layersOf(image)).toEqual({
      dependencies: ['node_modules/ms/package.json'],
      'workspace packages': [
        'node_modules/shared',
        'packages/shared/lib/a.js',
        'packages/shared/package.json',
      ],
      app: ['packages/api/index.js', 'packages/api/package.json'],
    })
    expect(configOf(image)).toMatchObject({ WorkingDir: '/app/packages/api', Cmd: ['node', 'index.js'] })
    expect(image.decisions.join('\n')).toContain('workspace packages: shared')
  })

  it('hold no image that an earlier build wrote there, nor a folder for its sake', async () => {
    const layout = (path: string): Files => ({
      [`${path}/oci-layout`]: { imageLayoutVersion: '1.0.0' },
      [`${path}/index.json`]: {},
      [`${path}/blobs/sha256/aa`]: 'bytes',
    })
    const image = await imageOf({
      ...app,
      ...layout('dist/image'),
      ...layout('images/a/one'),
      ...layout('lib/image'),
      'lib/a.js': '',
      'tars/image.tar': tarOf('blobs/'),
      'tars/other.tar': tarOf('files/'),
      'lib/short.tar': 'blobs/',
      // No layout: it has no blobs.
      'data/oci-layout': '{}',
      'data/index.json': '{}',
    })
    expect(layersOf(image)['app']).toEqual([
      'data/index.json',
      'data/oci-layout',
      'lib/a.js',
      'lib/short.tar',
      'package.json',
      'server.js',
      'tars/other.tar',
    ])
    const folders = image.platforms[0]?.layers.at(-1)?.entries.filter(({ type }) => type === 'directory')
    expect(folders?.map(({ path }) => path)).not.toContain('/app/dist')
    expect(folders?.map(({ path }) => path)).not.toContain('/app/images')
    const hidden = image.platforms[0]?.layers.flatMap((layer) => layer.hidden.map(({ rule }) => rule))
    expect(hidden?.filter((rule) => rule.startsWith('image'))).toEqual([
      'image "dist/image"',
      'image "images/a/one"',
      'image "lib/image"',
      'image "tars/image.tar"',
    ])
  })

  it('hold an image that package.json names', async () => {
    const image = await imageOf({
      ...app,
      'package.json': { ...app['package.json'], files: ['server.js', 'image'] },
      'image/oci-layout': { imageLayoutVersion: '1.0.0' },
      'image/index.json': {},
      'image/blobs/sha256/aa': 'bytes',
    })
    expect(layersOf(image)['app']).toContain('image/oci-layout')
  })

  it("hold no tests, no tools' files and no dotfiles, and say what was hidden", async () => {
    const image = await imageOf({
      ...app,
      'test/a.js': '',
      'lib/a.test.ts': '',
      'lib/a.js': '',
      'lib/test/kept.js': '',
      'tsconfig.json': '{}',
      '.env': 'A=1',
      '.eslintrc': '',
      '.well-known/x': '',
      'package-lock.json': '{}',
      Dockerfile: '',
      'README.md': '',
      '.dockerignore': '*.md\ndist\n',
      'dist/.hidden': '',
      'dist/node_modules/x.js': '',
    })
    expect(layersOf(image)).toEqual({
      dependencies: ['node_modules/ms/.npmrc', 'node_modules/ms/package.json'],
      app: [
        '.well-known/x',
        'dist/.hidden',
        'dist/node_modules/x.js',
        'lib/a.js',
        'lib/test/kept.js',
        'package.json',
        'server.js',
      ],
    })
    const hidden = image.platforms[0]?.layers.flatMap((layer) => layer.hidden.map(({ rule }) => rule))
    expect(hidden).toContain('.dockerignore:1 "*.md"')
    expect(hidden).toContain('dotfiles "**/.*"')
  })

  it('hold what files of package.json names, and what the app is started with', async () => {
    const files = ['lib', 'views/*.html', '!lib/**/*.map']
    const image = await imageOf({
      'package.json': { name: 'app', main: 'dist/main.js', files },
      'dist/main.js': '',
      'dist/util.js': '',
      'lib/a.js': '',
      'lib/a.js.map': '',
      'other.js': '',
      'views/a.html': '',
      'views/a.ejs': '',
    })
    expect(layersOf(image)['app']).toEqual([
      'dist/main.js',
      'dist/util.js',
      'lib/a.js',
      'package.json',
      'views/a.html',
    ])
    expect(image.decisions).toContain('app: files of package.json')
  })

  it('obey include and exclude of the spec', async () => {
    const files = { ...app, 'a/x.js': '', 'a/x.map': '', 'b/x.js': '', '.config': '' }
    expect(
      layersOf(await imageOf(files, { include: ['a', '.config'], exclude: ['**/*.map'] }))['app'],
    ).toEqual(['.config', 'a/x.js', 'package.json', 'server.js'])
    const error = await errorOf(() => imageOf(files, { exclude: ['server.js'] }))
    expect(error.code).toBe('OCB-NODE-ENTRY-LEFT-OUT')
  })

  it('are the output alone where it carries its dependencies', async () => {
    const image = await imageOf({
      'package.json': { name: 'web', dependencies: { next: '1' }, scripts: { start: 'next start' } },
      '.next/standalone/server.js': '',
      '.next/standalone/node_modules/next/a.js': '',
      '.next/static/b.js': '',
      '.next/cache/c': '',
      'public/d.txt': '',
      'src/e.ts': '',
    })
    expect(layersOf(image)).toEqual({
      dependencies: ['node_modules/next/a.js'],
      app: ['.next/static/b.js', 'public/d.txt', 'server.js'],
    })
    const cache = image.platforms[0]?.layers.at(-1)?.entries.find(({ path }) => path === '/app/.next/cache')
    expect(cache).toMatchObject({ type: 'directory', uid: 65_532, gid: 65_532 })
    expect(configOf(image)).toMatchObject({
      Env: ['NODE_ENV=production', 'HOSTNAME=0.0.0.0', 'PORT=3000'],
      ExposedPorts: { '3000/tcp': {} },
    })
  })

  it('have links that hold, or name the one that does not', async () => {
    const image = await imageOf({ ...app, 'lib/a.js': '', link: '-> lib/a.js', 'to-etc': '-> /etc/hosts' })
    expect(layersOf(image)['app']).toContain('link')
    for (const target of ['nowhere', '../../out', 'node_modules/dev/package.json']) {
      const error = await errorOf(() => imageOf({ ...app, broken: `-> ${target}` }))
      expect(error.code).toBe('OCB-NODE-LINK-BROKEN')
      expect(error.message).toContain(`/app/broken to ${target}`)
    }
  })
})

describe('secrets', () => {
  const key = `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(64)}\n-----END PRIVATE KEY-----\n`
  it.each<[string, string, string]>([
    ['dist/.env', 'A=1', 'variables of an environment'],
    ['dist/.env.production', 'A=1', 'variables of an environment'],
    ['certs/server.key', key, 'a private key'],
    ['lib/config.js', `x = '${`ghp_${'a1'.repeat(18)}`}'`, 'a token of GitHub'],
    ['lib/aws.json', `"${'AKIA'}${'ABCDEFGH'}${'IJKLMNOP'}"`, 'a key of AWS'],
    ['dist/.npmrc', '//host/:_authToken=abc', 'a token of a registry'],
    ['id_rsa', '', 'a private key'],
  ])('%s stops the build', async (path, content, what) => {
    const error = await errorOf(() => imageOf({ ...app, [path]: content }))
    expect(error.code).toBe('OCB-NODE-SECRET')
    expect(error.message).toBe(`${path} holds ${what} and would ship in the image`)
    expect(layersOf(await imageOf({ ...app, [path]: content }, { allow: [path] }))['app']).toContain(path)
  })

  it('are not seen where there are none', async () => {
    const image = await imageOf({
      ...app,
      'dist/.env.example': 'A=',
      'dist/.npmrc': '//host/:_authToken=${TOKEN}\nalways-auth=true',
      'lib/a.js': 'const header = "-----BEGIN PRIVATE KEY-----"',
    })
    expect(layersOf(image)['app']).toHaveLength(5)
  })
})

describe('the config', () => {
  it('starts node as process 1, for production, as somebody without rights', async () => {
    const image = await imageOf(app)
    expect(configOf(image)).toMatchObject({
      Cmd: ['node', 'server.js'],
      Env: ['NODE_ENV=production'],
      WorkingDir: '/app',
      User: '65532:65532',
    })
    expect(configOf(image)).not.toHaveProperty('Entrypoint')
    expect(image.decisions.at(-1)).toContain('which ignores SIGTERM')
  })

  it('is what the spec says where it says something, with its layers on top', async () => {
    const config = {
      env: { NODE_ENV: 'test', PORT: '8080' },
      user: '5:6',
      cmd: ['node', 'x.js'],
      workingDir: '/',
    }
    const image = await imageOf(
      app,
      { writable: ['/data'] },
      { config, layers: [{ file: '/app/x.js', content: '' }] },
    )
    expect(configOf(image)).toMatchObject({
      Cmd: ['node', 'x.js'],
      Env: ['NODE_ENV=test', 'PORT=8080'],
      User: '5:6',
      WorkingDir: '/',
      ExposedPorts: { '8080/tcp': {} },
    })
    expect(image.platforms[0]?.layers.map(({ name }) => name)).toEqual(['dependencies', 'app', '/app/x.js'])
    const data = image.platforms[0]?.layers[1]?.entries.find(({ path }) => path === '/data')
    expect(data).toMatchObject({ uid: 5, gid: 6 })
  })

  it('has a preload that ends the app, where it is asked for', async () => {
    const image = await imageOf(app, { init: true, workingDir: '/srv/app' })
    expect(configOf(image)['Cmd']).toEqual(['node', '--require', '/srv/app/.ocibuild/init.cjs', 'server.js'])
    const paths = image.platforms[0]?.layers.at(-1)?.entries.map(({ path }) => path)
    expect(paths).toContain('/srv/app/.ocibuild/init.cjs')
  })
})

it('warns of a build that is older than a source', async () => {
  const root = makeProject({
    'package.json': { main: 'dist/main.js', scripts: { build: 'tsc' } },
    'dist/main.js': '',
    'src/main.ts': '',
  })
  utimesSync(join(root, 'dist/main.js'), 1_700_000_000, 1_700_000_000)
  expect((await plan(root)).warnings).toMatchObject([
    { code: 'OCB-NODE-STALE-BUILD', hint: 'run npm run build, or add it to prepare' },
  ])
  utimesSync(join(root, 'src/main.ts'), 1_600_000_000, 1_600_000_000)
  expect((await plan(root)).warnings).toEqual([])
})

it('gives layers that depend on what is installed and nothing else', async () => {
  const one = await imageOf(app)
  const other = await imageOf({
    ...app,
    'node_modules/.package-lock.json': '{"other":1}',
    'node_modules/.cache/x': '',
  })
  const shape = (image: ImagePlanView): unknown =>
    image.platforms[0]?.layers[0]?.entries.map(({ source: _source, ...entry }) => entry)
  expect(shape(other)).toEqual(shape(one))
  expect(existsSync(cacheDir)).toBe(true)
})

it('needs no config file', async () => {
  const root = makeProject({ ...app, '.nvmrc': '22.1.0' })
  // Offline the base cannot be resolved; that it is asked for tells which one was chosen.
  const error = await errorOf(() => createPlan({ cwd: root, cacheDir, environment, offline: true }))
  expect(error.message).toContain('docker.io/library/node:22.1.0-slim')
})
