/** The shipped command and registries: of undici it holds only what it uses. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { compileCli, type CompiledCli } from '../helpers/compiled-cli.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { makeCertificates, type Certificates } from '../helpers/registry/certificates.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startForwardProxy } from '../helpers/registry/forward-proxy.ts'
import { startRegistry } from '../helpers/registry/registry.ts'

let cli: CompiledCli
let cwd = ''

beforeAll(() => {
  cli = compileCli()
  cwd = mkdtempSync(join(tmpdir(), 'ocibuild-shipped-'))
  const layers = [{ file: '/x', content: 'x' }]
  const spec = { name: 'app', platforms: ['linux/amd64'], metadata: 'none', layers }
  writeFileSync(join(cwd, 'oci.config.json'), JSON.stringify(spec))
})
afterAll(() => {
  cli.remove()
  rmSync(cwd, { recursive: true, force: true })
})

/** Builds, pushes, and asks for the digest. */
async function pushTo(host: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const name = `${host}/team/app:v1`
  await cli.must(['build', '-q', '--push', '-t', name], { cwd, env })
  const { stdout } = await cli.must(['digest', name], { cwd, env })
  return stdout.trim()
}

it('pushes and asks over plain HTTP', async () => {
  const registry = await forTest(startRegistry())
  expect(await pushTo(registry.host)).toBe(registry.state.resolve('team/app', 'v1'))
})

describeWithPeers('the shipped command', ['openssl'], () => {
  let certificates: Certificates
  beforeAll(() => {
    certificates = makeCertificates(['registry.corp'])
  })
  afterAll(() => certificates.remove())

  it('pushes and asks over TLS, to this machine and through a proxy', async () => {
    const registry = await forTest(startRegistry({ tls: certificates.server }))
    const trust = { SSL_CERT_FILE: join(certificates.folder, 'ca.pem') }
    const digest = await pushTo(registry.host, trust)
    expect(digest).toBe(registry.state.resolve('team/app', 'v1'))
    const proxy = await forTest(startForwardProxy({ hosts: { 'registry.corp:443': registry.host } }))
    expect(await pushTo('registry.corp', { ...trust, HTTPS_PROXY: proxy.url })).toBe(digest)
    expect(proxy.requests.map(({ line, status }) => `${line} ${status}`)).toContain(
      'CONNECT registry.corp:443 200',
    )
  })
})
