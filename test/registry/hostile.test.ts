import { copyGraph } from '../../src/content/copy-graph.ts'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { OciBuildError } from '../../src/errors.ts'
import { openRegistry, type RegistryStore } from '../../src/registry/registry-store.ts'
import { describe, expect, it } from 'vitest'
import type { FaultAction } from '../helpers/registry/fault-proxy.ts'
import { startNetwork, type Network, type NetworkOptions } from './network-kit.ts'

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const credential = { kind: 'basic', username: 'me', password: 'secret:pass' } as const

async function seeded(options: NetworkOptions = {}): Promise<Network> {
  const network = await startNetwork(options)
  await network.seed()
  return network
}

function open({ proxy, context }: Network): RegistryStore {
  return openRegistry({ host: proxy.host, repository: 'app' }, context)
}

/** The error of a pull that must fail; nothing of the image's root is stored. */
async function failedPull(network: Network): Promise<OciBuildError> {
  const store = createMemoryStore()
  const source = open(network)
  const outcome: unknown = await (async () => {
    const root = await source.resolve('v1')
    await copyGraph(source, root, store, { concurrency: 1 })
    return 'it succeeded'
  })().catch((error: unknown) => error)
  if (!(outcome instanceof OciBuildError))
    throw new Error(`no OciBuildError: ${String(outcome)}`, { cause: outcome })
  expect(await store.has(network.image.root)).toBe(false)
  expect(outcome.hint).not.toBe('')
  return outcome
}

const always = (path: RegExp, action: FaultAction) => [{ method: 'GET', path, times: Infinity, action }]
const answer = (body: string, type = manifestType): FaultAction => ({
  kind: 'answer',
  status: 200,
  headers: { 'Content-Type': type },
  body,
})
const nested = `{"schemaVersion":2,"layers":${'['.repeat(1_900_000)}${']'.repeat(1_900_000)}}`

describe('a manifest', () => {
  it.each<[string, FaultAction, RegExp]>([
    ['that was altered', { kind: 'alter-answer', at: 30 }, /^OCB-CONTENT-/],
    ['that was cut short without a word', { kind: 'truncate-answer', bytes: 100 }, /^OCB-CONTENT-/],
    [
      'that never ends',
      { kind: 'endless', contentType: manifestType, prefix: '{"schemaVersion":2,"a":"' },
      /^OCB-/,
    ],
    ['that is a JSON bomb', answer(nested), /^OCB-/],
    ['that is the page of a hotel’s network', answer('<html>Welcome</html>', 'text/html'), /^OCB-/],
    ['that is empty', answer(''), /^OCB-/],
    ['that redirects in a circle', { kind: 'redirect-to-itself' }, /^OCB-REGISTRY-REDIRECT$/],
    [
      'that redirects to a file',
      { kind: 'answer', status: 307, headers: { Location: 'file:///etc/passwd' } },
      /^OCB-REGISTRY-REDIRECT$/,
    ],
    ['that redirects nowhere', { kind: 'answer', status: 307 }, /^OCB-REGISTRY-REDIRECT$/],
  ])('%s is an error, and nothing is kept', async (_, action, code) => {
    const network = await seeded()
    network.proxy.follow(always(/\/manifests\//, action))
    const startedMs = performance.now()
    expect((await failedPull(network)).code).toMatch(code)
    expect(performance.now() - startedMs).toBeLessThan(5000)
  })

  it.each([true, false])(
    'under a tag that is no manifest is an error where it is read (digest in the header: %s)',
    async (digestHeader) => {
      const network = await seeded({ registry: { digestHeader } })
      network.registry.state.addManifest('app', manifestType, Buffer.from(nested), ['v1'])
      expect((await failedPull(network)).code).toMatch(/^OCB-/)
    },
  )

  it('with another digest in the header than its bytes have is an error', async () => {
    const network = await seeded()
    const set = { 'Docker-Content-Digest': `sha256:${'0'.repeat(64)}` }
    network.proxy.follow([{ path: /\/manifests\//, times: Infinity, action: { kind: 'headers', set } }])
    expect((await failedPull(network)).code).toMatch(/^OCB-(CONTENT|REGISTRY)-/)
    await expect(open(network).resolveRaw('v1')).rejects.toMatchObject({
      code: expect.stringMatching(/^OCB-(CONTENT|REGISTRY)-/),
    })
  })

  it.each([true, false])(
    'whose layers lie about size or digest is an error (digest in headers: %s)',
    async (digestHeader) => {
      const network = await seeded({ registry: { digestHeader } })
      const { blobs } = network.registry.state.open('app')
      const layer = network.image.layers[0]?.digest ?? ''
      const bytes = blobs.get(layer) ?? Buffer.alloc(0)
      blobs.set(layer, Buffer.concat([bytes, Buffer.from('more')]))
      expect((await failedPull(network)).code).toBe('OCB-CONTENT-MISMATCH')
      blobs.set(layer, bytes.subarray(1))
      expect((await failedPull(network)).code).toBe('OCB-CONTENT-MISMATCH')
    },
  )
})

describe('a blob', () => {
  it.each<[string, FaultAction]>([
    ['that was altered', { kind: 'alter-answer', at: 100 }],
    ['that was cut short without a word', { kind: 'truncate-answer', bytes: 100 }],
    ['that never ends', { kind: 'endless', contentType: 'application/octet-stream', prefix: 'x' }],
  ])('%s is an error, and nothing is kept', async (_, action) => {
    const network = await seeded()
    network.proxy.follow(always(/\/blobs\//, action))
    expect((await failedPull(network)).code).toBe('OCB-CONTENT-MISMATCH')
  })

  it('that a cut tries to splice with other bytes is an error', async () => {
    const network = await seeded()
    const path = new RegExp(network.image.layers[0]?.digest ?? '')
    network.proxy.follow([
      { path, action: { kind: 'cut-answer', afterBytes: 100_000 } },
      { path, times: Infinity, action: { kind: 'headers', set: { 'Content-Range': 'bytes 0-9/10' } } },
    ])
    expect((await failedPull(network)).code).toMatch(/^OCB-/)
  })
})

describe('a list of tags', () => {
  it.each<[string, FaultAction]>([
    ['that never ends', { kind: 'endless', contentType: 'application/json', prefix: '{"tags":["' }],
    [
      'that is a JSON bomb',
      answer(`{"tags":${'['.repeat(1_900_000)}${']'.repeat(1_900_000)}}`, 'application/json'),
    ],
    [
      'whose next page is itself',
      { kind: 'headers', set: { Link: '</v2/app/tags/list?n=1000>; rel="next"' } },
    ],
    ['with a name that no tag has', answer('{"tags":["\\u001b[2J"]}', 'application/json')],
  ])('%s is an error', async (_, action) => {
    const network = await seeded()
    network.proxy.follow(always(/\/tags\//, action))
    const read = async (): Promise<void> => {
      for await (const _ of open(network).listTags());
    }
    await expect(read()).rejects.toBeInstanceOf(OciBuildError)
  })
})

describe('a token service', () => {
  const registry = { authentication: { kind: 'bearer', username: 'me', password: 'secret:pass' } } as const

  it.each<[string, FaultAction]>([
    ['that never ends', { kind: 'endless', contentType: 'application/json', prefix: '{"token":"' }],
    ['that sends a JSON bomb', answer(nested, 'application/json')],
    ['that sends no token', answer('{"token":7}', 'application/json')],
    ['whose token would be a header of its own', answer('{"token":"a\\r\\nX-Evil: 1"}', 'application/json')],
    ['that redirects in a circle', { kind: 'redirect-to-itself' }],
  ])('%s is an error without a secret in it', async (_, action) => {
    const network = await seeded({ registry, credential })
    network.proxy.follow([{ path: /^\/token/, times: Infinity, action }])
    const error = await failedPull(network)
    expect(error.code).toMatch(/^OCB-/)
    expect(JSON.stringify([error.message, error.hint])).not.toMatch(/secret|bWU6|Evil/)
  })

  it.each(['file:///etc/passwd', 'javascript:1', 'http://', ''])('at %s is not asked', async (realm) => {
    const network = await seeded({ credential })
    const headers = { 'WWW-Authenticate': `Bearer realm="${realm}",service="x"` }
    network.proxy.follow([{ times: Infinity, action: { kind: 'answer', status: 401, headers } }])
    expect((await failedPull(network)).code).toMatch(/^OCB-REGISTRY-(PROTOCOL|AUTH)$/)
  })

  it('that gives tokens which the registry never takes is an end', async () => {
    const network = await seeded({
      registry: { authentication: { ...registry.authentication, uses: 0 } },
      credential,
    })
    expect((await failedPull(network)).code).toBe('OCB-REGISTRY-AUTH')
    expect(network.registry.requests.length).toBeLessThan(10)
  })
})

describe('an upload', () => {
  it.each<[string, string | undefined]>([
    ['nowhere', undefined],
    ['to a file', 'file:///etc/passwd'],
    ['to what is no URL', 'http://['],
  ])('whose Location leads %s is an error', async (_, Location) => {
    const network = await startNetwork()
    network.proxy.follow([
      { method: 'POST', times: Infinity, action: { kind: 'headers', set: { Location } } },
    ])
    await expect(network.push()).rejects.toMatchObject({ code: 'OCB-REGISTRY-PROTOCOL' })
    expect(network.registry.state.resolve('app', 'v1')).toBeUndefined()
  })
})
