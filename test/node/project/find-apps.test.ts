/** Which packages of a monorepo become images, and what the images are called. */

import { afterAll, expect, it } from 'vitest'
import { detectProject } from '../../../src/node/project/detect-project.ts'
import { findApps } from '../../../src/node/project/find-apps.ts'
import { makeProject, removeProjects, type Files } from './project-kit.ts'

afterAll(removeProjects)

async function apps(files: Files, root: object = {}): Promise<readonly (readonly [string, string])[]> {
  const folder = makeProject({ 'package.json': { workspaces: ['*', 'libs/*'], ...root }, ...files })
  return findApps(await detectProject(folder, undefined)).map(({ image, path }) => [image, path] as const)
}

const start = { scripts: { start: 'node a.js' } }

it.each<[string, object, Files, boolean]>([
  ['with a start script', start, {}, true],
  ['of a framework, built or not', { devDependencies: { next: '1' } }, {}, true],
  ['that is private and has a program', { private: true, main: 'a.js' }, { 'app/a.js': '' }, true],
  ['that is private and has none', { private: true, main: 'a.js' }, {}, false],
  ['that is published', { main: 'a.js' }, { 'app/a.js': '' }, false],
  [
    'that others import',
    { name: 'app', private: true, main: 'a.js' },
    { 'app/a.js': '', 'libs/x/package.json': { devDependencies: { app: '*' } } },
    false,
  ],
])('a package %s: %j', async (_title, words, files, isApp) => {
  expect(await apps({ 'app/package.json': words, ...files })).toEqual(isApp ? [['app', 'app']] : [])
})

it('the root is one where node itself is started, and not its packages by their manager', async () => {
  expect(await apps({}, { name: 'all', ...start })).toEqual([['all', '']])
  expect(await apps({}, { scripts: { start: 'PORT=1 node a.js' } })).toHaveLength(1)
  expect(await apps({}, { scripts: { start: 'npm start -w app' } })).toEqual([])
})

it('images are called as packages without scope, and two are never called the same', async () => {
  const files = {
    'web/package.json': { name: '@one/web', ...start },
    'libs/web/package.json': { name: '@two/web', ...start },
    'libs/Ünï/package.json': { ...start },
  }
  expect(await apps(files)).toEqual([
    ['web', 'libs/web'],
    ['n', 'libs/Ünï'],
    ['one-web', 'web'],
  ])
})
