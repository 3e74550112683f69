/** Layers and entries, as data for one platform. */

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LayerSpec } from '../../src/config/resolved-spec.ts'
import { errorOf, folderWith, only, resolveFolder, resolveValue } from './helpers.ts'

const amd64 = { os: 'linux', architecture: 'amd64' }

async function layersOf(
  spec: unknown,
  platform: Parameters<ReturnType<typeof only>['layersFor']>[0] = amd64,
): Promise<readonly LayerSpec[]> {
  return only(await resolveValue(spec)).layersFor(platform)
}

describe('layers', () => {
  it('have names: their own, a single entry’s path, or their number', async () => {
    const entry = { file: '/a', content: '' }
    const layers = await layersOf({
      layers: [
        entry,
        { entries: [entry] },
        { name: 'x', entries: [entry] },
        null,
        { entries: [entry, { remove: '/b' }] },
        { copy: 'a', to: '/app' },
      ],
    })
    expect(layers.map(({ at, name }) => `${at} ${name}`)).toEqual([
      'layers[0] /a',
      'layers[1] /a (2)',
      'layers[2] x',
      'layers[4] layer-5',
      'layers[5] /app',
    ])
  })

  it('have the compression of the spec or their own', async () => {
    const entries = [{ file: '/a', content: '' }]
    const layers = await layersOf({
      compression: 'zstd',
      layers: [{ entries }, { entries, compression: 'none' }, { entries, compression: { type: 'gzip' } }],
    })
    expect(layers.map((layer) => layer.compression)).toEqual([
      { type: 'zstd', level: 3 },
      { type: 'none' },
      { type: 'gzip', level: 5 },
    ])
  })

  it.each([
    [{ compression: ['gzip:7', 'zstd'] }, {}],
    [{ compression: ['zstd', undefined, { type: 'gzip', level: 7 }] }, {}],
    [{}, { compression: 'gzip:7,zstd:3' }],
  ])('are made twice where the spec says so, unless they have their own: %j %j', async (spec, overrides) => {
    const entries = [{ file: '/a', content: '' }]
    const layers = [{ entries }, { entries, compression: 'gzip' }]
    const image = only(await resolveValue({ ...spec, layers }, { overrides }))
    const twins = { type: 'gzip', level: 7, twin: { type: 'zstd', level: 3 } }
    expect(image.compression).toEqual(twins)
    const found = await image.layersFor({ os: 'linux', architecture: 'amd64' })
    expect(found.map((layer) => layer.compression)).toEqual([twins, { type: 'gzip', level: 5 }])
  })

  it('leave out what is for other platforms', async () => {
    const file = (name: string, platforms?: readonly string[]): unknown => ({
      file: `/${name}`,
      content: '',
      platforms,
    })
    const spec = {
      layers: [
        { name: 'arm', platforms: ['linux/arm'], entries: [file('a')] },
        { name: 'v6', platforms: ['linux/arm/v6'], entries: [file('a')] },
        { name: 'some', entries: [file('all'), file('v7', ['linux/arm/v7']), file('amd', ['linux/amd64'])] },
        { name: 'none', entries: [file('s390x', ['linux/s390x'])] },
        { name: 'empty', entries: [] },
        file('bare', ['linux/amd64']),
      ],
    }
    const names = async (platform: typeof amd64 & { variant?: string }): Promise<string[]> =>
      (await layersOf(spec, platform)).map(
        ({ name, entries }) => `${name}:${entries.map(({ at }) => at.slice(-3)).join('')}`,
      )
    expect(await names(amd64)).toEqual(['some:[0][2]', 'empty:', '/bare:[5]'])
    expect(await names({ os: 'linux', architecture: 'arm', variant: 'v7' })).toEqual([
      'arm:[0]',
      'some:[0][1]',
      'empty:',
    ])
    expect(await names({ os: 'linux', architecture: 'arm', variant: 'v6' })).toEqual([
      'arm:[0]',
      'v6:[0]',
      'some:[0]',
      'empty:',
    ])
  })

  it('may be a function of the platform, whose result is checked', async () => {
    const layers = ({ platform }: { platform: { architecture: string } }): unknown => [
      platform.architecture === 'amd64' && { file: '/amd', content: '' },
      platform.architecture === 's390x' && { fiel: '/a', content: '' },
    ]
    const image = only(await resolveValue({ layers: async (context: never) => layers(context) }))
    expect(await image.layersFor(amd64)).toMatchObject([{ name: '/amd' }])
    expect(await image.layersFor({ os: 'linux', architecture: 'arm64' })).toEqual([])
    const error = await errorOf(image.layersFor({ os: 'linux', architecture: 's390x' }))
    expect(error.problems).toMatchObject([{ path: 'layers[1]' }])
    expect(error.problems[0]?.message).toContain('did you mean "file" for "fiel"?')
    const failing = only(
      await resolveValue({
        layers: () => {
          throw new Error('kaput')
        },
      }),
    )
    expect(await errorOf(failing.layersFor(amd64))).toMatchObject({ code: 'OCB-SPEC-LOAD' })
    const nothing = only(await resolveValue({ layers: () => 3 }))
    expect((await errorOf(nothing.layersFor(amd64))).problems[0]?.message).toBe(
      'found the number 3, wanted a list',
    )
  })

  it('say where they stand, in defaults too', async () => {
    const spec = {
      defaults: { layers: [{ file: '/a', content: '' }] },
      images: { a: {}, b: { layers: [{ entries: [{ remove: '/x' }] }] } },
    }
    const [a, b] = (await resolveValue(spec)).images
    expect((await a?.layersFor(amd64))?.[0]?.entries[0]?.at).toBe('defaults.layers[0]')
    expect((await b?.layersFor(amd64))?.[0]?.entries[0]?.at).toBe('images.b.layers[0].entries[0]')
  })
})

describe('entries', () => {
  it('are filled in, verb by verb', async () => {
    const folder = folderWith({
      'spec/oci.config.json': JSON.stringify({
        root: '..',
        layers: [
          {
            entries: [
              { copy: '/dist', from: 'oci:x', to: '/app' },
              {
                copy: ['a', '', 'b'],
                to: '/app',
                include: ['i'],
                exclude: ['e'],
                mode: '0640',
                dirMode: 'preserve',
                owner: 1000,
                mtime: '2024-01-31T12:00:00Z',
                root: 'sub',
                follow: true,
                hardLinks: 'preserve',
              },
              { file: '/f', content: 'aGk=', encoding: 'base64', mode: '755', owner: 'a:b' },
              { append: '/p', content: 'é' },
              { append: '/p', copy: 'ca.pem' },
              { directory: '/d', mode: '1777' },
              { symlink: '/s', target: '../x' },
              { hardlink: '/h', target: '/f' },
              { remove: '/r' },
              { opaque: '/o' },
              { archive: 'a.tgz', to: '/x' },
              { download: 'https://a.b/c', sha256: `sha256:${'AB'.repeat(32)}`, to: '/y' },
            ],
          },
        ],
      }),
    })
    const image = only(await resolveFolder(folder, { config: 'spec/oci.config.json' }))
    expect(image.root).toBe(folder)
    const [layer] = await image.layersFor(amd64)
    const root = folder
    expect(layer?.entries.map(({ at: _at, ...entry }) => entry)).toEqual([
      {
        verb: 'copy',
        copy: ['/dist'],
        list: false,
        to: '/app',
        from: { transport: 'oci', path: 'x' },
        exclude: [],
        mtime: 'content',
        root,
        follow: false,
        hardLinks: 'copy',
      },
      {
        verb: 'copy',
        copy: ['a', 'b'],
        list: true,
        to: '/app',
        include: ['i'],
        exclude: ['e'],
        mode: 0o640,
        dirMode: 'preserve',
        owner: '1000',
        mtime: 1_706_702_400,
        root: join(root, 'sub'),
        follow: true,
        hardLinks: 'preserve',
      },
      { verb: 'file', file: '/f', content: new Uint8Array([0x68, 0x69]), mode: 0o755, owner: 'a:b' },
      { verb: 'append', append: '/p', content: new Uint8Array([0xc3, 0xa9]), root },
      { verb: 'append', append: '/p', copy: 'ca.pem', root },
      { verb: 'directory', directory: '/d', mode: 0o1777 },
      { verb: 'symlink', symlink: '/s', target: '../x' },
      { verb: 'hardlink', hardlink: '/h', target: '/f' },
      { verb: 'remove', remove: '/r' },
      { verb: 'opaque', opaque: '/o' },
      { verb: 'archive', archive: 'a.tgz', to: '/x', strip: 0, exclude: [], root },
      {
        verb: 'download',
        download: 'https://a.b/c',
        sha256: 'ab'.repeat(32),
        to: '/y',
        extract: false,
        strip: 0,
      },
    ])
  })

  it('take an undefined field of a program for absent', async () => {
    const [layer] = await layersOf({ layers: [{ copy: 'a', to: '/a', append: undefined, mode: undefined }] })
    expect(layer?.entries[0]?.verb).toBe('copy')
  })
})
