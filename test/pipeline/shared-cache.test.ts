import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { processEnvironment, type BuildResult, type LayerResult } from '../../src/index.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { describeBytes } from '../helpers/images.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry, type TestRegistry } from '../helpers/registry/registry.ts'
import { machine, tamper } from './shared-cache-kit.ts'

let folder: string
let registry: TestRegistry
const uploads = /^(?:POST|PATCH|PUT) \S*\/blobs\/uploads\//

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ocibuild-shared-'))
  mkdirSync(join(folder, 'deps'))
  writeFileSync(join(folder, 'app.js'), 'console.log(1)\n')
  for (let index = 0; index < 40; index += 1) {
    writeFileSync(join(folder, 'deps', `${index}.js`), `exports.n = ${index}\n`.repeat(50))
  }
  registry = await forTest(startRegistry())
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const linesOf = (pattern: RegExp): readonly string[] => registry.lines().filter((line) => pattern.test(line))

function appSpec(more: object = {}): object {
  return {
    name: `${registry.host}/team/app`,
    tags: ['1'],
    layers: [
      { name: 'dependencies', entries: [{ copy: 'deps', to: '/app/deps' }] },
      { name: 'app', entries: [{ copy: 'app.js', to: '/app/app.js' }] },
    ],
    outputs: ['registry'],
    ...more,
  }
}

function layersOf({ images }: BuildResult): readonly LayerResult[] {
  return images.flatMap(({ platforms }) => platforms.flatMap(({ layers }) => layers))
}

describe('a clean machine and an image in the registry', () => {
  it('neither send nor read a layer, make none, and come to the same digest', async () => {
    const first = await machine(folder, 'one').run(appSpec())
    expect(layersOf(first).map(({ cached }) => cached)).toEqual([false, false])
    registry.forgetRequests()
    const second = await machine(folder, 'two').run(appSpec())
    expect(second.images[0]?.digest).toBe(first.images[0]?.digest)
    const from = `${registry.host}/team/app:1`
    expect(layersOf(second).map(({ cached, cachedFrom }) => [cached, cachedFrom])).toEqual([
      [true, from],
      [true, from],
    ])
    expect(linesOf(uploads)).toEqual([])
    // The config is a document: it holds the diffIDs.
    const config = first.images[0]?.platforms[0]?.config ?? ''
    expect(linesOf(/^GET \S*\/blobs\//).filter((line) => !line.includes(config))).toEqual([])
    expect(registry.lines().length, registry.lines().join('\n')).toBeLessThanOrEqual(4)
  })

  it('take over a layer of many files, and make it anew where one of them is another', async () => {
    for (let index = 0; index < 2100; index += 1)
      writeFileSync(join(folder, 'deps', `${index}.txt`), `${index}`)
    // As if they had been written long ago.
    const environment = { ...processEnvironment(), threads: 2, wallClockMs: () => Date.now() + 3_600_000 }
    const first = await machine(folder, 'one').run(appSpec(), { environment })
    const second = await machine(folder, 'two').run(appSpec(), { environment })
    expect(second.images[0]?.digest).toBe(first.images[0]?.digest)
    expect(layersOf(second).map(({ cached }) => cached)).toEqual([true, true])
    writeFileSync(join(folder, 'deps', '2000.txt'), '0002')
    const third = await machine(folder, 'three').run(appSpec(), { environment })
    expect(layersOf(third).map(({ cached }) => cached)).toEqual([false, true])
    const fourth = await machine(folder, 'two').run(appSpec(), { environment })
    expect(layersOf(fourth)[0]?.digest).toBe(layersOf(third)[0]?.digest)
  })

  it('make only what changed', async () => {
    await machine(folder, 'one').run(appSpec())
    writeFileSync(join(folder, 'app.js'), 'console.log(2)\n')
    registry.forgetRequests()
    const second = await machine(folder, 'two').run(appSpec())
    expect(layersOf(second).map(({ cached }) => cached)).toEqual([true, false])
    expect(linesOf(/^PUT \S*\/blobs\/uploads\//)).toHaveLength(2)
    expect(linesOf(/^GET \S*\/blobs\//)).toHaveLength(1)
  })

  it('find the layers of every platform below an index', async () => {
    const spec = appSpec({ platforms: ['linux/amd64', 'linux/arm64'] })
    const first = await machine(folder, 'one').run(spec)
    registry.forgetRequests()
    const second = await machine(folder, 'two').run(spec)
    expect(second.images[0]?.digest).toBe(first.images[0]?.digest)
    expect(layersOf(second).every(({ cached }) => cached)).toBe(true)
    expect(linesOf(uploads)).toEqual([])
  })

  it('make a layer after all where the registry lost its bytes', async () => {
    const first = await machine(folder, 'one').run(appSpec())
    const lost = layersOf(first)[0]?.digest ?? 'sha256:'
    const { blobs } = registry.state.open('team/app')
    blobs.delete(lost)
    // The manifest is there already, and only a tag is new.
    const tagged = await machine(folder, 'two').run(appSpec({ tags: ['1', '2'] }))
    expect(tagged.images[0]?.digest).toBe(first.images[0]?.digest)
    expect(blobs.has(lost)).toBe(true)
    blobs.delete(lost)
    // Another manifest names it.
    writeFileSync(join(folder, 'app.js'), 'console.log(2)\n')
    const changed = await machine(folder, 'three').run(appSpec())
    expect(layersOf(changed).map(({ cached }) => cached)).toEqual([true, false])
    expect(blobs.has(lost)).toBe(true)
  })
})

describe('a push again with one source file changed', () => {
  it.each([[['1']], [['1', 'latest']]])(
    'sends under 1 MB in at most 12 requests, with the tags %j',
    async (tags) => {
      const one = machine(folder, 'one')
      const base = { name: `${registry.host}/team/base`, layers: [{ file: '/base', content: 'base' }] }
      await one.run(appSpec(base))
      const spec = appSpec({ tags, base: `${registry.host}/team/base:1` })
      await one.run(spec)
      writeFileSync(join(folder, 'app.js'), 'console.log(2)\n')
      registry.forgetRequests()
      const { images } = await one.run(spec)
      const sent = registry.requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0)
      expect(sent).toBeLessThan(1_000_000)
      expect(registry.lines().length, registry.lines().join('\n')).toBeLessThanOrEqual(12)
      const { tags: named } = registry.state.open('team/app')
      expect(tags.map((tag) => named.get(tag))).toEqual(tags.map(() => images[0]?.digest))
    },
  )
})

describe('a private registry', () => {
  it('is asked with the rights of the push, and another repository only with those to read it', async () => {
    const ann = { username: 'ann', password: 'open sesame' }
    const closed = await forTest(
      startRegistry({ authentication: { kind: 'bearer', ...ann, server: 'other', anonymousPull: false } }),
    )
    const own = processEnvironment()
    const variables = {
      ...own.variables,
      OCIBUILD_REGISTRY_USERNAME: ann.username,
      OCIBUILD_REGISTRY_PASSWORD: ann.password,
    }
    const environment = { ...own, variables, homeDir: folder }
    const spec = appSpec({ name: `${closed.host}/team/app` })
    const first = await machine(folder, 'one').run(spec, { environment })
    closed.forgetRequests()
    const second = await machine(folder, 'two').run(spec, { environment })
    expect(second.images[0]?.digest).toBe(first.images[0]?.digest)
    expect(layersOf(second).every(({ cached }) => cached)).toBe(true)
    expect(closed.lines().filter((line) => uploads.test(line))).toEqual([])
    closed.forgetRequests()
    const elsewhere = appSpec({ name: `${closed.host}/team/next` })
    const cacheFrom = [`${closed.host}/team/app:1`]
    const third = await machine(folder, 'three').run(elsewhere, { environment, cacheFrom })
    expect(layersOf(third).map(({ cachedFrom }) => cachedFrom)).toEqual([...cacheFrom, ...cacheFrom])
    const scopes = closed
      .lines()
      .filter((line) => line.includes('/token'))
      .map((line) => decodeURIComponent(line))
    expect(scopes.some((line) => line.includes('repository:team/app:pull,push'))).toBe(false)
  })
})

describe('what is believed', () => {
  const foreign = (): string => `${registry.host}/other/app:1`

  it('is no other tag, unless it is named, and then its layers are mounted', async () => {
    await machine(folder, 'one').run(appSpec({ name: `${registry.host}/other/app` }))
    registry.forgetRequests()
    const alone = await machine(folder, 'two').run(appSpec())
    expect(layersOf(alone).map(({ cached }) => cached)).toEqual([false, false])
    expect(linesOf(/other/)).toEqual([])
    registry.state.open('team/app').manifests.clear()
    registry.state.open('team/app').blobs.clear()
    registry.forgetRequests()
    const named = await machine(folder, 'three').run(appSpec(), { cacheFrom: [foreign()] })
    expect(layersOf(named).map(({ cachedFrom }) => cachedFrom)).toEqual([foreign(), foreign()])
    // The config too: it was read there.
    expect(linesOf(/^POST \S+mount=\S+ 201/)).toHaveLength(3)
    expect(linesOf(/^PUT \S*\/blobs\/uploads\//)).toEqual([])
    expect(named.images[0]?.digest).toBe(alone.images[0]?.digest)
  })

  it('is nothing at all without the cache', async () => {
    await machine(folder, 'one').run(appSpec())
    const again = await machine(folder, 'two').run(appSpec(), { cache: false })
    expect(layersOf(again).map(({ cached }) => cached)).toEqual([false, false])
  })

  it('is found out by --verify-cache where it lies', async () => {
    const one = machine(folder, 'one')
    await one.run(appSpec())
    const name = `${registry.host}/team/app:1`
    // The layers change places, the keys stay: each says that it is made of the other's files.
    await tamper(name, name, ({ manifest, config }) => ({
      manifest: {
        ...manifest,
        layers: manifest.layers.map((layer, index, { length }) => ({
          ...layer,
          annotations: manifest.layers[length - 1 - index]?.annotations,
        })),
      },
      config,
    }))
    const believed = await machine(folder, 'two').run(appSpec({ outputs: ['registry'] }))
    expect(layersOf(believed).every(({ cached }) => cached)).toBe(true)
    await expect(machine(folder, 'three').run(appSpec(), { verifyCache: true })).rejects.toMatchObject({
      code: 'OCB-CACHE-WRONG',
    })
    const honest = machine(folder, 'one')
    const verified = await honest.run(appSpec({ outputs: [`oci:${folder}/image`] }), { verifyCache: true })
    expect(layersOf(verified).map(({ cached }) => cached)).toEqual([false, false])
  })

  it('is held against its diffID once its bytes are needed', async () => {
    await machine(folder, 'one').run(appSpec({ name: `${registry.host}/other/app` }))
    const local = appSpec({ outputs: [`oci:${folder}/image`] })
    const good = await machine(folder, 'two').run(local, { cacheFrom: [foreign()] })
    expect(layersOf(good).every(({ cachedFrom }) => cachedFrom === foreign())).toBe(true)
    await tamper(foreign(), foreign(), ({ manifest, config }) => {
      const diffIds = config.rootfs.diff_ids.toReversed()
      return { manifest, config: { ...config, rootfs: { type: 'layers', diff_ids: diffIds } } }
    })
    await expect(machine(folder, 'three').run(local, { cacheFrom: [foreign()] })).rejects.toMatchObject({
      code: 'OCB-CACHE-WRONG',
    })
  })

  it.each<[string, object]>([
    ['no manifest', { schemaVersion: 2, layers: 'none' }],
    ['no config', { schemaVersion: 2, config: describeBytes(mediaTypes.config, '{}'), layers: [] }],
  ])('is nothing of a tag that holds %s, and the tag is overwritten', async (_, document) => {
    registry.state.addManifest('team/app', mediaTypes.manifest, document, ['1'])
    const { images, warnings } = await machine(folder, 'one').run(appSpec())
    expect(warnings).toEqual([])
    expect(registry.state.open('team/app').tags.get('1')).toBe(images[0]?.digest)
  })

  it('is no layer of an unknown kind, and none whose config has another number of them', async () => {
    await machine(folder, 'one').run(appSpec())
    const name = `${registry.host}/team/app:1`
    await tamper(name, name, ({ manifest, config }) => {
      const [first, second] = manifest.layers
      const layers = [first && { ...first, mediaType: 'application/x-layer' }, second]
      return { config, manifest: { ...manifest, layers: layers.filter((layer) => layer !== undefined) } }
    })
    const odd = await machine(folder, 'two').run(appSpec())
    expect(layersOf(odd).map(({ cached }) => cached)).toEqual([false, true])
    await tamper(name, name, ({ manifest, config }) => {
      const diffIds = config.rootfs.diff_ids.slice(1)
      return { manifest, config: { ...config, rootfs: { type: 'layers', diff_ids: diffIds } } }
    })
    const short = await machine(folder, 'three').run(appSpec())
    expect(layersOf(short).map(({ cached }) => cached)).toEqual([false, false])
  })

  it('may be missing, and is warned of where it cannot be read', async () => {
    const { warnings } = await machine(folder, 'one').run(appSpec(), {
      cacheFrom: [`${registry.host}/none/app:1`, 'oci:nowhere'],
    })
    expect(warnings).toEqual([])
    writeFileSync(join(folder, 'file'), '')
    const odd = await machine(folder, 'two').run(appSpec(), { cacheFrom: [`oci:${folder}/file`] })
    expect(odd.warnings.map(({ code }) => code)).toEqual(['OCB-CACHE-FROM'])
    await expect(machine(folder, 'two').run(appSpec(), { cacheFrom: ['scratch'] })).rejects.toMatchObject({
      code: 'OCB-USAGE-CACHE-FROM',
    })
  })
})
