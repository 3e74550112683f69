import { describe, expect, it } from 'vitest'
import { copyGraph } from '../../src/content/copy-graph.ts'
import { openRegistry } from '../../src/registry/registry-store.ts'
import { statusFault } from '../helpers/registry/fault-proxy.ts'
import type { BearerAuthentication, RegistryOptions } from '../helpers/registry/options.ts'
import { expectPushed, failureOf, startNetwork } from './network-kit.ts'

const user = { kind: 'basic', username: 'me', password: 'secret:pass' } as const
const bearer: BearerAuthentication = { kind: 'bearer', username: 'me', password: 'secret:pass' }

describe('a push goes through to a registry', () => {
  it.each<[string, RegistryOptions]>([
    ['with relative Locations', { uploadLocation: 'relative' }],
    ['with Locations whose query must come back', { criticalQuery: true }],
    [
      'with relative Locations whose query must come back',
      { criticalQuery: true, uploadLocation: 'relative' },
    ],
    [
      'that takes uploads on another host, without credentials',
      { uploadLocation: 'other-host', authentication: user },
    ],
    ['that limits bodies, in chunks', { maxBodyBytes: 100_000 }],
    ['that limits bodies, in chunks, by critical queries', { maxBodyBytes: 100_000, criticalQuery: true }],
    ['that wants chunks of a least length', { maxBodyBytes: 150_000, chunkMinLength: 120_000 }],
    ['that knows Basic', { authentication: user }],
    ['that knows Bearer', { authentication: bearer }],
    ['whose token server is another one', { authentication: { ...bearer, server: 'other' } }],
    [
      'whose token server knows only GET',
      { authentication: { ...bearer, forms: ['GET'], field: 'access_token' } },
    ],
    ['that says no digest in headers', { digestHeader: false }],
    ['that has no referrers', { referrers: false }],
    ['that takes many tags at once', { tagQuery: true }],
    ['that cannot delete uploads or anything', { delete: false }],
  ])('%s', async (_, registry) => {
    const network = await startNetwork({ registry, credential: registry.authentication ? user : undefined })
    await network.push()
    expectPushed(network)
    expect(network.registry.state.uploads.size).toBe(0)
    expect(await network.pull()).toBe(network.image.root.digest)
  })

  it('that limits bodies to less than a chunk', async () => {
    const limits = { chunkBytes: 512 * 1024 }
    const network = await startNetwork({ registry: { maxBodyBytes: 140_000 }, limits, layerBytes: 1_200_000 })
    await network.push()
    expectPushed(network)
  })

  it.each([1, 2, 3, 5])('whose tokens are good for %i requests', async (uses) => {
    const network = await startNetwork({
      registry: { authentication: { ...bearer, uses } },
      credential: user,
    })
    await network.push()
    expectPushed(network)
    expect(await network.pull()).toBe(network.image.root.digest)
  })

  it('that hands blobs out from another host, without credentials', async () => {
    const network = await startNetwork({
      registry: { blobs: 'other-host', authentication: bearer },
      credential: user,
    })
    await network.seed()
    expect(await network.pull()).toBe(network.image.root.digest)
    const storage = network.registry.requests.filter(({ server }) => server === 'storage')
    expect(storage.map(({ authorization, status }) => [authorization, status])).toEqual(
      storage.map(() => [undefined, 200]),
    )
    expect(storage.length).toBe(3)
  })

  it('that holds an identity token', async () => {
    const authentication = { kind: 'bearer', identityToken: 'identity-1', anonymousPull: false } as const
    const credential = { kind: 'identity-token', token: 'identity-1' } as const
    const network = await startNetwork({ registry: { authentication }, credential })
    await network.push()
    expectPushed(network)
  })
})

describe('a chunked upload', () => {
  const registry = { maxBodyBytes: 100_000 }
  const patch = { method: 'PATCH' }

  it.each([
    ['is cut', { kind: 'cut-request', afterBytes: 30_000 }],
    ['loses its answer', { kind: 'lose-answer' }],
    ['is reset', { kind: 'reset' }],
    ['is not answered', { kind: 'stall', at: 'headers' }],
    ['is refused for a while', statusFault(503)],
  ] as const)('asks how far it got and goes on where a chunk %s', async (_, action) => {
    const network = await startNetwork({ registry, plan: [{ ...patch, skip: 1, times: 1, action }] })
    await network.push()
    expectPushed(network)
    const status = network.registry.requests.filter(
      ({ method, target }) => method === 'GET' && target.includes('/uploads/'),
    )
    expect(status.length).toBeGreaterThanOrEqual(1)
  })

  it('begins again where the session is forgotten', async () => {
    const network = await startNetwork({ registry, plan: [{ ...patch, skip: 2, action: statusFault(404) }] })
    await network.push()
    expectPushed(network)
  })
})

describe('a mount', () => {
  const mounting = { cachedRepositories: () => ['base'] }
  const posts = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith('POST'))

  it('sends no layer that another repository has', async () => {
    const network = await startNetwork({ context: mounting })
    await network.seed('base')
    await network.push()
    expectPushed(network)
    const uploaded = network.registry.requests.filter(
      ({ method, target }) => method === 'PUT' && target.includes('/uploads/'),
    )
    expect(uploaded.length).toBeLessThanOrEqual(1)
  })

  it('sends the bytes into the session that a 202 opens', async () => {
    const network = await startNetwork({ context: mounting, registry: { mount: 'refuse' } })
    await network.seed('base')
    await network.push()
    expectPushed(network)
    expect(network.registry.state.uploads.size).toBe(0)
    expect(posts(network.registry.lines()).some((line) => line.includes('from=base'))).toBe(true)
  })

  it.each(['refuse', 'reduce'] as const)(
    'is given up where the token for its source is denied (%s)',
    async (denied) => {
      const grants = (repository: string): boolean => repository === 'app'
      const authentication = { ...bearer, grants, denied }
      const network = await startNetwork({
        context: mounting,
        registry: { authentication },
        credential: user,
      })
      await network.seed('base')
      await network.push()
      expectPushed(network)
    },
  )

  it('asks for one token with both scopes', async () => {
    const network = await startNetwork({
      context: mounting,
      registry: { authentication: bearer },
      credential: user,
    })
    await network.seed('base')
    await network.push()
    expectPushed(network)
    const mounted = network.registry.requests.filter(
      ({ target, status }) => target.includes('mount=') && status === 201,
    )
    expect(mounted.length).toBeGreaterThanOrEqual(2)
  })
})

describe('tags and repeated pushes', () => {
  it('pushes what is there already without a PUT, also to immutable tags', async () => {
    const network = await startNetwork({ registry: { immutableTags: true } })
    await network.push()
    network.proxy.follow([])
    await network.push()
    const lines = network.proxy.requests.map(({ line }) => line.split(' ')[0])
    expect(lines).not.toContain('PUT')
    expect(lines).not.toContain('POST')
    expect(lines.length).toBeLessThanOrEqual(3)
  })

  it('says that an immutable tag refuses another image', async () => {
    const network = await startNetwork({ registry: { immutableTags: true } })
    network.registry.state.addManifest('app', network.image.root.mediaType, { schemaVersion: 2 }, ['v1'])
    const error = await failureOf(network.push())
    expect(error.message).toContain('tags are immutable')
  })

  it('sends a blob after all that a manifest was wrongly taken to prove', async () => {
    const network = await startNetwork()
    await network.push()
    // The registry lost a layer, and still has the manifest that lists it.
    const lost = network.image.layers[0]?.digest ?? ''
    const { blobs, manifests } = network.registry.state.open('app')
    blobs.delete(lost)
    manifests.delete(network.image.root.digest)
    const store = await openRegistry({ host: network.proxy.host, repository: 'app' }, network.context)
    await copyGraph(network.image.store, network.image.root, store, { concurrency: 1 })
    await store.tag(network.image.root, 'v1')
    expectPushed(network)
  })
})
