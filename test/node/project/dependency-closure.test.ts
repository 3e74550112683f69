import { relative } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { findClosure, type DependencyClosure } from '../../../src/node/project/dependency-closure.ts'
import { detectProject } from '../../../src/node/project/detect-project.ts'
import { errorOf, makeProject, removeProjects, type Files } from './project-kit.ts'

afterAll(removeProjects)

/** A package with dependencies of each kind: `pkg('a', ['b'])`. */
function pkg(name: string, dependencies: readonly string[] = [], more: object = {}): object {
  return { name, dependencies: Object.fromEntries(dependencies.map((item) => [item, '*'])), ...more }
}

async function closureOf(
  root: string,
  wanted?: string,
  fits?: Parameters<typeof findClosure>[1],
): Promise<DependencyClosure> {
  return findClosure(await detectProject(root, wanted), fits)
}

/** Folders below the root, and links as `path -> target`. */
async function shape(
  files: Files,
  wanted?: string,
): Promise<Record<'packages' | 'workspaces' | 'links', string[]>> {
  const root = makeProject(files)
  const { packages, workspaces, links } = await closureOf(root, wanted)
  return {
    packages: packages.map(({ folder }) => relative(root, folder)),
    workspaces: workspaces.map(({ folder }) => relative(root, folder)),
    links: links.map(({ hostPath, target }) => `${relative(root, hostPath)} -> ${relative(root, target)}`),
  }
}

describe('a tree of plain folders', () => {
  it('gives what is asked for, nested before hoisted, and nothing else', async () => {
    const found = await shape({
      'package.json': pkg('app', ['a'], { devDependencies: { dev: '*' } }),
      'node_modules/a/package.json': pkg('a', ['b', '@s/c']),
      'node_modules/a/node_modules/b/package.json': pkg('b', ['d']),
      'node_modules/b/package.json': pkg('b'),
      'node_modules/@s/c/package.json': pkg('@s/c'),
      'node_modules/d/package.json': pkg('d'),
      'node_modules/dev/package.json': pkg('dev', ['only-dev']),
      'node_modules/only-dev/package.json': pkg('only-dev'),
    })
    expect(found.packages).toEqual([
      'node_modules/@s/c',
      'node_modules/a',
      'node_modules/a/node_modules/b',
      'node_modules/d',
    ])
    expect(found.links).toEqual([])
  })

  it('takes optional ones and peers where they are, and those inside a package', async () => {
    const found = await shape({
      'package.json': pkg('app', ['a'], { optionalDependencies: { gone: '*', there: '*' } }),
      'node_modules/a/package.json': pkg('a', [], {
        peerDependencies: { peer: '*', 'no-peer': '*' },
        bundleDependencies: ['inner'],
      }),
      'node_modules/a/node_modules/inner/package.json': pkg('inner'),
      'node_modules/there/package.json': pkg('there'),
      'node_modules/peer/package.json': pkg('peer'),
    })
    expect(found.packages).toEqual([
      'node_modules/a',
      'node_modules/a/node_modules/inner',
      'node_modules/peer',
      'node_modules/there',
    ])
  })

  it('ends where packages need each other', async () => {
    const found = await shape({
      'package.json': pkg('app', ['a']),
      'node_modules/a/package.json': pkg('a', ['b']),
      'node_modules/b/package.json': pkg('b', ['a', 'b']),
    })
    expect(found.packages).toEqual(['node_modules/a', 'node_modules/b'])
  })

  it('takes what prisma generates beside its client', async () => {
    const found = await shape({
      'package.json': pkg('app', ['@prisma/client']),
      'node_modules/@prisma/client/package.json': pkg('@prisma/client'),
      'node_modules/.prisma/client/index.js': '',
    })
    expect(found.packages).toEqual(['node_modules/.prisma', 'node_modules/@prisma/client'])
  })

  it('leaves out an optional one of another platform, and remembers it', async () => {
    const root = makeProject({
      'package.json': pkg('app', [], { optionalDependencies: { mac: '*' } }),
      'node_modules/mac/package.json': pkg('mac', [], { os: ['darwin'] }),
    })
    const closure = await closureOf(root, undefined, ({ os }) => !os.includes('darwin'))
    expect(closure.packages).toEqual([])
    expect(closure.leftOut.map(({ name, by }) => [name, by.name])).toEqual([['mac', 'app']])
  })
})

describe('a tree of links', () => {
  const store = 'node_modules/.pnpm'
  const pnpm = {
    'package.json': pkg('app', ['a'], { devDependencies: { dev: '*' } }),
    'node_modules/a': '-> .pnpm/a@1/node_modules/a',
    'node_modules/dev': '-> .pnpm/dev@1/node_modules/dev',
    'node_modules/hoisted': '-> .pnpm/b@1/node_modules/b',
    [`${store}/a@1/node_modules/a/package.json`]: pkg('a', ['b']),
    [`${store}/a@1/node_modules/b`]: '-> ../../b@1/node_modules/b',
    [`${store}/b@1/node_modules/b/package.json`]: pkg('b'),
    [`${store}/dev@1/node_modules/dev/package.json`]: pkg('dev'),
    [`${store}/node_modules/b`]: '-> ../b@1/node_modules/b',
    [`${store}/node_modules/dev`]: '-> ../dev@1/node_modules/dev',
  }

  it('keeps the links of an isolated install, and hoisted ones to what was taken', async () => {
    expect(await shape(pnpm)).toEqual({
      packages: [`${store}/a@1/node_modules/a`, `${store}/b@1/node_modules/b`],
      workspaces: [],
      links: [
        `${store}/a@1/node_modules/b -> ${store}/b@1/node_modules/b`,
        `${store}/node_modules/b -> ${store}/b@1/node_modules/b`,
        `node_modules/a -> ${store}/a@1/node_modules/a`,
        `node_modules/hoisted -> ${store}/b@1/node_modules/b`,
      ],
    })
  })

  it('reaches workspace packages, and through them what they need, but not their tools', async () => {
    const found = await shape(
      {
        'package.json': { workspaces: ['packages/*'] },
        'packages/api/package.json': pkg('api', ['shared']),
        'packages/shared/package.json': pkg('shared', ['ms'], { devDependencies: { dev: '*' } }),
        'packages/other/package.json': pkg('other'),
        'node_modules/shared': '-> ../packages/shared',
        'node_modules/other': '-> ../packages/other',
        'packages/shared/node_modules/ms/package.json': pkg('ms'),
        'node_modules/dev/package.json': pkg('dev'),
      },
      'api',
    )
    expect(found).toEqual({
      packages: ['packages/shared/node_modules/ms'],
      workspaces: ['packages/shared'],
      links: ['node_modules/shared -> packages/shared'],
    })
  })

  it('follows a node_modules and a scope that are links themselves', async () => {
    const found = await shape({
      'package.json': pkg('app', ['a', '@s/b']),
      node_modules: '-> vendor/node_modules',
      'vendor/node_modules/a/package.json': pkg('a'),
      'vendor/node_modules/@s': '-> ../scope',
      'vendor/scope/b/package.json': pkg('@s/b'),
    })
    expect(found).toEqual({
      packages: ['vendor/node_modules/a'],
      workspaces: ['vendor/scope/b'],
      links: ['node_modules -> vendor/node_modules', 'vendor/node_modules/@s -> vendor/scope'],
    })
  })

  it('refuses one that leads out of the project', async () => {
    const away = makeProject({ 'package.json': pkg('lib') })
    const root = makeProject({ 'package.json': pkg('app', ['lib']), 'node_modules/lib': `-> ${away}` })
    const error = await errorOf(() => closureOf(root))
    expect(error.code).toBe('OCB-NODE-LINK-OUTSIDE')
    expect(error.message).toBe(
      `app needs "lib", and ${root}/node_modules/lib leads to ${away}, outside of ${root}: it would lead nowhere in the image`,
    )
  })
})

it('names all that is missing, who asks for it, and the command that installs it', async () => {
  const root = makeProject({
    'package.json': pkg('app', ['a', 'gone']),
    'pnpm-lock.yaml': '',
    'node_modules/a/package.json': pkg('a', ['b']),
    'node_modules/b': '-> nowhere',
  })
  const error = await errorOf(() => closureOf(root))
  expect(error).toMatchObject({ code: 'OCB-NODE-NOT-INSTALLED', hint: 'run pnpm install in the folder' })
  expect(error.problems.map(({ message }) => message)).toEqual([
    'app depends on "gone", which is not installed',
    'a depends on "b", which is not installed',
  ])
})
