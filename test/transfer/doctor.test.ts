/** What is said of a registry: found out by asking one, and never with a secret. */

import { describe, expect, it } from 'vitest'
import { OciBuildError } from '../../src/errors.ts'
import type { StoredCredential } from '../../src/registry/credentials/credential-store.ts'
import { checkLogin } from '../../src/transfer/check-login.ts'
import { examineRegistry } from '../../src/transfer/doctor.ts'
import { startDockerRegistry } from '../helpers/registry/docker-registry.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry, type RegistryOptions } from '../helpers/registry/registry.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { alice, fixedCredentials, registryContext } from './registry-kit.ts'

async function examine(
  options: RegistryOptions,
  repository?: string,
  credential?: StoredCredential,
  write = false,
) {
  const registry = await forTest(startRegistry(options))
  const context = registryContext()
  const credentials = fixedCredentials(credential)
  const checks = await examineRegistry(registry.host, repository, { context, credentials, write })
  const text = JSON.stringify(checks)
  expect(text).not.toMatch(/s3cret|c2VjcmV0|Bearer [A-Za-z0-9]{8}/)
  return { registry, text, status: Object.fromEntries(checks.map(({ name, status }) => [name, status])) }
}

const bearer = { kind: 'bearer', username: 'alice', password: 's3cret' } as const

describe('the doctor', () => {
  it('finds all that a whole registry has, and leaves neither manifest nor upload behind', async () => {
    const { registry, status, text } = await examine({ authentication: bearer }, 'team/app', alice, true)
    expect(status).toEqual({
      settings: 'ok',
      credential: 'ok',
      connection: 'ok',
      authentication: 'ok',
      pull: 'ok',
      referrers: 'ok',
      push: 'ok',
      'chunked-upload': 'ok',
      mount: 'ok',
      zstd: 'ok',
      index: 'ok',
      delete: 'ok',
    })
    expect(text).toContain('user name and password from the test')
    expect(text).toContain(`${registry.origin}/token`)
    expect(text).toContain('repository:team/app:pull,push')
    expect(registry.state.uploads.size).toBe(0)
    expect(registry.state.open('team/app').manifests.size).toBe(0)
  })

  it('tells what a registry lacks', async () => {
    const { status } = await examine(
      {
        referrers: false,
        mount: 'refuse',
        patch: false,
        layerTypes: ['application/vnd.oci.image.layer.v1.tar+gzip'],
      },
      'team/app',
      undefined,
      true,
    )
    expect(status).toMatchObject({
      credential: 'no',
      referrers: 'no',
      mount: 'no',
      'chunked-upload': 'no',
      zstd: 'no',
      index: 'skipped',
    })
  })

  it('writes no manifest unless it is asked to', async () => {
    const { status, registry } = await examine({}, 'team/app')
    expect(status).toMatchObject({ push: 'ok', zstd: 'skipped', index: 'skipped' })
    expect(registry.lines().filter((line) => /^PUT .*manifests/.test(line))).toEqual([])
  })

  it('tells who may only read', async () => {
    const grants = (_repository: string, action: string): boolean => action === 'pull'
    const { status } = await examine({ authentication: { ...bearer, grants } }, 'team/app', alice)
    expect(status).toMatchObject({ pull: 'ok', push: 'failed', mount: 'skipped' })
  })

  it('says that a credential is refused', async () => {
    const wrong: StoredCredential = { kind: 'basic', username: 'alice', password: 'wr0ng' }
    const { status, text } = await examine({ authentication: bearer }, 'team/app', wrong)
    expect(status).toMatchObject({ connection: 'ok', authentication: 'failed' })
    expect(text).not.toContain('wr0ng')
  })

  it('looks at the host alone where no repository is named, and ends where nobody answers', async () => {
    const { status } = await examine({})
    expect(status).toMatchObject({ connection: 'ok', authentication: 'ok', repository: 'skipped' })
    const checks = await examineRegistry('127.0.0.1:1', 'a', {
      context: registryContext(),
      credentials: fixedCredentials(),
    })
    expect(checks.at(-1)).toMatchObject({ name: 'connection', status: 'failed' })
  })
})

describeWithPeers('the doctor at docker-registry', ['docker-registry'], () => {
  it('sees uploads, mounts and what it takes', async () => {
    const registry = await forTest(startDockerRegistry())
    const checks = await examineRegistry(registry.host, 'team/app', {
      context: registryContext(),
      credentials: fixedCredentials(),
      write: true,
    })
    const status = Object.fromEntries(checks.map(({ name, status }) => [name, status]))
    expect(status).toMatchObject({ push: 'ok', 'chunked-upload': 'ok', mount: 'ok', zstd: 'ok', index: 'ok' })
  })
})

describe('a login', () => {
  it.each([bearer, { kind: 'basic', username: 'alice', password: 's3cret' } as const])(
    'is checked against a registry that asks ($kind)',
    async (authentication) => {
      const { host } = await forTest(startRegistry({ authentication }))
      expect(await checkLogin(host, alice, registryContext())).toBe(true)
      const wrong: StoredCredential = { kind: 'basic', username: 'alice', password: 'wr0ng' }
      const error: unknown = await checkLogin(host, wrong, registryContext()).catch(
        (caught: unknown) => caught,
      )
      if (!(error instanceof OciBuildError)) throw new Error('no error of ours')
      expect(error.code).toBe('OCB-REGISTRY-AUTH')
      expect(`${error.message} ${error.hint}`).not.toContain('wr0ng')
    },
  )

  it('is not checked by a registry that lets everybody in', async () => {
    const { host } = await forTest(startRegistry())
    expect(await checkLogin(host, alice, registryContext())).toBe(false)
  })
})
