import { ProxyAgent, request } from 'undici'
import { expect, it } from 'vitest'
import { describeWithPeers } from '../helpers/peers.ts'
import { makeCertificates } from '../helpers/registry/certificates.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startForwardProxy } from '../helpers/registry/forward-proxy.ts'
import { startRegistry } from '../helpers/registry/registry.ts'

describeWithPeers('the forward proxy', ['openssl'], () => {
  it('tunnels TLS, and forwards plain HTTP by absolute URI', async () => {
    const certificates = makeCertificates(['registry.corp'])
    try {
      const secure = await forTest(startRegistry({ tls: certificates.server }))
      const plain = await forTest(startRegistry())
      const hosts = { 'registry.corp:443': secure.host, 'plain.corp:80': plain.host }
      const proxy = await forTest(startForwardProxy({ hosts }))
      const dispatcher = new ProxyAgent({
        uri: proxy.url,
        requestTls: { ca: certificates.authority },
        proxyTunnel: false,
      })
      expect((await request('https://registry.corp/v2/', { dispatcher })).statusCode).toBe(200)
      expect((await request('http://plain.corp/v2/', { dispatcher })).statusCode).toBe(200)
      await dispatcher.close()
      expect(proxy.requests.map(({ line, status }) => `${line} ${status}`)).toEqual([
        'CONNECT registry.corp:443 200',
        'GET http://plain.corp/v2/ 200',
      ])
    } finally {
      certificates.remove()
    }
  })

  it('asks for credentials, and says 502 for what it cannot reach', async () => {
    const plain = await forTest(startRegistry())
    const proxy = await forTest(
      startForwardProxy({ username: 'me', password: 'p@ss', hosts: { 'plain.corp:80': plain.host } }),
    )
    const stranger = new ProxyAgent({ uri: proxy.origin, proxyTunnel: false })
    await expect(request('http://plain.corp/v2/', { dispatcher: stranger })).rejects.toThrow(/407/)
    const token = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
    const friend = new ProxyAgent({ uri: proxy.origin, token, proxyTunnel: false })
    expect((await request('http://plain.corp/v2/', { dispatcher: friend })).statusCode).toBe(200)
    expect((await request('http://127.0.0.1:1/', { dispatcher: friend })).statusCode).toBe(502)
    await Promise.all([stranger.close(), friend.close()])
    expect(proxy.requests.map(({ authorized }) => authorized)).toEqual([false, true, true])
  })
})
