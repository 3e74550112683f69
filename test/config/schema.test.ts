/** The schema in the code and the one that is shipped. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { makeSchemaText } from '../../scripts/write-schema.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { readSchemaText } from '../../src/config/read-schema.ts'
import { defineConfig } from '../../src/config/define-config.ts'
import { environmentWith, resolveValue } from './helpers.ts'

const top = join(import.meta.dirname, '../..')
const schema: unknown = JSON.parse(readSchemaText())
const validate = new Ajv({ strict: true, strictRequired: false, allErrors: true }).compile(Object(schema))

function faultsOf(value: unknown): unknown {
  return validate(value) ? [] : validate.errors
}

const everything = {
  $schema: './node_modules/ocibuild/schemas/oci.config.schema.json',
  'x-anchors': [1],
  name: 'registry.example.com/team/app',
  tags: ['1.4.0', null, false, ''],
  base: 'scratch',
  platforms: ['linux/amd64', 'linux/arm/v7'],
  root: '.',
  prepare: ['npm run build'],
  layers: [
    {
      name: 'app',
      compression: 'none',
      platforms: ['linux/amd64'],
      entries: [
        {
          copy: 'dist',
          to: '/app',
          include: ['**'],
          exclude: ['a'],
          mode: '0644',
          dirMode: 'preserve',
          owner: '1:1',
        },
        { copy: ['a', 'b'], to: '/app/', mtime: 0, root: 'x', follow: true, hardLinks: 'preserve', owner: 1 },
        { copy: '/lib', from: 'oci:other', to: '/lib', mtime: '2024-01-31T12:00:00Z' },
        { file: '/a', content: 'x ${package.name}', template: false },
        { append: '/etc/passwd', content: 'x' },
        { append: '/etc/ssl/ca.pem', copy: 'ca.pem' },
        { directory: '/d', mode: '1777', owner: 'node:node' },
        { symlink: '/s', target: 'd' },
        { hardlink: '/h', target: '/a' },
        { remove: '/r' },
        { opaque: '/o' },
        { archive: 'a.tgz', to: '/x', strip: 1, include: ['a'], exclude: ['b'], owner: 0 },
        { download: 'https://a.b/c', sha256: 'a'.repeat(64), to: '/x', extract: true, strip: 1 },
      ],
    },
    { file: '/b', content: '', platforms: ['linux/arm'] },
    null,
  ],
  config: {
    entrypoint: [],
    cmd: null,
    env: { A: 'b', PATH: { prepend: 'a:', append: ':b' }, C: null },
    workingDir: '/app',
    user: 1000,
    exposedPorts: [3000, '53/udp'],
    volumes: ['/data'],
    labels: { a: 'b', c: null },
    stopSignal: 'SIGTERM',
    healthcheck: {
      test: ['CMD', 'x'],
      interval: '1m30s',
      timeout: '5s',
      startPeriod: '0',
      startInterval: '1s',
      retries: 3,
    },
    author: '',
  },
  annotations: { a: 'b', c: null },
  metadata: 'none',
  created: 12,
  compression: { type: 'zstd', level: 19 },
  index: true,
  formatVersion: 1,
  registries: {
    'docker.io': { mirrors: ['a.b/hub'] },
    'a.b': { ca: 'a', clientCert: 'b', clientKey: 'c', insecure: true },
  },
  outputs: ['oci:dist/image', 'registry'],
}

const several = {
  prepare: ['make'],
  defaults: { tags: ['a'], config: { cmd: ['x'] }, layers: [{ file: '/a', content: '' }] },
  images: { one: {}, two: { tags: null, config: { cmd: null }, layers: null, name: 'x' } },
}

describe('the JSON schema', () => {
  it('is the one that the code makes (npx jiti scripts/write-schema.ts writes it)', () => {
    expect(readSchemaText()).toBe(makeSchemaText())
  })

  it.each([
    ['every field', everything],
    ['several images', several],
    ['a node section', { node: { package: 'a', entry: 'b', dependencies: 'lockfile', init: true } }],
    ['nothing', {}],
  ])('takes a right spec: %s', (_title, value) => {
    expect(faultsOf(value)).toEqual([])
  })

  it.each<[string, unknown]>([
    ['an unknown key', { nmae: 'x' }],
    ['an unknown key of an image', { images: { a: { nmae: 'x' } } }],
    ['an unknown key of an entry', { layers: [{ remove: '/a', to: '/b' }] }],
    ['a number as tag', { tags: [1] }],
    ['a number as mode', { layers: [{ directory: '/a', mode: 644 }] }],
    ['a spec key beside images', { images: {}, name: 'x' }],
  ])('refuses %s', (_title, value) => {
    expect(faultsOf(value)).not.toEqual([])
  })

  it('takes what the examples say', async () => {
    const examples = join(top, 'examples')
    for (const name of readdirSync(examples, { recursive: true, encoding: 'utf8' })) {
      if (!/oci\.config\.(?:ts|yaml|json)$/.test(name) || name.includes('node_modules')) continue
      const path = join(examples, name)
      const loaded = await loadConfig({ cwd: examples, config: path, environment: environmentWith() })
      const value = name.endsWith('.ts')
        ? JSON.parse(JSON.stringify(loaded.value))
        : parse(readFileSync(path, 'utf8'), { merge: true })
      expect({ name, faults: faultsOf(value) }).toEqual({ name, faults: [] })
    }
  })

  it('describes every field', () => {
    const text = readSchemaText()
    expect(text.match(/"description": ""/)).toBeNull()
    expect(text).toContain('"description": "The image config; what is not set is inherited from the base."')
  })
})

describe('the schema in the code', () => {
  it('takes every field', async () => {
    const { images } = await resolveValue(everything)
    expect(images).toHaveLength(1)
    expect(await images[0]?.layersFor({ os: 'linux', architecture: 'amd64' })).toHaveLength(1)
  })

  it('takes several images', async () => {
    expect((await resolveValue(several)).images).toHaveLength(2)
  })

  it('takes the example of every field', async () => {
    const { value } = await loadConfig({
      cwd: top,
      config: 'oci.config.example.ts',
      environment: environmentWith(),
    })
    const { images } = await resolveValue(value)
    const [image] = images
    expect(image?.tags[0]).toMatch(/^\d+\.\d+\.\d+/)
    const layers = await image?.layersFor({ os: 'linux', architecture: 'arm64' })
    expect(layers?.map((layer) => `${layer.name}: ${layer.entries.length}`)).toEqual(['assets: 1', 'app: 13'])
  })

  it('lets an editor find a misspelt key', () => {
    // @ts-expect-error -- the key is wrong on purpose
    expect(defineConfig({ nmae: 'x' })).toEqual({ nmae: 'x' })
  })
})
