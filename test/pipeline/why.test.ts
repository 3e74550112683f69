/** `plan --why` through the library: beside the last build, beside a pushed image, beside nothing. */

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../src/content/hash.ts'
import { build, createPlan, type BuildOptions } from '../../src/index.ts'
import type { LayerWhyView } from '../../src/build-types.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry } from '../helpers/registry/registry.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocibuild-why-'))
  for (const part of ['deps', 'src']) {
    mkdirSync(join(folder, part))
    for (const name of ['a.js', 'b.js', 'c.js']) write(`${part}/${name}`, `${part} ${name}`)
  }
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const spec = {
  name: 'team/app',
  platforms: ['linux/amd64'],
  created: 'epoch',
  metadata: 'none',
  layers: [
    { name: 'deps', entries: [{ copy: 'deps', to: '/app/deps' }] },
    { name: 'src', entries: [{ directory: '/app/src' }, { copy: 'src', to: '/app/src' }] },
  ],
}

/** With a time of long ago, so that digests are remembered. */
function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text)
  utimesSync(join(folder, name), 1_700_000_000, 1_700_000_000)
}

function optionsOf(more: object = {}, options: BuildOptions = {}): BuildOptions {
  return { cwd: folder, cacheDir: join(folder, 'cache'), spec: { ...spec, ...more }, ...options }
}

async function why(more: object = {}, options: BuildOptions = {}): Promise<Record<string, LayerWhyView>> {
  const { images } = await createPlan(optionsOf(more, { ...options, why: true }))
  const layers = images.flatMap(({ platforms }) => platforms.flatMap((platform) => platform.layers))
  return Object.fromEntries(
    layers.map(({ name, why: view }) => {
      if (view === undefined) throw new Error(`nothing is said of ${name}`)
      return [name, view]
    }),
  )
}

const unchanged = {
  status: 'unchanged',
  against: 'the last build',
  added: 0,
  removed: 0,
  changed: 0,
  first: null,
}

describe('beside the last build', () => {
  it('a layer is new, then unchanged, whatever cache made the build fast', async () => {
    expect(await why()).toMatchObject({ deps: { status: 'new', against: null }, src: { status: 'new' } })
    for (let times = 0; times < 3; times += 1) await build(optionsOf())
    expect(await why()).toEqual({ deps: unchanged, src: unchanged })
  })

  it('the first path that differs is named, with both digests and the entry that placed it', async () => {
    await build(optionsOf())
    write('deps/b.js', 'other words')
    write('deps/c.js', 'and these')
    expect(await why()).toEqual({
      deps: {
        status: 'changed',
        against: 'the last build',
        added: 0,
        removed: 0,
        changed: 2,
        first: {
          path: '/app/deps/b.js',
          change: 'changed',
          aspects: ['content'],
          before: expect.objectContaining({ digest: sha256('deps b.js'), origin: 'layers[0].entries[0]' }),
          after: expect.objectContaining({ digest: sha256('other words'), origin: 'layers[0].entries[0]' }),
        },
      },
      src: unchanged,
    })
  })

  it('files of the same size and time are told apart by their bytes', async () => {
    await build(optionsOf())
    write('src/a.js', 'src A.js')
    expect((await why())['src']).toMatchObject({ changed: 1, first: { path: '/app/src/a.js' } })
  })

  it('what was added, removed or given another mode counts too', async () => {
    await build(optionsOf())
    rmSync(join(folder, 'src/a.js'))
    write('src/z.js', 'new')
    chmodSync(join(folder, 'src/b.js'), 0o755)
    expect((await why())['src']).toMatchObject({
      added: 1,
      removed: 1,
      changed: 1,
      first: {
        path: '/app/src/a.js',
        change: 'removed',
        after: null,
        before: { origin: 'layers[1].entries[1]' },
      },
    })
  })

  it('is beside the last, not the first: a change that was built is no change any more', async () => {
    await build(optionsOf())
    write('src/a.js', 'second')
    await build(optionsOf())
    expect((await why())['src']).toEqual(unchanged)
    write('src/a.js', 'src a.js')
    expect((await why())['src']).toMatchObject({
      changed: 1,
      first: { before: { digest: sha256('second') } },
    })
  })

  it('another compression is no other content', async () => {
    await build(optionsOf())
    expect((await why({ compression: 'gzip:9' }))['deps']).toEqual({
      ...unchanged,
      status: 'rewritten',
      compression: { before: 'gzip:5', after: 'gzip:9' },
    })
  })

  it('layers of one name are told apart, as are images and platforms', async () => {
    const twins = [
      { name: 'x', entries: [{ file: '/one', content: '1' }] },
      { name: 'x', entries: [{ file: '/two', content: '2' }] },
    ]
    await build(optionsOf({ layers: twins, platforms: ['linux/amd64', 'linux/arm64'] }))
    const { images } = await createPlan(
      optionsOf({ layers: twins, platforms: ['linux/amd64', 'linux/arm64'] }, { why: true }),
    )
    const views = images.flatMap(({ platforms }) => platforms.flatMap(({ layers }) => layers))
    expect(views.map((layer) => layer.why?.status)).toEqual(Array.from({ length: 4 }, () => 'unchanged'))
    expect((await why({ name: 'team/other', tags: ['other'], layers: twins }))['x']).toMatchObject({
      status: 'new',
    })
  })

  it('a build with nothing new writes nothing down, and a plan tells only who asks', async () => {
    await build(optionsOf())
    const built = join(folder, 'cache', 'built')
    const times = (): readonly number[] =>
      readdirSync(built).map((name) => statSync(join(built, name)).mtimeMs)
    for (const name of readdirSync(built)) utimesSync(join(built, name), 1, 1)
    await build(optionsOf())
    rmSync(join(folder, 'cache', 'planned'), { recursive: true, force: true })
    await build(optionsOf())
    expect(times()).toEqual([1000, 1000])
    const { images } = await createPlan(optionsOf())
    expect(images[0]?.platforms[0]?.layers.map((layer) => 'why' in layer)).toEqual([false, false])
  })
})

describe('where no build is remembered', () => {
  it('the image in a layout is read', async () => {
    await build(optionsOf())
    rmSync(join(folder, 'cache'), { recursive: true })
    write('deps/b.js', 'other words')
    const against = expect.stringMatching(/^oci:.*\.ocibuild\/image:latest$/)
    expect(await why()).toMatchObject({
      deps: {
        status: 'changed',
        against,
        changed: 1,
        first: {
          path: '/app/deps/b.js',
          before: { digest: sha256('deps b.js') },
          after: { digest: sha256('other words'), origin: 'layers[0].entries[0]' },
        },
      },
      src: { status: 'unchanged', against },
    })
  })

  it('the pushed image is asked, and only layers that differ are fetched', async () => {
    const registry = await forTest(startRegistry())
    const pushed = { name: `${registry.host}/team/app`, tags: ['1', '2'], outputs: ['registry'] }
    await build(optionsOf(pushed))
    rmSync(join(folder, 'cache'), { recursive: true })
    registry.forgetRequests()
    write('src/a.js', 'changed')
    const against = `${registry.host}/team/app:1`
    expect(await why(pushed)).toMatchObject({
      deps: { status: 'unchanged', against },
      src: { status: 'changed', against, changed: 1, first: { path: '/app/src/a.js', aspects: ['content'] } },
    })
    // A manifest, its config, and the one layer.
    expect(registry.lines().filter((line) => /blobs\/sha256/.test(line))).toHaveLength(2)
    expect(registry.lines().filter((line) => !/^(?:GET|HEAD) /.test(line))).toEqual([])
  })

  it('layers are new to a registry that has no such image, and offline', async () => {
    const registry = await forTest(startRegistry())
    const pushed = { name: `${registry.host}/team/app`, outputs: ['registry'] }
    expect((await why(pushed))['deps']).toMatchObject({ status: 'new' })
    registry.forgetRequests()
    expect((await why(pushed, { offline: true }))['deps']).toMatchObject({ status: 'new' })
    expect(registry.lines()).toEqual([])
  })

  it('an image that cannot be read is told of, and the plan is made', async () => {
    mkdirSync(join(folder, '.ocibuild', 'image'), { recursive: true })
    writeFileSync(join(folder, '.ocibuild', 'image', 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    writeFileSync(join(folder, '.ocibuild', 'image', 'index.json'), 'no JSON')
    const { images, warnings } = await createPlan(optionsOf({}, { why: true }))
    expect(images[0]?.platforms[0]?.layers[0]?.why).toMatchObject({ status: 'new' })
    expect(warnings.map(({ code }) => code)).toEqual(['OCB-WHY-UNREAD'])
  })
})
