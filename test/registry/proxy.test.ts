/** Which proxy the variables name for a URL. */

import { describe, expect, it } from 'vitest'
import { proxyFor } from '../../src/registry/proxy.ts'

const both = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: 'http://tls:2' }

describe('proxies', () => {
  it.each([
    ['http://a.test', both, 'http://plain:1/'],
    ['https://a.test', both, 'http://tls:2/'],
    ['https://a.test', { ALL_PROXY: 'http://all:3' }, 'http://all:3/'],
    ['https://a.test', { HTTPS_PROXY: 'upper:1', https_proxy: 'lower:2' }, 'http://lower:2/'],
    ['https://a.test', { HTTP_PROXY: 'http://plain:1' }, undefined],
    ['https://a.test', { HTTPS_PROXY: '' }, undefined],
    ['https://a.test', {}, undefined],
    ['http://localhost:5000', both, undefined],
    ['http://127.1.2.3', both, undefined],
    ['http://[::1]:8080', both, undefined],
  ])('%s with %j is %s', (url, variables, proxy) => {
    expect(proxyFor(new URL(url), variables)?.href).toBe(proxy)
  })

  it.each([
    ['http://a.test', '*', true],
    ['http://a.test', 'a.test', true],
    ['http://x.a.test', 'a.test', true],
    ['http://xa.test', 'a.test', false],
    ['http://a.test', '.a.test', false],
    ['http://x.a.test', '.a.test', true],
    ['http://x.a.test', '*.a.test', true],
    ['http://A.Test', 'a.TEST', true],
    ['http://a.test', 'b.test, a.test', true],
    ['http://a.test', 'b.test a.test', true],
    ['http://a.test:8080', 'a.test:8080', true],
    ['http://a.test:8080', 'a.test:80', false],
    ['https://a.test', 'a.test:443', true],
    ['http://10.1.2.3', '10.0.0.0/8', true],
    ['http://11.1.2.3', '10.0.0.0/8', false],
    ['http://10.1.2.3', '10.1.2.3', true],
    ['http://10.1.2.3:81', '10.1.2.3:81', true],
    ['http://10.1.2.3', '10.1.2.0/33', false],
    ['http://ten.test', '10.0.0.0/8', false],
    ['http://[fd00::5]', 'fd00::/8', true],
    ['http://[fd00::5]', 'fd00:0::5', true],
    ['http://[fd00::5]', '10.0.0.0/8', false],
  ])('%s with NO_PROXY=%s goes directly: %s', (url, noProxy, direct) => {
    expect(proxyFor(new URL(url), { ...both, NO_PROXY: noProxy }) === undefined).toBe(direct)
  })
})
