/** Settings of registries: what is read from where, what wins, and what is refused. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { processEnvironment, type Environment } from '../../../src/environment.ts'
import { OciBuildError } from '../../../src/errors.ts'
import {
  createRegistrySettings,
  type RegistrySettingsOptions,
} from '../../../src/registry/settings/registry-settings.ts'
import { temporaryFolder } from '../../helpers/unpack.ts'

const pem = (name: string): string => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`
let folder = ''

beforeEach(() => {
  folder = temporaryFolder()
  const made = folder
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
})

function write(path: string, text: string): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

function environment(overrides: Partial<Environment> = {}): Environment {
  return {
    ...processEnvironment(),
    variables: {},
    cwd: folder,
    homeDir: join(folder, 'home'),
    hostPlatform: 'linux',
    ...overrides,
  }
}

async function settings(options: Partial<RegistrySettingsOptions> = {}) {
  return await createRegistrySettings({
    environment: environment(),
    systemDir: join(folder, 'etc'),
    ...options,
  })
}

async function failure(work: () => unknown): Promise<OciBuildError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof OciBuildError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('settings of registries', () => {
  it('are plain where nobody says anything', async () => {
    expect((await settings())('Ghcr.io')).toEqual({ host: 'ghcr.io', mirrors: [], insecure: false })
  })

  it('let each key of the spec win over the same key of the user file', async () => {
    write(
      'home/.config/ocibuild/registries.yaml',
      'registries:\n  art.corp:\n    insecure: true\n    mirrors: [a.b/c]\n',
    )
    const of = await settings({ fromSpec: { 'art.corp': { mirrors: ['x.y:5000/hub/', false] } } })
    expect(of('art.corp')).toMatchObject({ insecure: true, mirrors: ['x.y:5000/hub'] })
  })

  it('read certificates relative to the file that names them, and only for a host that is asked for', async () => {
    write('repo/corp.pem', pem('spec'))
    write('conf/client.pem', pem('cert'))
    write('conf/client-key.pem', pem('key'))
    const config = write(
      'conf/mine.yaml',
      'art.corp: { clientCert: client.pem, clientKey: client-key.pem }\nother.corp: { ca: missing.pem }\n',
    )
    const of = await settings({
      environment: environment({ variables: { OCIBUILD_CONFIG: config } }),
      fromSpec: { 'art.corp': { ca: 'corp.pem' } },
      cwd: join(folder, 'repo'),
    })
    expect(of('art.corp')).toMatchObject({
      ca: [pem('spec')],
      clientCert: pem('cert'),
      clientKey: pem('key'),
    })
    const error = await failure(() => of('other.corp'))
    expect(error.code).toBe('OCB-SPEC-REGISTRIES')
    expect(error.message).toContain('registries["other.corp"].ca')
    expect(error.message).toContain(join(folder, 'conf/missing.pem'))
  })

  it('know Docker Hub by all of its names', async () => {
    const of = await settings({ fromSpec: { 'index.docker.io': { mirrors: ['art.corp/hub'] } } })
    for (const name of ['docker.io', 'registry-1.docker.io', 'index.docker.io']) {
      expect(of(name)).toMatchObject({ host: 'docker.io', mirrors: ['art.corp/hub'] })
    }
  })

  it('add the authorities of certs.d, and take the first client certificate there', async () => {
    write('etc/docker/certs.d/art.corp:5000/ca.crt', pem('docker'))
    write('etc/containers/certs.d/art.corp:5000/ca.crt', pem('podman'))
    write('home/.config/containers/certs.d/art.corp:5000/client.cert', pem('cert'))
    write('home/.config/containers/certs.d/art.corp:5000/client.key', pem('key'))
    const of = await settings()
    expect(of('art.corp:5000')).toMatchObject({
      ca: [pem('podman'), pem('docker')],
      clientCert: pem('cert'),
      clientKey: pem('key'),
    })
    expect(of('art.corp').ca).toBeUndefined()
  })

  it('refuse a client certificate of certs.d without its key', async () => {
    write('etc/docker/certs.d/art.corp/client.cert', pem('cert'))
    const of = await settings()
    expect((await failure(() => of('art.corp'))).code).toBe('OCB-REGISTRY-SETTINGS')
  })

  it('tell every fault of a file with its path', async () => {
    write(
      'home/.config/ocibuild/registries.yaml',
      'registries:\n  a.b:\n    mirrors: ["https://x.y/z"]\n    insecure: "yes"\n    cert: x\n  "https://c.d": {}\n  e.f: { clientKey: k }\n',
    )
    const error = await failure(async () => await settings())
    expect(error.code).toBe('OCB-SPEC-REGISTRIES')
    expect(error.problems.map(({ path }) => path)).toEqual([
      'registries["a.b"].cert',
      'registries["a.b"].insecure',
      'registries["a.b"].mirrors[0]',
      'registries["https://c.d"]',
      'registries["e.f"].clientCert',
    ])
    expect(error.problems[2]?.message).toContain('without a scheme: x.y')
    expect(error.problems[0]?.file).toContain('registries.yaml')
  })

  it('say where a file is not YAML, and that a named file is missing', async () => {
    write('home/.config/ocibuild/registries.yaml', 'a: [\n')
    expect((await failure(async () => await settings())).problems[0]).toMatchObject({ line: 2 })
    const variables = { OCIBUILD_CONFIG: 'nowhere.yaml' }
    const error = await failure(async () => await settings({ environment: environment({ variables }) }))
    expect(error.message).toContain(join(folder, 'nowhere.yaml'))
  })
})
