/** Real monorepos: two apps and a package that they share, installed by pnpm and by Yarn with Plug'n'Play. */

import { expect, it } from 'vitest'
import { dependenciesOf, differences, pick } from './list-tree.ts'
import type { ProjectRecipe } from './real-project.ts'
import { describeProject } from './run-project.ts'

const shared = {
  'packages/shared/package.json': {
    name: '@acme/shared',
    version: '1.0.0',
    main: 'lib/index.js',
    files: ['lib'],
    dependencies: { semver: '7.6.3' },
    devDependencies: { 'left-pad': '1.3.0' },
  },
  'packages/shared/lib/index.js': `exports.newest = (...versions) => require('semver').rsort(versions)[0]\n`,
  'packages/shared/src/index.ts': `export {}\n`,
}

const express = `const { newest } = require('@acme/shared')
const app = require('express')()
app.get('/', (request, response) => response.json({ newest: newest('1.2.3', '2.0.0'), user: process.getuid(), cwd: process.cwd() }))
app.listen(process.env.SOCKET)
`

const pnpm: ProjectRecipe = {
  name: 'pnpm-monorepo',
  manager: 'pnpm',
  install: ['install', '--ignore-scripts'],
  production: {
    api: {
      install: ['install', '--prod', '--frozen-lockfile', '--ignore-scripts', '--filter', '@acme/api...'],
    },
    jobs: {
      install: ['install', '--prod', '--frozen-lockfile', '--ignore-scripts', '--filter', '@acme/jobs...'],
    },
  },
  files: {
    ...shared,
    'package.json': { name: 'acme', private: true, devDependencies: { rimraf: '5.0.10' } },
    'pnpm-workspace.yaml': 'packages:\n  - apps/*\n  - packages/*\n',
    'oci.config.json': {
      defaults: { base: 'host:node', created: 'epoch', metadata: 'package' },
      images: {
        api: { tags: ['api'], node: { package: '@acme/api' } },
        jobs: { tags: ['jobs'], node: { package: 'apps/jobs' } },
      },
    },
    'apps/api/package.json': {
      name: '@acme/api',
      scripts: { start: 'node server.js' },
      dependencies: { '@acme/shared': 'workspace:*', express: '4.21.2' },
    },
    'apps/api/server.js': express,
    'apps/jobs/package.json': {
      name: '@acme/jobs',
      type: 'module',
      main: 'jobs.js',
      dependencies: { '@acme/shared': 'workspace:^', picocolors: '1.1.1' },
      devDependencies: { express: '4.21.2' },
    },
    'apps/jobs/jobs.js': `import colors from 'picocolors'
import { newest } from '@acme/shared'
console.log(typeof colors.red, newest('1.0.0', '1.0.1'), await import('express').catch(({ code }) => code))
`,
  },
}

describeProject(
  'a monorepo of pnpm with two apps',
  pnpm,
  (built) => {
    it('is an image each, that runs', async () => {
      const answer = await built().image('api').ask('/', ['SOCKET=/tmp/app.sock'])
      expect(answer).toBe('200 {"newest":"2.0.0","user":1000,"cwd":"/app/apps/api"}')
      const { stdout, stderr } = await built().image('jobs').run()
      expect(`${stdout}${stderr}`).toBe('function 1.0.1 ERR_MODULE_NOT_FOUND\n')
    })

    // pnpm's commands are scripts that hold paths of this machine; ours are links. It links the apps as well.
    const keep = (path: string): boolean => !/\/\.bin\/|\.pnpm\/node_modules\/@acme\/(?:api|jobs)$/.test(path)

    it.each(['api', 'jobs'])('has in %s the packages that pnpm installs for production', (name) => {
      const { project, image } = built()
      const { files } = image(name)
      const own = dependenciesOf(project.production[name] ?? {}, keep)
      expect(differences(dependenciesOf(files, keep), own)).toEqual([])
      expect(Object.keys(files).filter((path) => path.startsWith('packages/'))).toContain(
        'packages/shared/lib/index.js',
      )
      expect(files).not.toHaveProperty(['packages/shared/src/index.ts'])
    })
  },
  { images: ['api', 'jobs'] },
)

const focus = ['workspaces', 'focus', '--production', '@acme/api']

const plugAndPlay: ProjectRecipe = {
  name: 'plug-and-play',
  manager: 'yarn4',
  install: ['install', '--mode=skip-build'],
  production: { '': { install: focus, env: { YARN_ENABLE_GLOBAL_CACHE: 'false' } } },
  env: { YARN_NODE_LINKER: 'pnp' },
  files: {
    ...shared,
    'package.json': { name: 'acme', private: true, workspaces: ['apps/*', 'packages/*'] },
    'yarn.lock': '',
    'apps/api/package.json': {
      name: '@acme/api',
      type: 'module',
      scripts: { start: 'node server.js' },
      dependencies: { '@acme/shared': 'workspace:*', express: '4.21.2', sharp: '0.34.5' },
      devDependencies: { rimraf: '5.0.10' },
    },
    'apps/api/server.js': `import express from 'express'
import sharp from 'sharp'
import shared from '@acme/shared'
const absent = await import('rimraf').catch(({ code }) => code)
express()
  .get('/', async (request, response) => {
    const image = sharp({ create: { width: 8, height: 4, channels: 3, background: 'red' } })
    const { info } = await image.webp().toBuffer({ resolveWithObject: true })
    response.json({ newest: shared.newest('1.2.3', '2.0.0'), format: info.format, absent })
  })
  .listen(process.env.SOCKET)
`,
    'apps/other/package.json': { name: '@acme/other', dependencies: { ms: '2.1.3' } },
  },
}

describeProject(
  "a monorepo of Yarn with Plug'n'Play",
  plugAndPlay,
  (built) => {
    it('runs from archives and unplugged folders', async () => {
      const answer = await built().image().ask('/', ['SOCKET=/tmp/app.sock'])
      expect(answer).toBe('200 {"newest":"2.0.0","format":"webp","absent":"MODULE_NOT_FOUND"}')
    })

    it('has the packages that Yarn installs for production, byte by byte', () => {
      const { project, image } = built()
      const production = project.production[''] ?? {}
      // Yarn fetches what it unplugs as an archive, too, and what a package for other systems needs.
      const isOther = /\/(?:sharp|@img-sharp|@emnapi-runtime|tslib)-[^/]*\.zip$/
      const archives = (tree: typeof production): readonly string[] =>
        Object.values(pick(tree, (path) => path.endsWith('.zip') && !isOther.test(path))).sort()
      expect(archives(image().files)).toEqual(archives(production))
      expect(archives(production).length).toBeGreaterThan(60)
      const unplugged = (path: string): boolean => /^\.yarn\/unplugged\/.*\/node_modules\//.test(path)
      expect(differences(pick(image().files, unplugged), pick(production, unplugged))).toEqual([])
    })
  },
  { within: 'apps/api' },
)
