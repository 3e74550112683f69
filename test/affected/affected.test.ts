import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { build, type BuildOptions } from '../../src/index.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { repository, type Repository } from './affected-kit.ts'

const config = {
  defaults: { platforms: ['linux/amd64'], created: 'epoch', metadata: 'none' },
  images: {
    web: { layers: [{ copy: 'web', to: '/web', exclude: ['**/*.md'] }] },
    api: {
      layers: [
        { copy: 'api/*.js', to: '/api' },
        { append: '/etc/x', copy: 'shared/x' },
      ],
    },
    both: { layers: [{ copy: ['web/a.js', 'api'], to: '/app/' }] },
  },
}
const files = {
  'oci.config.json': JSON.stringify(config),
  'web/a.js': 'a',
  'web/sub/b.js': 'b',
  'web/README.md': 'r',
  'api/main.js': 'm',
  'api/notes.txt': 'n',
  'shared/x': 'x',
  'other/file': 'o',
}
const plain = (): Repository => repository(files)

describeWithPeers('images since a commit', ['git'], () => {
  it('are none where nothing changed, and none of the pipeline runs', async () => {
    const repo = plain()
    expect(await repo.affected()).toEqual({})
    const marker = join(repo.folder, 'other/ran')
    repo.write({
      'other/config.json': JSON.stringify({
        ...config,
        defaults: { ...config.defaults, root: '..' },
        prepare: [`node -e "fs.writeFileSync('${marker}', '')"`],
      }),
    })
    const options: BuildOptions = {
      cwd: repo.folder,
      config: 'other/config.json',
      environment: repo.environment,
      cache: false,
    }
    // The new config file is a change of its own.
    repo.git('add', '.')
    repo.git('commit', '-q', '-m', 'two')
    repo.write({ 'other/file': 'changed' })
    const { images, affected } = await build({ ...options, affectedSince: 'HEAD' })
    expect(images).toEqual([])
    expect(affected?.images.map((image) => [image.image, image.affected])).toEqual([
      ['web', false],
      ['api', false],
      ['both', false],
    ])
    expect(() => writeFileSync(marker, '', { flag: 'wx' })).not.toThrow()
  })

  it.each<[string, (repo: Repository) => void, object]>([
    [
      'a changed file',
      (repo) => repo.write({ 'web/sub/b.js': '2' }),
      { web: 'web/sub/b.js: images.web.layers[0].copy "web"' },
    ],
    [
      'an untracked file',
      (repo) => repo.write({ 'api/new.js': '2' }),
      {
        api: 'api/new.js: images.api.layers[0].copy "api/*.js"',
        both: 'api/new.js: images.both.layers[0].copy[1] "api"',
      },
    ],
    [
      'a deleted file',
      (repo) => repo.remove('web/a.js'),
      {
        web: 'web/a.js: images.web.layers[0].copy "web"',
        both: 'web/a.js: images.both.layers[0].copy[0] "web/a.js"',
      },
    ],
    [
      'a file that is added and committed',
      (repo) => {
        repo.write({ 'web/c.js': 'c' })
        repo.git('add', '.')
        repo.git('commit', '-q', '-m', 'two')
      },
      { web: 'web/c.js: images.web.layers[0].copy "web"' },
    ],
    [
      'an executable bit',
      (repo) => chmodSync(join(repo.folder, 'web/sub/b.js'), 0o755),
      {
        web: 'web/sub/b.js: images.web.layers[0].copy "web"',
      },
    ],
    ['a file that is excluded', (repo) => repo.write({ 'web/README.md': '2' }), {}],
    [
      'a file that no glob matches',
      (repo) => repo.write({ 'api/notes.txt': '2' }),
      {
        both: 'api/notes.txt: images.both.layers[0].copy[1] "api"',
      },
    ],
    [
      'a file of append',
      (repo) => repo.write({ 'shared/x': '2' }),
      {
        api: 'shared/x: images.api.layers[1].copy "shared/x"',
      },
    ],
    [
      'an ignore file',
      (repo) => repo.write({ '.ociignore': '**/sub\n' }),
      {
        web: '.ociignore: images.web.layers[0].copy, which it filters',
        api: '.ociignore: images.api.layers[0].copy, which it filters',
        both: '.ociignore: images.both.layers[0].copy, which it filters',
      },
    ],
    [
      'the config file',
      (repo) => repo.write({ 'oci.config.json': JSON.stringify(config, null, 1) }),
      {
        web: 'oci.config.json: the config file',
        api: 'oci.config.json: the config file',
        both: 'oci.config.json: the config file',
      },
    ],
  ])('are those that %s reaches', async (_, change, wanted) => {
    const repo = plain()
    change(repo)
    expect(await repo.affected()).toEqual(wanted)
  })

  it('are all where package.json says something else of the package, not of its tools', async () => {
    const words = { name: 'x', version: '1.0.0', scripts: { test: 'a' } }
    const repo = repository({ ...files, 'package.json': JSON.stringify(words) })
    repo.write({ 'package.json': JSON.stringify({ ...words, scripts: { test: 'b' }, devDependencies: {} }) })
    expect(await repo.affected()).toEqual({})
    repo.write({ 'package.json': JSON.stringify({ ...words, version: '1.0.1' }) })
    expect(Object.keys(await repo.affected())).toEqual(['web', 'api', 'both'])
  })

  it('are not those that only an output of theirs lies in', async () => {
    const images = { web: { layers: [{ copy: 'web', to: '/web' }], outputs: ['oci:web/image'] } }
    const repo = repository({ ...files, 'oci.config.json': JSON.stringify({ images }) })
    repo.write({ 'web/image/index.json': '{}' })
    expect(await repo.affected()).toEqual({})
    repo.write({ 'web/images/index.json': '{}' })
    expect(Object.keys(await repo.affected())).toEqual(['web'])
  })

  it('are all where the config imports what changed', async () => {
    const { 'oci.config.json': json, ...rest } = files
    const repo = repository({
      ...rest,
      'oci.config.mjs': `import { images } from './config/images.mjs'\nexport default { ...images }\n`,
      'config/images.mjs': `export const images = ${json}\n`,
    })
    repo.write({ 'config/images.mjs': `export const images = ${json};\n` })
    expect(Object.keys(await repo.affected())).toEqual(['web', 'api', 'both'])
  })

  it('are those whose base or source is pinned to something else in oci.lock', async () => {
    const lock = (digest: string): string => {
      const root = {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: `sha256:${digest.repeat(64)}`,
        size: 1,
      }
      const other = { ...root, digest: `sha256:${'0'.repeat(64)}` }
      const references = {
        'docker.io/library/one:1': { ...root, platforms: {} },
        'docker.io/library/two:1': { ...other, platforms: {} },
      }
      return JSON.stringify({ lockVersion: 1, references })
    }
    const images = {
      one: { base: 'one:1', layers: [{ copy: 'web', to: '/web' }] },
      two: { base: 'two:1', layers: [{ copy: 'web', to: '/web' }] },
      from: { layers: [{ copy: '/x', from: 'one:1', to: '/x' }] },
    }
    const repo = repository({
      ...files,
      'oci.config.json': JSON.stringify({ defaults: config.defaults, images }),
      'oci.lock': lock('1'),
    })
    repo.write({ 'oci.lock': lock('2') })
    const options = { cwd: repo.folder, environment: repo.environment, cache: false, offline: true }
    const failing = build({ ...options, affectedSince: 'start' })
    // They would be built: the network is asked for.
    await expect(failing).rejects.toMatchObject({ code: 'OCB-NETWORK-OFFLINE' })
    repo.write({ 'oci.lock': lock('1') })
    expect(
      (await build({ ...options, affectedSince: 'start' })).affected?.images.map(({ affected }) => affected),
    ).toEqual([false, false, false])
  })

  it.each([['nowhere'], ['--help'], ['']])('cannot be told of %j', async (ref) => {
    const { folder: cwd, environment } = plain()
    await expect(build({ cwd, environment, cache: false, affectedSince: ref })).rejects.toMatchObject({
      code: 'OCB-USAGE-AFFECTED-SINCE',
    })
  })
})
