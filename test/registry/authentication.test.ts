/** How the store gets in: challenges, tokens, Basic, and what it never shows. */

import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { OciBuildError } from '../../src/errors.ts'
import { pushGraph } from '../../src/registry/push-graph.ts'
import { openRegistry } from '../../src/registry/registry-store.ts'
import { bytesOf, collectBytes, describeBytes, putImage } from '../helpers/images.ts'
import { startFaultProxy } from '../helpers/registry/fault-proxy.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import type { BearerAuthentication } from '../helpers/registry/options.ts'
import { startRegistry } from '../helpers/registry/registry.ts'
import { testContext } from './context.ts'

const ann = { username: 'ann', password: 'open sesame' } as const
const basic = { kind: 'basic', ...ann } as const
const hello = describeBytes('text/plain', 'hello')

async function bearerRegistry(options: Partial<BearerAuthentication> = {}, rest = {}) {
  return await forTest(startRegistry({ authentication: { kind: 'bearer', ...ann, ...options }, ...rest }))
}

const tokenLines = (lines: readonly string[]): string[] =>
  lines.filter((line) => line.includes('/token')).map((line) => decodeURIComponent(line))

describe('bearer tokens', () => {
  it('are got by GET with Basic, one for the scopes of a whole push', async () => {
    const registry = await bearerRegistry({ server: 'other', field: 'access_token' })
    const store = openRegistry(
      { host: registry.host, repository: 'team/app' },
      testContext({ credentials: { [registry.host]: basic } }),
      { access: 'push' },
    )
    const memory = createMemoryStore()
    const { manifest } = await putImage(memory, [{ a: '1' }, { b: '2' }])
    await pushGraph(memory, manifest, store, ['1', 'latest'])
    expect(tokenLines(registry.lines())).toEqual([
      'GET /token?service=registry.test&scope=repository:team/app:pull,push 200',
    ])
    // One request without, to learn the way.
    expect(registry.lines().filter((line) => line.endsWith(' 401'))).toHaveLength(1)
  })

  it('are got by POST where the service takes no GET', async () => {
    const registry = await bearerRegistry({ forms: ['POST'] })
    const context = testContext({ credentials: { [registry.host]: basic } })
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, context)
    await store.push(hello, bytesOf('hello'))
    expect(await store.has(hello)).toBe(true)
  })

  it('are got with an identity token', async () => {
    const registry = await bearerRegistry({ identityToken: 'refresh-me-1234', forms: ['POST'] })
    const credential = { kind: 'identity-token', token: 'refresh-me-1234' } as const
    const context = testContext({ credentials: { [registry.host]: credential } })
    await openRegistry({ host: registry.host, repository: 'team/app' }, context).push(hello, bytesOf('hello'))
    expect(registry.state.open('team/app').blobs.has(hello.digest)).toBe(true)
  })

  it('are got anonymously for a pull, and a push without credentials is told to log in', async () => {
    const registry = await bearerRegistry()
    registry.state.addBlob('team/app', Buffer.from('hello'))
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, testContext())
    expect(String(await collectBytes(await store.fetch(hello)))).toBe('hello')
    const other = describeBytes('text/plain', 'other')
    await expect(store.push(other, bytesOf('other'))).rejects.toMatchObject({
      code: 'OCB-REGISTRY-AUTH',
      hint: `check the name, or log in: ocibuild login ${registry.host}`,
      status: 401,
      method: 'POST',
    })
  })

  it('are renewed when they expire in the middle of a push', async () => {
    const registry = await bearerRegistry({ uses: 3 })
    const context = testContext({ credentials: { [registry.host]: basic } })
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, context, { access: 'push' })
    const memory = createMemoryStore()
    const { manifest } = await putImage(memory, [{ a: '1' }, { b: '2' }, { c: '3' }])
    await pushGraph(memory, manifest, store, ['latest'])
    expect(registry.state.open('team/app').tags.get('latest')).toBe(manifest.digest)
    expect(tokenLines(registry.lines()).length).toBeGreaterThan(2)
  })

  it('are not used after the time that the service gave them', async () => {
    const registry = await bearerRegistry({ expiresInSeconds: 100 })
    let nowMs = 0
    const base = testContext()
    const context = testContext({
      credentials: { [registry.host]: basic },
      context: { environment: { ...base.environment, now: () => nowMs } },
    })
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, context, { access: 'push' })
    await store.has(hello)
    nowMs = 80_000
    await store.has(hello)
    expect(tokenLines(registry.lines())).toHaveLength(1)
    nowMs = 95_000
    await store.has(hello)
    expect(tokenLines(registry.lines())).toHaveLength(2)
    expect(registry.lines().filter((line) => line.endsWith(' 401'))).toHaveLength(1)
  })

  it('have the scopes of both repositories for a mount', async () => {
    const registry = await bearerRegistry()
    registry.state.addBlob('team/base', Buffer.from('hello'))
    const context = testContext({ credentials: { [registry.host]: basic } })
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, context, {
      access: 'push',
      mountFrom: ['team/base'],
    })
    expect(store.mountSources(hello)).toEqual(['team/base'])
    expect(await store.mount(hello, 'team/base')).toBe(true)
    expect(await store.has(hello)).toBe(true)
    expect(tokenLines(registry.lines()).at(-1)).toContain(
      'scope=repository:team/app:pull,push&scope=repository:team/base:pull',
    )
  })

  it.each(['refuse', 'reduce'] as const)(
    'that are denied for a mount (%s) are got without it',
    async (denied) => {
      const registry = await bearerRegistry({ denied, grants: (name) => name === 'team/app' })
      registry.state.addBlob('team/base', Buffer.from('hello'))
      const context = testContext({ credentials: { [registry.host]: basic } })
      const store = openRegistry({ host: registry.host, repository: 'team/app' }, context, {
        mountFrom: ['team/base'],
      })
      expect(await store.mount(hello, 'team/base')).toBe(false)
      expect(store.mountSources(hello)).toEqual([])
      await store.push(hello, bytesOf('hello'))
      expect(registry.state.open('team/app').blobs.has(hello.digest)).toBe(true)
    },
  )

  it('are asked for once when many requests need one', async () => {
    const registry = await bearerRegistry()
    const context = testContext({ credentials: { [registry.host]: basic } })
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, context, { access: 'push' })
    await store.has(hello)
    registry.expireTokens()
    registry.forgetRequests()
    const blobs = Array.from({ length: 8 }, (_, at) => describeBytes('text/plain', `blob ${at}`))
    await Promise.all(blobs.map((blob) => store.has(blob)))
    expect(tokenLines(registry.lines()).length).toBeLessThan(4)
    expect(context.asked).toEqual([registry.host])
  })
})

describe('credentials', () => {
  it('that are wrong end the request with one clear error', async () => {
    for (const forms of [['GET'], ['POST']] as const) {
      const registry = await bearerRegistry({ forms })
      const context = testContext({ credentials: { [registry.host]: { ...basic, password: 'wrong one' } } })
      const store = openRegistry({ host: registry.host, repository: 'team/app' }, context)
      const error: unknown = await store.has(hello).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'OCB-REGISTRY-AUTH' })
      expect(String(error)).toContain('the token service refused the credentials')
      expect(tokenLines(registry.lines()).length).toBeLessThan(3)
    }
  })

  it('are sent as Basic only after the registry asked for it', async () => {
    const registry = await forTest(startRegistry({ authentication: { kind: 'basic', ...ann } }))
    const context = testContext({ credentials: { [registry.host]: basic } })
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, context)
    await store.push(hello, bytesOf('hello'))
    expect(registry.lines().filter((line) => line.endsWith(' 401'))).toHaveLength(1)
    const anonymous = openRegistry({ host: registry.host, repository: 'team/app' }, testContext())
    await expect(anonymous.has(hello)).rejects.toMatchObject({ code: 'OCB-REGISTRY-AUTH' })
  })

  it('go to no other host: not to storage, not to uploads', async () => {
    // Both of these hosts answer credentials with 400.
    const registry = await bearerRegistry({}, { blobs: 'other-host', uploadLocation: 'other-host' })
    const context = testContext({ credentials: { [registry.host]: basic } })
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, context)
    await store.push(hello, bytesOf('hello'))
    expect(String(await collectBytes(await store.fetch(hello)))).toBe('hello')
  })

  it('stand in no message, also where a server repeats them', async () => {
    const registry = await forTest(startRegistry({ authentication: { kind: 'basic', ...ann } }))
    const echoed = Buffer.from('ann:open sesame').toString('base64')
    const body = JSON.stringify({
      errors: [{ code: 'DENIED', message: `no: ${echoed} open sesame\u001b[2J` }],
    })
    const proxy = await forTest(
      startFaultProxy(registry.origin, [
        { method: 'HEAD', skip: 1, times: Infinity, action: { kind: 'answer', status: 405 } },
        { method: 'GET', skip: 0, times: Infinity, action: { kind: 'answer', status: 403, body } },
      ]),
    )
    const context = testContext({ credentials: { [proxy.host]: basic } })
    const store = openRegistry({ host: proxy.host, repository: 'team/app' }, context)
    const error: unknown = await store.resolve('latest').catch((reason: unknown) => reason)
    if (!(error instanceof OciBuildError)) throw error
    expect(error.code).toBe('OCB-REGISTRY-DENIED')
    expect(error.message).toContain('(DENIED: no: *** ***  [2J)'.replace('  ', ' '))
    expect(JSON.stringify([error, error.message, error.stack, String(error.cause)])).not.toMatch(
      /sesame|YW5u/,
    )
  })
})
