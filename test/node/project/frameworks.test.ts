/** What frameworks build, however a project's scripts start it. */

import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { ImagePlanView } from '../../../src/build-types.ts'
import { createPlan } from '../../../src/build.ts'
import { processEnvironment } from '../../../src/environment.ts'
import { errorOf, makeProject, removeProjects, type Files } from './project-kit.ts'

afterAll(removeProjects)

const cacheDir = join(makeProject({}), 'cache')
const environment = { ...processEnvironment(), variables: {} }

async function imageOf(files: Files, node: object | true = true): Promise<ImagePlanView> {
  const spec = { node, base: 'scratch', created: 'epoch' } as const
  const { images } = await createPlan({ cwd: makeProject(files), cacheDir, environment, offline: true, spec })
  const [image] = images
  if (image === undefined) throw new Error('no image')
  return image
}

const configOf = (image: ImagePlanView): Readonly<Record<string, unknown>> => image.platforms[0]?.config ?? {}

function pathsOf(image: ImagePlanView): readonly string[] {
  const entries = image.platforms[0]?.layers.flatMap((layer) => layer.entries) ?? []
  return entries.filter(({ type }) => type !== 'directory').map(({ path }) => path.slice('/app/'.length))
}

const next = {
  'package.json': { name: 'web', dependencies: { next: '1' }, scripts: { start: 'next start' } },
  '.next/standalone/server.js': '',
  '.next/standalone/node_modules/next/a.js': '',
  '.next/static/b.js': '',
  'public/c.txt': '',
} satisfies Files

describe('Next.js', () => {
  it.each([
    'node .next/standalone/server.js',
    'HOSTNAME=:: node --enable-source-maps ./.next/standalone/server',
  ])('is standalone when it is started by "%s"', async (start) => {
    const manifest = { name: 'web', dependencies: { next: '1' }, scripts: { start } }
    const image = await imageOf({ ...next, 'package.json': manifest })
    expect(pathsOf(image)).toEqual([
      'node_modules/next/a.js',
      '.next/static/b.js',
      'public/c.txt',
      'server.js',
    ])
    expect(configOf(image)).toMatchObject({
      Cmd: start.includes('maps') ? ['node', '--enable-source-maps', 'server.js'] : ['node', 'server.js'],
      Env: ['NODE_ENV=production', `HOSTNAME=${start.includes('::') ? '::' : '0.0.0.0'}`, 'PORT=3000'],
      ExposedPorts: { '3000/tcp': {} },
    })
    expect(image.decisions).toContain('signals: the server of Next.js standalone ends on SIGTERM itself')
  })

  it.each([
    ['next start -p 4000', '4000'],
    ['PORT=4000 next start', '4000'],
    ['next start -p $PORT', '3000'],
    ['next start --port ${PORT:-4000}', '3000'],
  ])('listens where "%s" says', async (start, port) => {
    const manifest = { name: 'web', dependencies: { next: '1' }, scripts: { start } }
    const image = await imageOf({ ...next, 'package.json': manifest })
    expect(configOf(image)).toMatchObject({
      Cmd: ['node', 'server.js'],
      Env: ['NODE_ENV=production', 'HOSTNAME=0.0.0.0', `PORT=${port}`],
      ExposedPorts: { [`${port}/tcp`]: {} },
    })
  })

  it('is standalone in the layout of the folder that it was traced from', async () => {
    const image = await imageOf({
      'package.json': next['package.json'],
      '.next/required-server-files.json': { relativeAppDir: 'apps/web' },
      '.next/standalone/apps/web/server.js': '',
      '.next/standalone/node_modules/next/a.js': '',
      '.next/static/b.js': '',
    })
    expect(pathsOf(image)).toEqual([
      'node_modules/next/a.js',
      'apps/web/.next/static/b.js',
      'apps/web/server.js',
    ])
    expect(configOf(image)).toMatchObject({ WorkingDir: '/app/apps/web' })
  })

  it('is whole, with its own server, where it was built so', async () => {
    const image = await imageOf({
      'package.json': next['package.json'],
      '.next/BUILD_ID': 'x',
      'node_modules/next/package.json': { name: 'next', bin: { next: 'cli.js' } },
      'node_modules/next/cli.js': '',
      '.dockerignore': '.next\n',
    })
    expect(pathsOf(image)).toEqual(
      expect.arrayContaining(['.next/BUILD_ID', 'node_modules/next/cli.js', 'package.json']),
    )
    expect(configOf(image)).toMatchObject({ Cmd: ['node', 'node_modules/next/cli.js', 'start'] })
    const [command, signals] = image.decisions.slice(-2)
    expect(command).toContain('(the output of Next.js; with output "standalone"')
    expect(signals).toBe('signals: the server of Next.js ends on SIGTERM itself')
  })

  it('may write the pages that it makes anew, and its cache', async () => {
    const writable = async (manifest: object): Promise<readonly string[]> => {
      const image = await imageOf({
        ...next,
        '.next/standalone/.next/server/app/page.js': '',
        '.next/server/app/page.js': '',
        '.next/prerender-manifest.json': manifest,
      })
      const entries = image.platforms[0]?.layers.at(-1)?.entries ?? []
      return entries.filter(({ type, uid }) => type === 'directory' && uid !== 0).map(({ path }) => path)
    }
    const still = { routes: { '/': { initialRevalidateSeconds: false } }, dynamicRoutes: {} }
    expect(await writable(still)).toEqual(['/app/.next/cache'])
    const both = ['/app/.next/cache', '/app/.next/server/app']
    expect(await writable({ ...still, routes: { '/': { initialRevalidateSeconds: 60 } } })).toEqual(both)
    expect(await writable({ ...still, dynamicRoutes: { '/[id]': { fallback: null } } })).toEqual(both)
    expect(await writable({ ...still, dynamicRoutes: { '/[id]': { fallback: false } } })).toEqual([
      '/app/.next/cache',
    ])
  })

  it('ships no variables that its build copied, and is left out by paths of the package', async () => {
    const files = { ...next, '.next/standalone/.env': 'TOKEN=1' }
    const error = await errorOf(() => imageOf(files))
    expect(error.code).toBe('OCB-NODE-SECRET')
    expect(error.hint).toContain("exclude: ['.next/standalone/.env']")
    const image = await imageOf(files, { exclude: ['.next/standalone/.env', 'public'] })
    expect(pathsOf(image)).toEqual(['node_modules/next/a.js', '.next/static/b.js', 'server.js'])
    expect(pathsOf(await imageOf(files, { allow: ['.next/standalone/.env'] }))).toContain('.env')
  })
})

describe('others', () => {
  it.each<[string, object, string, readonly string[], readonly string[]]>([
    [
      'Astro',
      { dependencies: { '@astrojs/node': '1' }, scripts: { start: 'node ./dist/server/entry.mjs' } },
      'dist/server/entry.mjs',
      ['node', './dist/server/entry.mjs'],
      ['HOST=0.0.0.0', 'PORT=4321'],
    ],
    [
      'SvelteKit',
      { devDependencies: { '@sveltejs/adapter-node': '1' }, scripts: { start: 'node build' } },
      'build/index.js',
      ['node', 'build'],
      [],
    ],
    [
      'Nuxt',
      { devDependencies: { nuxt: '1' }, scripts: { start: 'node .output/server/index.mjs' } },
      '.output/server/index.mjs',
      ['node', '.output/server/index.mjs'],
      [],
    ],
  ])('%s is known by the file that is started', async (name, words, file, cmd, env) => {
    const installed = { 'node_modules/@astrojs/node/package.json': { name: '@astrojs/node' } }
    const image = await imageOf({ 'package.json': { name: 'app', ...words }, [file]: '', ...installed })
    expect(configOf(image)).toMatchObject({ Cmd: cmd, Env: ['NODE_ENV=production', ...env] })
    expect(configOf(image)).toHaveProperty('ExposedPorts')
    const command = image.decisions.find((line) => line.startsWith('command:'))
    expect(command).toBe(`command: ${cmd.join(' ')} (scripts.start of package.json, the output of ${name})`)
  })

  it('keep their own command where the app is another file', async () => {
    const image = await imageOf({
      'package.json': {
        name: 'app',
        devDependencies: { '@sveltejs/adapter-node': '1' },
        scripts: { start: 'node server.js' },
      },
      'build/handler.js': '',
      'build/index.js': '',
      'server.js': '',
    })
    expect(configOf(image)).toMatchObject({ Cmd: ['node', 'server.js'] })
    expect(pathsOf(image)).toContain('build/handler.js')
  })
})
