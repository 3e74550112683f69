/** Defaults, several images, and the command line over them. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  environmentWith,
  errorOf,
  folderWith,
  only,
  problemsOf,
  resolveFolder,
  resolveValue,
} from './helpers.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { resolveConfig } from '../../src/config/resolve-config.ts'

const one = [{ file: '/a', content: 'a' }]

describe('defaults', () => {
  it('fill in all that is not said', async () => {
    const folder = folderWith({ 'oci.config.json': '{}', 'package.json': '{"name":"@Team/My_App"}' })
    const resolved = await resolveFolder(folder)
    expect(resolved).toMatchObject({ configFile: join(folder, 'oci.config.json'), root: folder, prepare: [] })
    const { layersFor, describedBy: _describedBy, ...image } = only(resolved)
    expect(image).toEqual({
      image: undefined,
      name: 'my_app',
      tags: ['latest'],
      base: { transport: 'scratch' },
      baseText: 'scratch',
      baseDefaulted: true,
      node: undefined,
      platforms: [{ os: 'linux', architecture: 'amd64' }],
      platformsDefaulted: true,
      root: folder,
      prepare: [],
      compression: { type: 'gzip', level: 5 },
      config: {},
      annotations: { 'org.opencontainers.image.title': '@Team/My_App' },
      metadataLabels: { 'org.opencontainers.image.title': '@Team/My_App' },
      createdSeconds: 0,
      index: false,
      formatVersion: 1,
      outputs: [{ transport: 'oci', path: '.ocibuild/image' }],
    })
    expect(await layersFor({ os: 'linux', architecture: 'amd64' })).toEqual([])
  })

  it('name an image by its folder where there is no package', async () => {
    const folder = join(folderWith({}), 'My Folder!')
    mkdirSync(folder)
    const environment = environmentWith()
    const loaded = await loadConfig({ cwd: folder, spec: {}, environment })
    expect(only(await resolveConfig(loaded, {}, { cwd: folder, environment })).name).toBe('my-folder')
  })

  it('know what each word of the config means', async () => {
    const image = only(
      await resolveValue({
        config: {
          entrypoint: ['a', false],
          cmd: null,
          env: { A: '1', PATH: { append: ':/x' }, B: null },
          user: 1000,
          exposedPorts: [3000, '53/udp', '3000/tcp'],
          healthcheck: { test: ['CMD-SHELL', 'x'], interval: '1m30s', timeout: '500ms', retries: 3 },
          labels: { a: 'b', c: null },
          author: '',
        },
      }),
    )
    expect(image.config).toEqual({
      entrypoint: ['a'],
      cmd: null,
      env: { A: '1', PATH: { append: ':/x' }, B: null },
      user: '1000',
      exposedPorts: ['3000/tcp', '53/udp'],
      healthcheck: { Test: ['CMD-SHELL', 'x'], Interval: 90e9, Timeout: 5e8, Retries: 3 },
      labels: { a: 'b', c: null },
      author: '',
    })
    expect(Object.keys(image.config.env ?? {})).toEqual(['A', 'PATH', 'B'])
  })

  it.each([
    [undefined, {}, 0],
    ['epoch', {}, 0],
    [12, {}, 12],
    ['2024-01-31T12:00:00.9+01:00', {}, 1_706_698_800],
    ['epoch', { SOURCE_DATE_EPOCH: '77' }, 77],
    ['epoch', { SOURCE_DATE_EPOCH: '' }, 0],
  ])('created: %j with %j is %i', async (created, variables, seconds) => {
    expect(only(await resolveValue({ created }, { variables })).createdSeconds).toBe(seconds)
  })

  it('refuse a SOURCE_DATE_EPOCH that is no number', async () => {
    const error = await errorOf(resolveValue({}, { variables: { SOURCE_DATE_EPOCH: 'now' } }))
    expect(error.code).toBe('OCB-USAGE-SOURCE-DATE-EPOCH')
  })
})

describe('several images', () => {
  const yaml = [
    'prepare: [make]',
    'x-shared: &shared { LANG: C }',
    'defaults:',
    '  base: oci:base',
    '  tags: [a, b]',
    '  config: { cmd: [x], user: "1", env: { A: "1", B: "2" } }',
    'images:',
    '  web:',
    '    config: { cmd: [y], env: { B: "3", C: null } }',
    '  api:',
    '    base: null',
    '    tags: [c]',
    '    config: { cmd: null, env: { A: null, <<: *shared } }',
  ].join('\n')

  it('merge over defaults: objects by key, arrays and scalars replace, null resets', async () => {
    const resolved = await resolveFolder(folderWith({ 'oci.config.yaml': yaml }))
    expect(resolved.prepare).toEqual(['make'])
    const [web, api] = resolved.images
    expect(web).toMatchObject({ image: 'web', name: 'web', tags: ['a', 'b'], baseText: 'oci:base' })
    expect(web?.config).toEqual({ cmd: ['y'], user: '1', env: { A: '1', B: '3', C: null } })
    expect(web?.outputs).toEqual([{ transport: 'oci', path: '.ocibuild/web' }])
    expect(api).toMatchObject({ image: 'api', tags: ['c'], baseText: 'scratch' })
    expect(api?.config).toEqual({ user: '1', env: { B: '2', LANG: 'C' } })
  })

  it('are chosen by name', async () => {
    const folder = folderWith({ 'oci.config.yaml': yaml })
    expect((await resolveFolder(folder, { images: ['api'] })).images.map(({ image }) => image)).toEqual([
      'api',
    ])
    expect(await errorOf(resolveFolder(folder, { images: ['wbe'] }))).toMatchObject({
      code: 'OCB-USAGE-IMAGE',
      message: 'asked for "wbe", but the spec has web and api',
      hint: 'name one of web or api; did you mean web?',
    })
    expect(await errorOf(resolveValue({}, { images: ['a'] }))).toMatchObject({ code: 'OCB-USAGE-IMAGE' })
  })

  it('have problems where their words stand, each told once', async () => {
    const text = [
      'defaults:',
      '  config: { cmd: x, user: [] }',
      '  tagz: []',
      'images:',
      '  a:',
      '    layers:',
      '      - { remove: a }',
      '  b: { config: { user: "1" } }',
      'name: x',
    ].join('\n')
    const error = await errorOf(resolveFolder(folderWith({ 'oci.config.yaml': text })))
    expect(error.problems.map(({ path, line, message }) => `${line} ${path}: ${message}`)).toEqual([
      '2 defaults.config.cmd: found "x", wanted a list: write ["x"]',
      '2 defaults.config.user: found an empty list, wanted a user like 1000, "1000:1000" or "node"',
      '3 defaults.tagz: unknown key "tagz"; did you mean "tags"?',
      '7 images.a.layers[0].remove: found "a", wanted an absolute image path: write "/a"',
      '9 name: "name" stands beside "images"; put it under "defaults"',
    ])
  })

  it.each<[string, unknown, string]>([
    ['no images', { images: {} }, 'images: found no images, wanted an object of names and specs'],
    ['a list of images', { images: [] }, 'images: found no images, wanted an object of names and specs'],
    ['defaults alone', { defaults: {} }, 'images: found no images, wanted an object of names and specs'],
    ['an image without words', { images: { a: null } }, 'images.a: found nothing, wanted an object: {}'],
    ['an image that is a string', { images: { a: 'x' } }, 'images.a: found "x", wanted an object'],
    [
      'a name with a slash',
      { images: { 'a/b': {} } },
      'images["a/b"]: found the name "a/b", wanted letters, digits, "_", "." and "-"',
    ],
  ])('need names and words: %s', async (_title, spec, problem) => {
    expect(await problemsOf(resolveValue(spec))).toContain(problem)
  })

  it.each([
    ['one layout', { outputs: ['oci:dist'] }, 'oci:'],
    ['one archive', { outputs: ['oci-archive:a.tar'] }, 'oci-archive:'],
    ['one repository', { name: 'a.b/c', outputs: ['registry'] }, 'a.b/c:latest'],
    ['one reference', { outputs: ['docker://a.b/c:1'] }, 'a.b/c:1'],
  ])('may not write one ref of %s', async (_title, defaults, ref) => {
    const error = await errorOf(resolveValue({ defaults, images: { a: {}, b: {} } }))
    expect(error.code).toBe('OCB-SPEC-REF-CONFLICT')
    expect(error.message).toContain('the images a and b would both write')
    expect(error.message).toContain(ref)
  })

  it.each([
    ['an archive of two kinds', ['oci-archive:a.tar', 'docker-archive:./a.tar'], 'a.tar'],
    ['a folder and a file', ['oci:a', 'oci-archive:a:1'], 'a'],
    ['stdout in two formats', ['oci-archive:-', 'docker-archive:-'], 'would both write stdout'],
  ])('may not be %s in one place', async (_title, outputs, place) => {
    const error = await errorOf(resolveValue({ outputs, layers: [] }))
    expect(error.code).toBe('OCB-SPEC-REF-CONFLICT')
    expect(error.message).toContain(place)
    await expect(
      resolveValue({ outputs: ['oci:a:1', 'oci:a:2', 'oci-archive:b'], layers: [] }),
    ).resolves.toBeDefined()
  })

  it('may share a layout under tags of their own, and a docker-archive under names of their own', async () => {
    const spec = { defaults: { outputs: ['oci:dist'] }, images: { a: { tags: ['a'] }, b: { tags: ['b'] } } }
    expect((await resolveValue(spec)).images).toHaveLength(2)
    const archive = { defaults: { outputs: ['docker-archive:a.tar'] }, images: { a: {}, b: {} } }
    expect((await resolveValue(archive)).images).toHaveLength(2)
  })
})

describe('the command line', () => {
  it.each([
    [['1.4.0'], { name: 'a.b/c', tags: ['1.4.0'] }],
    [['1.4.0\n1.4\r\n', 'latest', '1.4'], { name: 'a.b/c', tags: ['1.4.0', '1.4', 'latest'] }],
    [['x.y/z'], { name: 'x.y/z', tags: ['latest'] }],
    [['x.y:5000/z:2', '3'], { name: 'x.y:5000/z', tags: ['2', '3'] }],
    [['app:2'], { name: 'app', tags: ['2'] }],
    [[''], { name: 'a.b/c', tags: ['spec'] }],
  ])('tags %j', async (tags, wanted) => {
    expect(
      only(await resolveValue({ name: 'a.b/c', tags: ['spec'] }, { overrides: { tags } })),
    ).toMatchObject(wanted)
  })

  it('pushes further names beside the first, and refuses them without a push', async () => {
    const tags = ['x.y/a:1', 'x.y/b:2']
    const image = only(await resolveValue({}, { overrides: { tags, push: true } }))
    expect(image).toMatchObject({ name: 'x.y/a', tags: ['1'] })
    expect(image.outputs).toEqual([
      { transport: 'registry' },
      { transport: 'docker', host: 'x.y', repository: 'b', tag: '2' },
    ])
    expect(await errorOf(resolveValue({}, { overrides: { tags } }))).toMatchObject({ code: 'OCB-USAGE-TAG' })
    expect(await errorOf(resolveValue({}, { overrides: { tags: ['a b'] } }))).toMatchObject({
      code: 'OCB-USAGE-TAG',
    })
    expect(await errorOf(resolveValue({}, { overrides: { tags: ['A.b/C:1'] } }))).toMatchObject({
      code: 'OCB-USAGE-TAG',
    })
  })

  it('overrides and adds', async () => {
    const spec = {
      base: 'scratch',
      platforms: ['linux/amd64'],
      config: { labels: { a: '1', b: '2' } },
      annotations: { a: '1', b: '2' },
      outputs: ['oci:x'],
    }
    const image = only(
      await resolveValue(spec, {
        overrides: {
          base: 'oci:base',
          platforms: ['linux/arm64,linux/arm/v7', 'linux/arm64'],
          compression: 'zstd:9',
          labels: { b: '3' },
          annotations: { b: '3', c: '4' },
          outputs: ['oci:y', 'oci-archive:-'],
          push: true,
        },
      }),
    )
    expect(image).toMatchObject({
      baseText: 'oci:base',
      base: { transport: 'oci', path: expect.stringMatching(/^\/.*\/base$/) },
      platforms: [{ architecture: 'arm64' }, { architecture: 'arm', variant: 'v7' }],
      platformsDefaulted: false,
      compression: { type: 'zstd', level: 9 },
      config: { labels: { a: '1', b: '3' } },
      annotations: { a: '1', b: '3', c: '4' },
      outputs: [
        { transport: 'oci', path: 'y' },
        { transport: 'oci-archive', path: '-' },
        { transport: 'registry' },
      ],
    })
    expect(image.platforms).toHaveLength(2)
  })

  it('builds a platform once, whatever names it is given', async () => {
    const platforms = ['linux/amd64', 'linux/x86_64', 'linux/arm64', 'linux/arm64/v8', 'linux/amd64/v1']
    expect(only(await resolveValue({ platforms })).platforms).toEqual([
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ])
  })

  it('has paths of its own, and the spec’s are of the config file’s folder', async () => {
    const folder = folderWith({ 'deploy/oci.config.yaml': 'base: oci:base\noutputs: [oci:dist]' })
    const config = 'deploy/oci.config.yaml'
    expect(only(await resolveFolder(folder, { config }))).toMatchObject({
      base: { path: 'base' },
      root: join(folder, 'deploy'),
      outputs: [{ path: 'deploy/dist' }],
    })
    const overrides = { base: 'oci:base', outputs: ['oci:dist'] }
    expect(only(await resolveFolder(folder, { config, overrides }))).toMatchObject({
      base: { path: join(folder, 'base') },
      outputs: [{ path: 'dist' }],
    })
  })

  it.each([
    [{ platforms: ['windows/amd64'] }, 'OCB-SPEC-PLATFORM'],
    [{ platforms: ['amd64'] }, 'OCB-SPEC-PLATFORM'],
    [{ compression: 'gzip:99' }, 'OCB-SPEC-COMPRESSION'],
    [{ compression: 'gzip,none' }, 'OCB-SPEC-COMPRESSION'],
    [{ compression: 'gzip,zstd,gzip' }, 'OCB-SPEC-COMPRESSION'],
    [{ outputs: ['dist'] }, 'OCB-SPEC-REFERENCE'],
    [{ base: 'image:x' }, 'OCB-SPEC-UNSUPPORTED'],
  ])('is refused where it is wrong: %j', async (overrides, code) => {
    expect((await errorOf(resolveValue({ layers: one }, { overrides }))).code).toBe(code)
  })
})

describe('metadata', () => {
  const packageJson = JSON.stringify({
    name: 'app',
    description: 'An app',
    version: '1.0.0',
    license: 'MIT',
    homepage: 'https://user:secret@example.com/app',
    author: { name: 'A', email: 'a@example.com' },
    contributors: ['B <b@example.com> (https://b.example.com)', { name: 'C' }],
    repository: { type: 'git', url: 'git+ssh://git:secret@github.com/team/app.git' },
  })
  const prefix = 'org.opencontainers.image.'

  it('comes from package.json, without user info', async () => {
    const folder = folderWith({ 'oci.config.json': '{"metadata":"package"}', 'package.json': packageJson })
    const { annotations, metadataLabels } = only(await resolveFolder(folder))
    expect(annotations).toEqual(metadataLabels)
    expect(annotations).toEqual({
      [`${prefix}title`]: 'app',
      [`${prefix}description`]: 'An app',
      [`${prefix}version`]: '1.0.0',
      [`${prefix}licenses`]: 'MIT',
      [`${prefix}url`]: 'https://example.com/app',
      [`${prefix}authors`]: 'A <a@example.com>, B <b@example.com>, C',
      [`${prefix}source`]: 'https://github.com/team/app',
    })
  })

  it('gives way to the user, and null leaves it out', async () => {
    const spec = { annotations: { [`${prefix}title`]: 'Mine', [`${prefix}url`]: null, a: 'b' } }
    const folder = folderWith({ 'oci.config.json': JSON.stringify(spec), 'package.json': packageJson })
    const { annotations } = only(await resolveFolder(folder))
    expect(annotations).toMatchObject({ [`${prefix}title`]: 'Mine', [`${prefix}version`]: '1.0.0', a: 'b' })
    expect(annotations).not.toHaveProperty([`${prefix}url`])
  })

  it('is nothing for none', async () => {
    const folder = folderWith({ 'oci.config.json': '{"metadata":"none"}', 'package.json': packageJson })
    expect(only(await resolveFolder(folder))).toMatchObject({ annotations: {}, metadataLabels: {} })
  })
})

describe('a Node.js project', () => {
  it('has every default filled in', async () => {
    const image = only(await resolveFolder(folderWith({ 'oci.config.json': '{"node":true}' })))
    expect(image).toMatchObject({ baseDefaulted: true })
    expect(image.node).toEqual({
      package: undefined,
      entry: undefined,
      include: [],
      exclude: [],
      allow: [],
      writable: [],
      workingDir: '/app',
      init: false,
    })
  })

  it('keeps what the spec says, and takes a base from spec and command line', async () => {
    const node = {
      package: 'api',
      workingDir: '/srv/',
      writable: ['/data/'],
      init: true,
      exclude: ['*.map', ''],
    }
    const folder = folderWith({ 'oci.config.json': JSON.stringify({ node, base: 'host:node' }) })
    const image = only(await resolveFolder(folder))
    expect(image.baseDefaulted).toBe(false)
    expect(image.node).toMatchObject({
      package: 'api',
      workingDir: '/srv',
      writable: ['/data'],
      init: true,
      exclude: ['*.map'],
    })
  })

  it('does not lie at the root of the image', async () => {
    const error = await errorOf(
      resolveFolder(folderWith({ 'oci.config.json': '{"node":{"workingDir":"/"}}' })),
    )
    expect(error.problems).toMatchObject([{ path: 'node.workingDir' }])
  })
})
