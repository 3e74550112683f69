/** Which way a host is reached: TLS, plain HTTP, private authorities, client certificates, proxies, mirrors. */

import { describe, expect, it, onTestFinished } from 'vitest'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { createEndpoint } from '../../src/registry/endpoint.ts'
import { pushGraph } from '../../src/registry/push-graph.ts'
import { openRegistry } from '../../src/registry/registry-store.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { bytesOf, collectBytes, describeBytes, putImage } from '../helpers/images.ts'
import { makeCertificates } from '../helpers/registry/certificates.ts'
import { downHost } from '../helpers/registry/down.ts'
import { startFaultProxy, statusFault } from '../helpers/registry/fault-proxy.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startForwardProxy } from '../helpers/registry/forward-proxy.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { startRegistry } from '../helpers/registry/registry.ts'
import { testContext, type TestContextOptions } from './context.ts'

const hello = describeBytes('text/plain', 'hello')
const at = (host: string, options: TestContextOptions = {}, repository = 'team/app') =>
  openRegistry({ host, repository }, testContext(options))

function certificates() {
  const made = makeCertificates(['registry.test'])
  onTestFinished(() => made.remove())
  return made
}

describe('the address', () => {
  it.each([
    ['docker.io', false, 'https://registry-1.docker.io/', false],
    ['registry.example.com', false, 'https://registry.example.com/', false],
    ['registry.example.com', true, 'https://registry.example.com/', true],
    ['localhost:5000', false, 'https://localhost:5000/', true],
    ['127.9.9.9', false, 'https://127.9.9.9/', true],
    ['[::1]:5000', false, 'https://[::1]:5000/', true],
    ['10.0.0.1:5000', false, 'https://10.0.0.1:5000/', false],
    ['localhost.example.com', false, 'https://localhost.example.com/', false],
  ])('of %s (insecure: %s) is %s, plain HTTP: %s', (host, insecure, origin, plain) => {
    const endpoint = createEndpoint({ host, mirrors: [], insecure })
    expect([endpoint.origin().href, endpoint.allowsPlainHttp, endpoint.fallBack('https:')]).toEqual([
      origin,
      plain,
      plain,
    ])
  })

  it('stays with TLS once TLS answered', () => {
    const endpoint = createEndpoint({ host: 'localhost:5000', mirrors: [], insecure: false })
    endpoint.settle()
    expect(endpoint.fallBack('https:')).toBe(false)
  })
})

describeWithPeers('TLS', ['openssl'], () => {
  it('with a private authority works where the settings name it, and is a clear error elsewhere', async () => {
    const { authority, server } = certificates()
    const registry = await forTest(startRegistry({ tls: server }))
    const trusted = at(registry.host, { settings: { [registry.host]: { ca: [authority] } } })
    await trusted.push(hello, bytesOf('hello'))
    expect(await trusted.has(hello)).toBe(true)
    await expect(at(registry.host).has(hello)).rejects.toMatchObject({
      code: 'OCB-NETWORK-TLS',
      hint: expect.stringContaining('ca:'),
    })
    // No falling back to plain HTTP, and no credentials before the certificate is checked.
    expect(registry.requests.every(({ line }) => line.startsWith('HEAD') || !line.includes('401'))).toBe(true)
    expect(await at(registry.host, { settings: { [registry.host]: { insecure: true } } }).has(hello)).toBe(
      true,
    )
  })

  it('with a client certificate works where the settings have it', async () => {
    const { authority, server, client } = certificates()
    const registry = await forTest(startRegistry({ tls: { ...server, clientAuthority: authority } }))
    const ca = [authority]
    const settings = { ca, clientCert: client.certificate, clientKey: client.key }
    const store = at(registry.host, { settings: { [registry.host]: settings } })
    await store.push(hello, bytesOf('hello'))
    expect(await store.has(hello)).toBe(true)
    await expect(
      at(registry.host, { settings: { [registry.host]: { ca } } }).has(hello),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^OCB-NETWORK-/),
    })
  })

  it('with a certificate that is over is refused', async () => {
    const { authority, expired } = certificates()
    const registry = await forTest(startRegistry({ tls: expired }))
    const store = at(registry.host, { settings: { [registry.host]: { ca: [authority] } } })
    await expect(store.has(hello)).rejects.toMatchObject({ code: 'OCB-NETWORK-TLS' })
  })

  it('goes through a forward proxy', async () => {
    const { authority, server } = certificates()
    const registry = await forTest(startRegistry({ tls: server }))
    const host = 'registry.test:443'
    const user = { username: 'me', password: 'pass' }
    const proxy = await forTest(startForwardProxy({ ...user, hosts: { [host]: registry.host } }))
    const ann = { kind: 'basic', username: 'ann', password: 'sesame' } as const
    const store = at('registry.test', {
      settings: { 'registry.test': { ca: [authority] } },
      credentials: { 'registry.test': ann },
      variables: { HTTPS_PROXY: proxy.url },
    })
    await store.push(hello, bytesOf('hello'))
    expect(registry.state.open('team/app').blobs.has(hello.digest)).toBe(true)
    expect(proxy.requests.every(({ authorization }) => authorization === undefined)).toBe(true)
    expect(proxy.requests[0]?.line).toBe(`CONNECT ${host}`)
    const unknown = at('registry.test', { variables: { HTTPS_PROXY: proxy.origin }, limits: { attempts: 1 } })
    const error: unknown = await unknown.has(hello).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'OCB-NETWORK-CONNECT', message: expect.stringContaining('407') })
  })
})

describe('plain HTTP', () => {
  it('is spoken to a loopback host after TLS did not start, with one try of TLS', async () => {
    const registry = await forTest(startRegistry())
    const store = at(registry.host)
    expect(await store.has(hello)).toBe(false)
    expect(await store.has(hello)).toBe(false)
    expect(registry.lines()).toHaveLength(2)
  })
})

describe('mirrors', () => {
  async function origin() {
    const registry = await forTest(startRegistry())
    const memory = createMemoryStore()
    const image = await putImage(memory, [{ a: '1' }])
    await pushGraph(memory, image.manifest, at(registry.host), ['latest'])
    registry.forgetRequests()
    return { registry, image }
  }

  it('are read from in place of the host, under their prefix', async () => {
    const { registry, image } = await origin()
    const mirror = await forTest(startRegistry({ mirrorOf: { state: registry.state, prefix: 'hub' } }))
    const store = at(registry.host, { settings: { [registry.host]: { mirrors: [`${mirror.host}/hub`] } } })
    expect((await store.resolve('latest')).digest).toBe(image.manifest.digest)
    expect((await collectBytes(await store.fetch(image.manifest))).length).toBe(image.manifest.size)
    expect((await collectBytes(await store.fetch(image.config))).length).toBe(image.config.size)
    expect(registry.requests).toEqual([])
    expect(mirror.requests).toHaveLength(3)
  })

  it('that are down, deny, lie or lack things are passed over, and pushes go to the host', async () => {
    const { registry, image } = await origin()
    const empty = await forTest(startRegistry())
    const denying = await forTest(startRegistry({ authentication: { kind: 'bearer', anonymousPull: false } }))
    const lying = await forTest(
      startFaultProxy(registry.origin, [
        { method: 'GET', path: /manifests/, times: Infinity, action: { kind: 'alter-answer', at: 3 } },
        { times: Infinity, action: statusFault(503) },
      ]),
    )
    const mirrors = [await downHost(), empty.host, denying.host, lying.host]
    const context = testContext({ settings: { [registry.host]: { mirrors } } })
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, context)
    expect((await store.resolve('latest')).digest).toBe(image.manifest.digest)
    expect((await collectBytes(await store.fetch(image.manifest))).length).toBe(image.manifest.size)
    expect(context.warnings.map(({ code }) => code)).toContain('OCB-REGISTRY-MIRROR')
    expect(context.warnings.map(({ message }) => message).join()).toContain('ECONNREFUSED')
    await store.push(hello, bytesOf('hello'))
    expect(registry.state.open('team/app').blobs.has(hello.digest)).toBe(true)
    expect(empty.lines().every((line) => /^(?:GET|HEAD) /.test(line))).toBe(true)
  })

  it('leave the error to the host when nobody has it', async () => {
    const { registry } = await origin()
    const empty = await forTest(startRegistry())
    const store = at(registry.host, { settings: { [registry.host]: { mirrors: [empty.host] } } })
    await expect(store.resolve('none')).rejects.toMatchObject({
      code: 'OCB-REFERENCE-NOT-FOUND',
      message: expect.stringContaining(registry.host),
    })
  })

  it('are not read from where a push has to know what the host holds', async () => {
    const { registry } = await origin()
    const mirror = await forTest(startRegistry({ mirrorOf: { state: registry.state } }))
    const context = testContext({ settings: { [registry.host]: { mirrors: [mirror.host] } } })
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, context, { access: 'push' })
    expect((await store.resolve('latest')).mediaType).toBe(mediaTypes.manifest)
    expect(mirror.requests).toEqual([])
  })
})
