import { afterAll, beforeAll, expect, it } from 'vitest'
import { copyGraph } from '../../src/content/copy-graph.ts'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import type { RegistrySettings } from '../../src/registry/registry-context.ts'
import { openRegistry } from '../../src/registry/registry-store.ts'
import { closeRegistries } from '../../src/registry/sessions.ts'
import { makeImage, plainLayer, rawTar, type HandMadeImage } from '../helpers/hand-made-image.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { makeCertificates, type Certificates } from '../helpers/registry/certificates.ts'
import { downHost, startSilentHost } from '../helpers/registry/down.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startForwardProxy } from '../helpers/registry/forward-proxy.ts'
import { startRegistry, type RegistryOptions, type TestRegistry } from '../helpers/registry/registry.ts'
import { testContext, type TestContext, type TestContextOptions } from './context.ts'

describeWithPeers('a registry behind TLS, proxies and mirrors', ['openssl'], () => {
  let certificates: Certificates
  let image: HandMadeImage
  beforeAll(async () => {
    certificates = makeCertificates(['registry.corp'])
    image = await makeImage([plainLayer(rawTar([{ name: 'a', content: 'a'.repeat(5000) }]))])
  })
  afterAll(() => certificates.remove())

  const start = (options: RegistryOptions = {}): Promise<TestRegistry> => forTest(startRegistry(options))
  const contextFor = async (options: TestContextOptions): Promise<TestContext> => {
    const limits = { attempts: 2, timeouts: { connectMs: 500, headersMs: 500, idleMs: 500 } }
    const context = testContext({ limits, ...options })
    await forTest({ close: async () => await closeRegistries(context) })
    return context
  }
  const copyTo = async (host: string, options: TestContextOptions): Promise<TestContext> => {
    const context = await contextFor(options)
    const store = openRegistry({ host, repository: 'app' }, context, { access: 'push' })
    await copyGraph(image.store, image.root, store)
    await store.tag(image.root, 'v1')
    return context
  }
  const pull = async (host: string, repository: string, context: TestContext): Promise<string> => {
    const store = openRegistry({ host, repository }, context)
    const root = await store.resolve('v1')
    await copyGraph(store, root, createMemoryStore())
    return root.digest
  }
  const corp = (more: Partial<RegistrySettings> = {}): Partial<RegistrySettings> => ({
    ca: [certificates.authority],
    ...more,
  })

  it('is pushed to with a private authority and a client certificate', async () => {
    const registry = await start({ tls: { ...certificates.server, clientAuthority: certificates.authority } })
    const { certificate: clientCert, key: clientKey } = certificates.client
    await copyTo(registry.host, { settings: { [registry.host]: corp({ clientCert, clientKey }) } })
    expect(registry.state.resolve('app', 'v1')).toBe(image.root.digest)
  })

  it.each<[string, () => Partial<RegistrySettings>]>([
    ['an authority that nobody named', () => ({})],
    ['no client certificate', () => corp()],
  ])('is refused with %s, as TLS and never as plain HTTP', async (_, settings) => {
    const registry = await start({ tls: { ...certificates.server, clientAuthority: certificates.authority } })
    const failed = copyTo(registry.host, { settings: { [registry.host]: settings() } })
    await expect(failed).rejects.toMatchObject({ code: expect.stringMatching(/^OCB-NETWORK-/) })
    expect(registry.requests).toEqual([])
  })

  it('with an expired certificate is refused, and spoken to where it is said to be insecure', async () => {
    const registry = await start({ tls: certificates.expired })
    const settings = { [registry.host]: corp() }
    await expect(copyTo(registry.host, { settings })).rejects.toMatchObject({
      code: 'OCB-NETWORK-TLS',
      message: expect.stringContaining('expired'),
    })
    await copyTo(registry.host, { settings: { [registry.host]: { insecure: true } } })
    expect(registry.state.resolve('app', 'v1')).toBe(image.root.digest)
  })

  it('keeps its client certificate from the host that takes uploads', async () => {
    const tls = { ...certificates.server, clientAuthority: certificates.authority }
    const registry = await start({ tls, uploadLocation: 'other-host' })
    const { certificate: clientCert, key: clientKey } = certificates.client
    const settings = { [registry.host]: corp({ clientCert, clientKey }) }
    await expect(copyTo(registry.host, { settings })).rejects.toMatchObject({
      code: expect.stringMatching(/^OCB-NETWORK-/),
    })
    expect(registry.requests.filter(({ server }) => server === 'uploads')).toEqual([])
  })

  it('is reached through a proxy that asks for a password, TLS in a tunnel', async () => {
    const registry = await start({ tls: certificates.server })
    const hosts = { 'registry.corp:443': registry.host }
    const proxy = await forTest(startForwardProxy({ username: 'me', password: 'p@ss', hosts }))
    await copyTo('registry.corp', {
      settings: { 'registry.corp': corp() },
      variables: { HTTPS_PROXY: proxy.url },
    })
    expect(registry.state.resolve('app', 'v1')).toBe(image.root.digest)
    expect(
      proxy.requests.every(({ line, status }) => line === 'CONNECT registry.corp:443' && status === 200),
    ).toBe(true)
    expect(proxy.requests.every(({ authorization }) => authorization === undefined)).toBe(true)
  })

  it('is reached through a proxy over plain HTTP where it is insecure', async () => {
    const registry = await start()
    const proxy = await forTest(startForwardProxy({ hosts: { 'plain.corp:80': registry.host } }))
    await copyTo('plain.corp', {
      settings: { 'plain.corp': { insecure: true } },
      variables: { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url },
    })
    expect(registry.state.resolve('app', 'v1')).toBe(image.root.digest)
    expect(proxy.requests.some(({ line }) => line.startsWith('PUT http://plain.corp/v2/'))).toBe(true)
  })

  it('is not reached through a proxy that refuses, and the error has no password', async () => {
    const proxy = await forTest(startForwardProxy({ username: 'me', password: 'right' }))
    const url = proxy.url.replace('right', 'wrong-secret')
    const failed = copyTo('registry.corp', {
      settings: { 'registry.corp': corp() },
      variables: { HTTPS_PROXY: url },
    })
    await expect(failed).rejects.toMatchObject({ code: expect.stringMatching(/^OCB-/) })
    await expect(failed).rejects.toThrow(/proxy answered CONNECT with status 407/)
    await failed.catch((error: unknown) => expect(String(error)).not.toContain('wrong-secret'))
  })

  it('is not asked where a mirror has the image; pushes never go there', async () => {
    const registry = await start()
    await copyTo(registry.host, {})
    const mirror = await start({ mirrorOf: { state: registry.state, prefix: 'hub' } })
    registry.forgetRequests()
    const settings = { [registry.host]: { mirrors: [`${mirror.host}/hub`] } }
    const context = await contextFor({ settings })
    expect(await pull(registry.host, 'app', context)).toBe(image.root.digest)
    expect(registry.requests).toEqual([])
    expect(mirror.requests.length).toBeGreaterThan(0)
    mirror.forgetRequests()
    await copyTo(registry.host, { settings })
    expect(mirror.requests).toEqual([])
  })

  it.each<[string, () => Promise<string>]>([
    ['is down', downHost],
    ['never says a word', async () => (await forTest(startSilentHost())).host],
    ['lacks the image', async () => (await start()).host],
    ['fails', async () => (await start({ rateLimit: { requests: 0 } })).host],
  ])('is read from itself where its mirror %s', async (_, mirrorHost) => {
    const registry = await start()
    await copyTo(registry.host, {})
    const context = await contextFor({ settings: { [registry.host]: { mirrors: [await mirrorHost()] } } })
    expect(await pull(registry.host, 'app', context)).toBe(image.root.digest)
  })

  it('is read from itself where its mirror holds altered bytes', async () => {
    const registry = await start()
    await copyTo(registry.host, {})
    const mirror = await start()
    for (const [digest, bytes] of registry.state.open('app').blobs)
      mirror.state.open('app').blobs.set(digest, Buffer.from(bytes.toReversed()))
    for (const [digest, manifest] of registry.state.open('app').manifests)
      mirror.state
        .open('app')
        .manifests.set(digest, { ...manifest, bytes: Buffer.from(`${manifest.bytes.toString()} `) })
    const context = await contextFor({ settings: { [registry.host]: { mirrors: [mirror.host] } } })
    const outcome = await pull(registry.host, 'app', context).catch((error: unknown) => error)
    if (outcome !== image.root.digest) expect(outcome).toMatchObject({ code: 'OCB-CONTENT-MISMATCH' })
  })
})
