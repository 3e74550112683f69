import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeWithPeers } from '../helpers/peers.ts'
import { repository, type Repository } from './affected-kit.ts'

const json = (value: object): string => JSON.stringify(value)

/** Apps a, b and c, of which a and b use a package of the monorepo; `dist` is made by a build and in no commit. */
function monorepo(images: object): Repository {
  const repo = repository({
    'oci.config.json': json({ defaults: { platforms: ['linux/amd64'], base: 'host:node' }, images }),
    'package.json': json({ name: 'root', private: true, workspaces: ['apps/*', 'libs/*'] }),
    'package-lock.json': '{}',
    '.gitignore': 'dist/\nnode_modules/\n',
    'apps/a/package.json': json({ name: 'a', version: '1.0.0', dependencies: { lib: '*' } }),
    'apps/a/src/main.ts': 'a',
    'apps/b/package.json': json({ name: 'b', version: '1.0.0', dependencies: { deep: '*' } }),
    'apps/b/main.js': 'b',
    'apps/c/package.json': json({ name: 'c', version: '1.0.0', devDependencies: { tool: '*' } }),
    'apps/c/main.js': 'c',
    'libs/lib/package.json': json({ name: 'lib', version: '1.0.0' }),
    'libs/lib/index.js': 'lib',
    'libs/deep/package.json': json({ name: 'deep', version: '1.0.0', dependencies: { lib: '*' } }),
    'libs/tool/package.json': json({ name: 'tool', version: '1.0.0' }),
    'docs/guide.md': 'g',
  })
  repo.write({ 'apps/a/dist/main.js': 'made', 'node_modules/x/package.json': '{}' })
  return repo
}

const nodeImages = {
  a: { node: { package: 'a' } },
  b: { node: { package: 'b' } },
  c: { node: { package: 'c' } },
}

const copyImages = {
  a: { layers: [{ copy: 'apps/a/dist', to: '/app' }] },
  b: { layers: [{ copy: 'apps/b/dist', to: '/app' }] },
  c: {
    layers: [
      { copy: 'node_modules', to: '/app/node_modules' },
      { copy: 'apps/c', to: '/app' },
    ],
  },
}

describeWithPeers('images of a monorepo', ['git'], () => {
  it.each<[string, string, object]>([
    ['a file of one app', 'apps/c/main.js', { c: 'apps/c/main.js: the app itself' }],
    [
      'a package that two use, one through another',
      'libs/lib/index.js',
      {
        a: 'libs/lib/index.js: the workspace package lib',
        b: 'libs/lib/index.js: the workspace package lib',
      },
    ],
    [
      'a package that one is made with',
      'libs/tool/new.js',
      { c: 'libs/tool/new.js: the workspace package tool' },
    ],
    ['what is in no package', 'docs/guide.md', {}],
    [
      'the lockfile',
      'package-lock.json',
      Object.fromEntries(
        ['a', 'b', 'c'].map((key) => [key, 'package-lock.json: what the dependencies are installed by']),
      ),
    ],
  ])('of Node.js projects are those that %s reaches', async (_, path, wanted) => {
    const repo = monorepo(nodeImages)
    expect(await repo.affected()).toEqual({})
    repo.write({ [path]: '{ }' })
    expect(await repo.affected()).toEqual(wanted)
  })

  it('made of folders that git ignores are those whose sources changed', async () => {
    const repo = monorepo(copyImages)
    expect(await repo.affected()).toEqual({})
    repo.write({ 'apps/a/src/main.ts': '2' })
    expect(await repo.affected()).toEqual({
      a: 'apps/a/src/main.ts: the package that apps/a/dist/ is made in',
    })
    repo.git('checkout', '-q', '.')
    // Not even made yet.
    repo.write({ 'libs/lib/index.js': '2' })
    expect(await repo.affected()).toEqual({
      a: 'libs/lib/index.js: the workspace package lib',
      b: 'libs/lib/index.js: the workspace package lib',
    })
    repo.git('checkout', '-q', '.')
    repo.write({ 'package-lock.json': '{ }' })
    expect(Object.keys(await repo.affected())).toEqual(['a', 'b', 'c'])
  })

  it('outside of git are all affected, since nothing is known of them', async () => {
    const repo = monorepo({ a: { layers: [{ copy: '.', to: '/x', root: join('..') }] } })
    expect(Object.keys(await repo.affected())).toEqual(['a'])
  })
})
