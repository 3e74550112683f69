import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { detectProject } from '../../../src/node/project/detect-project.ts'
import { errorOf, makeProject, removeProjects, type Files } from './project-kit.ts'

afterAll(removeProjects)

describe('the package manager', () => {
  it.each<[string, Files, string, string]>([
    ['a lockfile of npm', { 'package-lock.json': '{}' }, 'npm', 'package-lock.json'],
    ['a lockfile of pnpm', { 'pnpm-lock.yaml': '' }, 'pnpm', 'pnpm-lock.yaml'],
    ['a lockfile of yarn', { 'yarn.lock': '' }, 'yarn', 'yarn.lock'],
    ['a lockfile of bun', { 'bun.lock': '{}' }, 'bun', 'bun.lock'],
    [
      'the field',
      { 'package.json': { packageManager: 'pnpm@9.8.0' } },
      'pnpm',
      'packageManager of package.json',
    ],
    [
      'a lockfile before the field',
      { 'package.json': { packageManager: 'pnpm@9.8.0' }, 'bun.lockb': '' },
      'bun',
      'bun.lockb',
    ],
    ['what it left', { 'node_modules/.modules.yaml': '' }, 'pnpm', 'node_modules/.modules.yaml'],
    ['nothing', {}, 'npm', 'nothing says otherwise'],
  ])('is known by %s', async (_title, files, name, reason) => {
    const { manager } = await detectProject(makeProject({ 'package.json': {}, ...files }), undefined)
    expect(manager).toEqual({ name, reason, install: `${name} install` })
  })
})

describe('a monorepo', () => {
  const packages = {
    'packages/api/package.json': { name: '@acme/api' },
    'packages/web/package.json': { name: '@acme/web' },
    'packages/none/README.md': '',
    'packages/api/node_modules/x/package.json': { name: 'x' },
    'tools/deep/er/package.json': { name: 'deeper' },
  }

  it.each<[string, Files, readonly string[]]>([
    [
      'npm and bun',
      { 'package.json': { workspaces: ['packages/*', './tools/deep/er'] } },
      ['packages/api', 'packages/web', 'tools/deep/er'],
    ],
    [
      'yarn 1',
      { 'package.json': { workspaces: { packages: ['packages/*', '!packages/web'] } } },
      ['packages/api'],
    ],
    [
      'pnpm',
      { 'package.json': {}, 'pnpm-workspace.yaml': 'packages:\n  - .\n  - "packages/**"\n  - "!**/web"\n' },
      ['packages/api'],
    ],
    [
      'pnpm with settings alone',
      { 'package.json': { workspaces: ['tools/**'] }, 'pnpm-workspace.yaml': 'shamefullyHoist: true\n' },
      ['tools/deep/er'],
    ],
  ])('is read as %s writes it', async (_title, files, paths) => {
    const root = makeProject({ ...packages, ...files })
    const { workspaces, path } = await detectProject(root, undefined)
    expect(workspaces.map((item) => item.path)).toEqual(paths)
    expect(path).toBe('')
  })

  it('is found from one of its packages, and its packages by name and by folder', async () => {
    const root = makeProject({
      ...packages,
      'package.json': { workspaces: ['packages/*'] },
      'yarn.lock': '',
      'other/package.json': { name: 'other' },
    })
    const fromPackage = await detectProject(join(root, 'packages/api'), undefined)
    expect(fromPackage).toMatchObject({ root, path: 'packages/api', manager: { name: 'yarn' } })
    expect(await detectProject(root, '@acme/web')).toMatchObject({ root, path: 'packages/web' })
    expect(await detectProject(root, 'packages/web')).toMatchObject({ root, path: 'packages/web' })
    // A package that is no workspace stands for itself.
    expect(await detectProject(join(root, 'other'), undefined)).toMatchObject({
      root: join(root, 'other'),
      path: '',
      workspaces: [],
    })
  })

  it('says which packages there are', async () => {
    const root = makeProject({ ...packages, 'package.json': { workspaces: ['packages/*'] } })
    expect(await errorOf(() => detectProject(root, '@acme/wep'))).toMatchObject({
      code: 'OCB-NODE-PACKAGE',
      message: `node.package "@acme/wep" is no package of ${root}; it has @acme/api, @acme/web`,
      hint: 'did you mean @acme/web?',
    })
  })

  it('names a workspace file that is no YAML', async () => {
    const root = makeProject({ 'package.json': {}, 'pnpm-workspace.yaml': 'packages: [' })
    expect(await errorOf(() => detectProject(root, undefined))).toMatchObject({ code: 'OCB-NODE-WORKSPACES' })
  })
})

it('needs a package.json', async () => {
  const root = makeProject({ 'index.js': '' })
  expect(await errorOf(() => detectProject(root, undefined))).toMatchObject({ code: 'OCB-NODE-NO-PACKAGE' })
})

it("knows Plug'n'Play by its file", async () => {
  const root = makeProject({ 'package.json': {}, 'yarn.lock': '', '.pnp.cjs': '' })
  expect(await detectProject(root, undefined)).toMatchObject({
    isPlugAndPlay: true,
    manager: { name: 'yarn' },
  })
})
