import { afterAll, describe, expect, it } from 'vitest'
import { findClosure } from '../../../src/node/project/dependency-closure.ts'
import { detectProject } from '../../../src/node/project/detect-project.ts'
import { parseScript, scriptRunBy } from '../../../src/node/project/script-words.ts'
import { binPath, findStartCommand, type StartCommand } from '../../../src/node/project/start-command.ts'
import { errorOf, makeProject, removeProjects, type Files } from './project-kit.ts'

afterAll(removeProjects)

async function startOf(manifest: object, files: Files = {}, entry?: string): Promise<StartCommand> {
  const root = makeProject({ 'package.json': manifest, ...files })
  const project = await detectProject(root, undefined)
  return findStartCommand(project, entry, (command) => {
    for (const [nodeModules, packages] of findClosure(project).taken) {
      for (const item of packages.values()) {
        const path = binPath(project, nodeModules, item, command)
        if (path !== undefined) return { path, package: item }
      }
    }
    return undefined
  })
}

const start = (script: string, more: object = {}): object => ({ scripts: { start: script }, ...more })

describe('a script', () => {
  it.each<[string, readonly string[], Record<string, string>]>([
    ['node server.js', ['node', 'server.js'], {}],
    ["PORT=80 NODE_ENV='a b' node  server.js", ['node', 'server.js'], { PORT: '80', NODE_ENV: 'a b' }],
    ['cross-env A=1 B="x y" node "my server.js"', ['node', 'my server.js'], { A: '1', B: 'x y' }],
    ['exec node a\\ b.js ""', ['node', 'a b.js', ''], {}],
  ])('%s is words', (script, words, env) => {
    expect(parseScript(script)).toEqual({ words, env })
  })

  it.each([
    ['a && b', '"&&" needs a shell'],
    ['node $FILE', '"$" needs a shell'],
    ['node a.js > log', '">" needs a shell'],
    ['node "a', 'a " is not closed'],
    ['node *.js', '"*" needs a shell'],
    ['A=1', 'it runs no command'],
  ])('%s needs a shell', (script, why) => {
    expect(parseScript(script)).toEqual({ why })
  })

  it('may run another', () => {
    expect(scriptRunBy(['npm', 'run', 'serve'])).toBe('serve')
    expect(scriptRunBy(['pnpm', 'serve'])).toBe('serve')
    expect(scriptRunBy(['npm', 'start'])).toBe('start')
    expect(scriptRunBy(['npm', 'ci'])).toBeUndefined()
    expect(scriptRunBy(['npm', 'run', 'x', '--', '-a'])).toBeUndefined()
    expect(scriptRunBy(['node', 'run'])).toBeUndefined()
  })
})

describe('the command', () => {
  it('is that of the start script, without npm and shell', async () => {
    const found = await startOf(start('PORT=8080 node --enable-source-maps dist/main', {}), {
      'dist/main.js': '',
    })
    expect(found).toMatchObject({
      cmd: ['node', '--enable-source-maps', 'dist/main'],
      env: { PORT: '8080' },
      port: 8080,
      needed: ['dist/main.js'],
      reason: 'scripts.start of package.json',
    })
  })

  it('follows scripts to the one that runs node', async () => {
    const scripts = { start: 'npm run serve', serve: 'A=1 node -r ./setup.js ./server.js --flag' }
    const found = await startOf({ scripts }, { 'server.js': '', 'setup.js': '' })
    expect(found.cmd).toEqual(['node', '-r', './setup.js', './server.js', '--flag'])
    expect(found.needed).toEqual(['server.js', 'setup.js'])
  })

  it('runs the program of a production dependency by its file', async () => {
    const found = await startOf(start('serve public', { dependencies: { serve: '1' } }), {
      'node_modules/serve/package.json': { name: 'serve', bin: './cli' },
      'node_modules/serve/cli': '#!/usr/bin/env node\n',
    })
    expect(found.cmd).toEqual(['node', 'node_modules/serve/cli', 'public'])
  })

  it.each<[string, object, Files, readonly string[], string]>([
    ['main', { main: './lib' }, { 'lib/index.js': '' }, ['node', 'lib/index.js'], 'main of package.json'],
    ['bin', { name: 'x', bin: 'cli.js' }, { 'cli.js': '' }, ['node', 'cli.js'], 'bin of package.json'],
    ['the usual name', {}, { 'app.js': '' }, ['node', 'app.js'], 'its usual name'],
  ])('comes from %s where there is no script', async (_title, manifest, files, cmd, reason) => {
    expect(await startOf(manifest, files)).toMatchObject({ cmd, reason })
  })

  it('is what the user says before all else', async () => {
    const found = await startOf(start('a && b'), { 'x/y.js': '' }, './x/y')
    expect(found).toMatchObject({ cmd: ['node', 'x/y.js'], reason: 'node.entry' })
  })

  it.each<[string, object, string, string?]>([
    ['a shell', start('node a.js | tee log'), '"|" needs a shell', "'a.js' }, and run the rest in a step"],
    ['a tool', start('nodemon a.js'), 'nodemon is no program of a production dependency', "'a.js' }"],
    [
      'a tool of development',
      { scripts: { start: 'tsx src/a.ts', 'start:prod': 'node dist/main' }, devDependencies: { tsx: '1' } },
      'tsx is a devDependency, which is not in the image',
      "take the file of scripts.start:prod: name the file to run with node: { entry: 'dist/main' }",
    ],
    [
      'a loader that does not ship',
      start('node --import tsx a.js', { devDependencies: { tsx: '1' } }),
      'it loads tsx, a devDependency',
      "'a.js' }",
    ],
    ['a file of variables', start('node --env-file=.env a.js'), 'it reads .env', "'a.js' }"],
    ['code in place of a file', start('node -e 1'), 'it names no file'],
    ['a circle', { scripts: { start: 'npm run a', a: 'npm start' } }, 'without end'],
  ])('is refused where it is %s', async (_title, manifest, why, hint = "node: { entry: 'FILE' }") => {
    const error = await errorOf(() => startOf(manifest, { 'a.js': '' }))
    expect(error.code).toBe('OCB-NODE-START')
    expect(error.message).toContain(why)
    expect(error.hint).toContain(hint)
  })

  it('says which scripts around it are not run', async () => {
    const scripts = { prestart: 'node b.js', start: 'npm run serve', postserve: 'x', serve: 'node a.js' }
    expect(await startOf({ scripts }, { 'a.js': '' })).toMatchObject({
      cmd: ['node', 'a.js'],
      notRun: ['prestart', 'postserve'],
    })
  })

  it('says which build has not run', async () => {
    const manifest = { scripts: { start: 'node dist/main.js', build: 'tsc' }, packageManager: 'pnpm@9.0.0' }
    expect(await errorOf(() => startOf(manifest))).toMatchObject({
      code: 'OCB-NODE-NOT-BUILT',
      hint: "run pnpm run build, or add it: prepare: ['pnpm run build']",
    })
    const gone = await errorOf(() => startOf(start('node gone.js')))
    expect(gone.code).toBe('OCB-NODE-ENTRY-MISSING')
    const out = await errorOf(() => startOf(start('node ../x.js', {})))
    expect(out.message).toContain('which lies outside of it')
  })
})

describe('a framework', () => {
  const uses = (name: string, script?: string): object => ({
    dependencies: { [name]: '1' },
    scripts: { build: 'b', ...(script !== undefined && { start: script }) },
  })

  it.each<[string, object, Files, object]>([
    [
      'Next.js standalone',
      uses('next', 'next start'),
      { '.next/standalone/server.js': '', '.next/static/a.js': '', 'public/a.txt': '' },
      {
        cmd: ['node', 'server.js'],
        env: { HOSTNAME: '0.0.0.0', PORT: '3000' },
        port: 3000,
        writable: ['.next/cache'],
        standalone: {
          parts: [
            { from: '.next/standalone', to: '' },
            { from: '.next/static', to: '.next/static' },
            { from: 'public', to: 'public' },
          ],
          workingPath: '',
        },
      },
    ],
    [
      'Next.js without it',
      uses('next', 'next start -p 80'),
      {
        '.next/BUILD_ID': 'x',
        'node_modules/next/package.json': { name: 'next', bin: { next: 'dist/bin/next' } },
        'node_modules/next/dist/bin/next': '#!/usr/bin/env node\n',
      },
      { cmd: ['node', 'node_modules/next/dist/bin/next', 'start', '-p', '80'], port: 80 },
    ],
    [
      'Nuxt',
      uses('nuxt'),
      { '.output/server/index.mjs': '' },
      { cmd: ['node', '.output/server/index.mjs'], port: 3000 },
    ],
    [
      'SvelteKit',
      uses('@sveltejs/adapter-node'),
      { 'build/index.js': '' },
      { cmd: ['node', 'build/index.js'], port: 3000 },
    ],
    [
      'Astro',
      uses('@astrojs/node', 'astro preview'),
      { 'dist/server/entry.mjs': '' },
      { cmd: ['node', 'dist/server/entry.mjs'], env: { HOST: '0.0.0.0', PORT: '4321' }, port: 4321 },
    ],
    [
      'NestJS',
      uses('@nestjs/core', 'nest start'),
      { 'dist/main.js': '' },
      { cmd: ['node', 'dist/main.js'], port: undefined },
    ],
    [
      'Remix',
      uses('@remix-run/serve', 'remix-serve ./build/server/index.js'),
      {
        'build/server/index.js': '',
        'node_modules/@remix-run/serve/package.json': {
          name: '@remix-run/serve',
          bin: { 'remix-serve': 'dist/cli.js' },
        },
        'node_modules/@remix-run/serve/dist/cli.js': '',
      },
      { cmd: ['node', 'node_modules/@remix-run/serve/dist/cli.js', './build/server/index.js'] },
    ],
  ])('%s is started by what it built', async (_title, manifest, files, found) => {
    expect(await startOf(manifest, files)).toMatchObject(found)
  })

  it.each([
    ['next', 'there is no .next'],
    ['nuxt', 'there is no .output'],
    ['@nestjs/core', 'there is no dist/main.js'],
  ])('%s says that it has not been built', async (name, missing) => {
    const error = await errorOf(() => startOf(uses(name)))
    expect(error.code).toBe('OCB-NODE-NOT-BUILT')
    expect(error.message).toContain(missing)
  })
})

describe('the root of a monorepo', () => {
  it.each([[{ workspaces: ['apps/*'] }], [start('npm start -w apps/web', { workspaces: ['apps/*'] })]])(
    'that is no app itself (%j) is told of init',
    async (manifest) => {
      const files = { 'apps/web/package.json': start('node a.js') }
      const error = await errorOf(() => startOf(manifest, files))
      expect(error.code).toBe('OCB-NODE-START')
      expect(error.hint).toContain('let ocibuild init write an image for each app')
      const single = await errorOf(() => startOf({ ...manifest, workspaces: undefined }))
      expect(single.hint).toContain("name the file to run with node: { entry: 'FILE' }")
    },
  )
})
