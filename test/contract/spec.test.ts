/** What the contract promises of specs (section 1): one meaning in every language, images, variables, options. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { BuildOptions } from '../../src/build-types.ts'
import { parseImageIndex } from '../../src/spec/parse-image-index.ts'
import { blobPath } from '../helpers/unpack.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { openDesk, type Desk, type Image } from './contract-kit.ts'

const json = `{
  "name": "app", "platforms": ["linux/amd64"], "tags": ["v1"],
  "layers": [{ "name": "l", "entries": [{ "copy": "dist", "to": "/app" }] }],
  "outputs": ["oci:.ocibuild/image"]
}`
const yaml = `
x-entries: &entries [{ copy: dist, to: /app }]
name: app
platforms: [linux/amd64]
tags: ['\${args.tag:-v1}']
layers: [{ name: l, entries: *entries }]
outputs: ['oci:.ocibuild/image']
`
const files: Readonly<Record<string, string>> = {
  'oci.config.ts': `import { defineConfig } from 'ocibuild'\nconst tags: string[] = ['v1']\nexport default defineConfig(async ({ env }) => ({ ...${json}, tags: env['NOPE'] ? [] : tags }))`,
  'oci.config.mts': `export default ${json} satisfies object`,
  'oci.config.js': `export default () => (${json})`,
  'oci.config.mjs': `export default ({ git, args, packageJson }) => ({ ...${json}, tags: [git.tag ?? args.tag ?? packageJson.version ?? 'v1'] })`,
  'oci.config.cjs': `module.exports = ${json}`,
  'oci.config.json': json,
  'oci.config.yaml': yaml,
  'oci.config.yml': yaml,
}

/** Reads a config file, as the command does. */
const fromFile: BuildOptions = { spec: undefined }

describeWithPeers('a spec', ['tar'], () => {
  it('means the same in every language, and the first file in the contract’s order is read', async () => {
    const desk = openDesk({ 'dist/x': 'x', ...files })
    const digests = new Set<string | undefined>()
    for (const name of Object.keys(files)) {
      const { configFile } = await desk.plan({}, fromFile)
      expect(configFile).toBe(join(desk.folder, name))
      const image = await desk.build({}, fromFile)
      expect(image.names()).toEqual(['app/', 'app/x'])
      digests.add(image.result.images[0]?.digest)
      rmSync(join(desk.folder, name))
    }
    expect(digests.size).toBe(1)
    expect((await desk.failure({}, fromFile)).code).toBe('OCB-USAGE-NO-CONFIG')
  })

  it('may ask for the platform in functions and variables', async () => {
    const platforms = ['linux/amd64', 'linux/arm/v6']
    const desk = openDesk()
    const layers = ({ platform }: { platform: { architecture: string } }): unknown => [
      { file: `/${platform.architecture}`, content: '' },
    ]
    const image = await desk.build({ layers, platforms })
    expect([image.names('linux/amd64'), image.names('linux/arm')]).toEqual([['amd64'], ['arm']])
    const config = {
      platforms,
      layers: [
        {
          file: '/${platform.os}-${platform.architecture}${platform.variant}',
          content: '${args.x}$${y}',
          template: true,
        },
        { file: '/raw', content: '${args.none}' },
      ],
      annotations: { price: '$5 $${x} ${env.EMPTY:-none}' },
      outputs: ['oci:.ocibuild/image'],
    }
    writeFileSync(join(desk.folder, 'oci.config.json'), JSON.stringify(config))
    const filled = await desk.build({}, { ...fromFile, args: { x: '1' } })
    expect([filled.names('linux/amd64'), filled.names('linux/arm')]).toEqual([
      ['linux-amd64', 'raw'],
      ['linux-armv6', 'raw'],
    ])
    expect(filled.layer(0)[0]?.size).toBe('1${y}'.length)
    expect(filled.layer(1)[0]?.size).toBe('${args.none}'.length)
    expect(rootOf(filled).annotations).toEqual({ price: '$5 ${x} none' })
  })

  it('is checked whole before anything is run', async () => {
    const desk = openDesk()
    const broken = 'prepare: [touch ran]\nnmae: x\ntags: [1.4]\nlayers:\n  - { copy: a, to: b, mode: 0644 }\n'
    writeFileSync(join(desk.folder, 'oci.config.yaml'), broken)
    const { code, problems } = await desk.failure({}, fromFile)
    expect(code).toBe('OCB-SPEC-INVALID')
    expect(existsSync(join(desk.folder, 'ran'))).toBe(false)
    expect(problems.map(({ path, line, column }) => `${line}:${column} ${path}`)).toEqual([
      '2:1 nmae',
      '3:8 tags[0]',
      '5:20 layers[0].to',
      '5:29 layers[0].mode',
    ])
    expect(problems.map(({ message }) => message).join('\n')).toMatch(
      /"name"\?[^]*write "1\.4"[^]*write "\/b"[^]*"0644"/,
    )
    expect((await desk.failure({ prepare: ['touch ran'], layers: [{ copy: 'gone', to: '/' }] })).code).toBe(
      'OCB-COPY-NO-MATCH',
    )
    expect(readFileSync(join(desk.folder, 'ran'), 'utf8')).toBe('')
  })

  it('runs prepare before files are read, the top’s once, and not for a plan', async () => {
    const desk = openDesk({ 'made/keep': '' })
    const layers = [{ copy: 'made', to: '/' }]
    const spec = {
      prepare: ['echo top >> made/top'],
      defaults: { prepare: ['echo each >> made/each'], layers },
      images: { a: {}, b: {} },
    }
    const whole = { spec: { ...spec, defaults: { ...spec.defaults, platforms: ['linux/amd64'] } } }
    await desk.plan({}, whole)
    expect(() => readFileSync(join(desk.folder, 'made/top'))).toThrow('ENOENT')
    const { images } = (await desk.build({}, whole)).result
    expect(images.map(({ outputs }) => outputs[0]?.ref)).toEqual(['oci:.ocibuild/a', 'oci:.ocibuild/b'])
    expect(readFileSync(join(desk.folder, 'made/top'), 'utf8')).toBe('top\n')
    expect(readFileSync(join(desk.folder, 'made/each'), 'utf8')).toBe('each\neach\n')
    expect(readFileSync(join(desk.folder, '.ocibuild/.gitignore'), 'utf8')).toBe('*\n')
    const one = { ...whole, images: ['b'], prepare: false }
    expect((await desk.build({}, one)).result.images.map(({ image }) => image)).toEqual(['b'])
    expect((await desk.failure({}, { ...whole, images: ['c'] })).code).toBe('OCB-USAGE-IMAGE')
  })

  it('of one platform is a manifest, of several or with index an index in their order', async () => {
    const desk = openDesk()
    const layers = [{ file: '/x', content: '' }]
    const order = async (platforms: readonly string[], index?: boolean): Promise<unknown> => {
      const root = rootOf(await desk.build({ layers, platforms, index }))
      return root.manifests.map(({ platform }) => platform)
    }
    const amd64 = { os: 'linux', architecture: 'amd64' }
    expect((await desk.build({ layers })).result.images[0]?.mediaType).toContain('image.manifest')
    expect(await order(['linux/amd64'], true)).toEqual([amd64])
    expect(await order(['linux/arm64/v8', 'linux/amd64'])).toEqual([
      { os: 'linux', architecture: 'arm64', variant: 'v8' },
      amd64,
    ])
    expect(await order(['linux/arm64', 'linux/arm64/v8', 'linux/amd64'])).toHaveLength(2)
  })

  it('has the time that is asked for, and SOURCE_DATE_EPOCH over all of them', async () => {
    const created = async (desk: Desk, value: unknown): Promise<string | undefined> =>
      (await desk.build({ layers: [{ file: '/x', content: '' }], created: value })).config().created
    const desk = openDesk()
    expect(await created(desk, undefined)).toBe('1970-01-01T00:00:00Z')
    expect(await created(desk, 'epoch')).toBe('1970-01-01T00:00:00Z')
    expect(await created(desk, 5)).toBe('1970-01-01T00:00:05Z')
    expect(await created(desk, '2020-01-02T03:04:05+01:00')).toBe('2020-01-02T02:04:05Z')
    const fixed = openDesk({}, { SOURCE_DATE_EPOCH: '77' })
    expect(await created(fixed, 5)).toBe('1970-01-01T00:01:17Z')
  })

  it('finds its paths from the config’s folder, or from root', async () => {
    const desk = openDesk({ 'deploy/x': 'deployed', 'other/x': 'other' })
    mkdirSync(join(desk.folder, 'deploy'), { recursive: true })
    const config = (root: string | undefined): string =>
      JSON.stringify({ root, platforms: ['linux/amd64'], layers: [{ copy: 'x', to: '/x' }] })
    for (const [root, size] of [
      [undefined, 8],
      ['../other', 5],
    ] as const) {
      writeFileSync(join(desk.folder, 'deploy/oci.config.json'), config(root))
      const options = {
        ...fromFile,
        config: 'deploy/oci.config.json',
        overrides: { outputs: ['oci:.ocibuild/image'] },
      }
      const image = await desk.build({}, options)
      expect(image.layer(0)[0]).toMatchObject({ name: 'x', size })
    }
  })
})

/** The index that the image's only ref leads to. */
function rootOf({ layout, result }: Image): ReturnType<typeof parseImageIndex> {
  const digest = result.images[0]?.digest
  const [descriptor] = parseImageIndex(readFileSync(join(layout, 'index.json'))).manifests.filter(
    (item) => item.digest === digest,
  )
  if (!descriptor) throw new Error('the layout does not have the image')
  return parseImageIndex(readFileSync(blobPath(layout, descriptor)))
}
