import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { processEnvironment } from '../../src/environment.ts'
import { parseImageManifest } from '../../src/spec/parse-image-manifest.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry, type TestRegistry } from '../helpers/registry/registry.ts'
import { machine } from './shared-cache-kit.ts'

let folder: string
let registry: TestRegistry

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ocibuild-cache-'))
  mkdirSync(join(folder, 'deps'))
  writeFileSync(join(folder, 'app.js'), 'console.log(1)\n')
  writeFileSync(join(folder, 'deps/a.js'), 'exports.n = 1\n'.repeat(500))
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

describe('a cache manifest', () => {
  const images = (): object => ({
    defaults: { platforms: ['linux/amd64', 'linux/arm64'], created: 'epoch', metadata: 'none' },
    images: {
      web: appSpec({ name: `${registry.host}/team/web` }),
      worker: {
        ...appSpec({ name: `${registry.host}/team/worker` }),
        layers: [{ name: 'other', entries: [{ copy: 'app.js', to: '/worker.js' }] }],
      },
    },
  })
  const cache = (): string => `${registry.host}/team/cache:main`

  it('holds the layers of all images and platforms once, and is no image', async () => {
    await machine(folder, 'one').run(images(), { cacheTo: [cache()] })
    const { manifests, tags } = registry.state.open('team/cache')
    const text = manifests.get(tags.get('main') ?? '')?.bytes.toString() ?? ''
    const manifest = parseImageManifest(JSON.parse(text))
    expect(manifest.artifactType).toBe('application/vnd.ocibuild.layers.v1')
    expect(manifest.layers).toHaveLength(3)
    expect(manifest.layers.every(({ annotations }) => annotations?.['dev.ocibuild.layer.key'])).toBe(true)
    // The same layers are in the images' repositories: they were sent once.
    const sent = linesOf(/^PUT \S*\/blobs\/uploads\//).length
    expect(sent).toBeLessThanOrEqual(3 + 2 + 4 + 1)
  })

  it('gives its layers to a build that pushes elsewhere, by mounts', async () => {
    await machine(folder, 'one').run(images(), { cacheTo: [cache()] })
    registry.forgetRequests()
    const named = { name: `${registry.host}/fresh/app`, platforms: ['linux/amd64'] }
    const {
      images: [image],
    } = await machine(folder, 'two').run(appSpec(named), { cacheFrom: [cache()] })
    expect(image?.platforms[0]?.layers.map(({ cachedFrom }) => cachedFrom)).toEqual([cache(), cache()])
    expect(linesOf(/^PUT \S*\/blobs\/uploads\//)).toHaveLength(1)
  })

  it('is written with the password of a push, which goes to no registry that is only read', async () => {
    const ann = { kind: 'basic', username: 'ann', password: 'open sesame' } as const
    const closed = await forTest(startRegistry({ authentication: ann }))
    const own = processEnvironment()
    const { username: OCIBUILD_REGISTRY_USERNAME, password: OCIBUILD_REGISTRY_PASSWORD } = ann
    const variables = { ...own.variables, OCIBUILD_REGISTRY_USERNAME, OCIBUILD_REGISTRY_PASSWORD }
    const environment = { ...own, variables, homeDir: folder }
    await machine(folder, 'one').run(appSpec({ name: `${registry.host}/team/base` }))
    registry.forgetRequests()
    const spec = appSpec({ base: `${registry.host}/team/base:1`, outputs: [`oci:${folder}/image`] })
    await machine(folder, 'two').run(spec, { environment, cacheTo: [`${closed.host}/team/cache:main`] })
    expect(closed.state.open('team/cache').tags.has('main')).toBe(true)
    expect(registry.requests.map(({ authorization }) => authorization)).not.toContainEqual(expect.any(String))
  })

  it('may lie in a folder', async () => {
    const folderCache = `oci:${folder}/shared`
    await machine(folder, 'one').run(appSpec(), { cacheTo: [folderCache] })
    const local = appSpec({ outputs: [`oci:${folder}/image`] })
    const second = await machine(folder, 'two').run(local, { cacheFrom: [folderCache], offline: true })
    const [image] = second.images
    const layers = image?.platforms[0]?.layers ?? []
    expect(layers.map(({ cachedFrom }) => cachedFrom)).toEqual([folderCache, folderCache])
  })

  it.each([
    '127.0.0.1:1/team/app',
    '127.0.0.1:1/team/app:1',
    'registry',
    'docker-archive:x.tar',
    'oci-archive:-',
  ])('is not written to %s', async (place) => {
    const spec = appSpec({ name: '127.0.0.1:1/team/app' })
    await expect(machine(folder, 'one').run(spec, { cacheTo: [place] })).rejects.toMatchObject({
      code: 'OCB-USAGE-CACHE-TO',
    })
  })
})
