import { request } from 'undici'
import { describe, expect, it } from 'vitest'
import { forTest } from '../helpers/registry/for-test.ts'
import type { BearerAuthentication } from '../helpers/registry/options.ts'
import { startRegistry, type TestRegistry } from '../helpers/registry/registry.ts'

const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`
const service = 'registry.test'
const push = 'repository:app:pull,push'
const pullBase = 'repository:base:pull'

async function start(more: Partial<BearerAuthentication> = {}): Promise<TestRegistry> {
  const authentication = { kind: 'bearer', username: 'me', password: 'secret', ...more } as const
  return await forTest(startRegistry({ authentication }))
}

async function get(
  url: string,
  authorization?: string,
): Promise<{ status: number; challenge: string; json: unknown }> {
  const { statusCode, headers, body } = await request(url, {
    headers: authorization ? { authorization } : {},
  })
  return { status: statusCode, challenge: String(headers['www-authenticate']), json: await body.json() }
}

function tokenUrl({ origin }: TestRegistry, ...scopes: string[]): string {
  const query = new URLSearchParams({ service })
  for (const scope of scopes) query.append('scope', scope)
  return `${origin}/token?${query}`
}

async function post(
  registry: TestRegistry,
  form: Record<string, string>,
): Promise<{ status: number; json: unknown }> {
  const { statusCode, body } = await request(`${registry.origin}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ service, client_id: 'tests', ...form }).toString(),
  })
  return { status: statusCode, json: await body.json() }
}

function field(json: unknown, name: string): string {
  const value: unknown = typeof json === 'object' && json !== null ? Reflect.get(json, name) : undefined
  if (typeof value !== 'string') throw new Error(`${name} is ${String(value)}`)
  return value
}

describe('the token server', () => {
  it('is named by the challenge, with the scope that was missing', async () => {
    const registry = await start()
    const { status, challenge } = await get(`${registry.origin}/v2/app/tags/list`)
    const wanted = `Bearer realm="${registry.origin}/token",service="${service}",scope="repository:app:pull"`
    expect([status, challenge]).toEqual([401, wanted])
    const { json } = await get(tokenUrl(registry, push), basic)
    const other = await get(`${registry.origin}/v2/base/tags/list`, `Bearer ${field(json, 'token')}`)
    expect(other.challenge).toContain('scope="repository:base:pull",error="insufficient_scope"')
    expect((await get(`${registry.origin}/v2/`, 'Bearer nonsense')).challenge).toContain(
      'error="invalid_token"',
    )
  })

  it('lets anonymous clients pull and nothing else', async () => {
    const registry = await start()
    const token = field((await get(tokenUrl(registry, push))).json, 'token')
    registry.state.open('app')
    expect((await get(`${registry.origin}/v2/app/tags/list`, `Bearer ${token}`)).status).toBe(200)
    const { statusCode } = await request(`${registry.origin}/v2/app/blobs/uploads/`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    })
    expect(statusCode).toBe(401)
    expect((await get(tokenUrl(registry, push), 'Basic eDp5')).status).toBe(401)
  })

  it('gives a token for a password and a refresh token by POST', async () => {
    const registry = await start({ identityToken: 'identity' })
    const form = {
      grant_type: 'password',
      username: 'me',
      password: 'secret',
      access_type: 'offline',
      scope: push,
    }
    const first = await post(registry, form)
    const refresh = { grant_type: 'refresh_token', scope: push }
    const second = await post(registry, { ...refresh, refresh_token: field(first.json, 'refresh_token') })
    const third = await post(registry, { ...refresh, refresh_token: 'identity' })
    for (const { json } of [first, second, third]) {
      const authorization = `Bearer ${field(json, 'access_token')}`
      const { statusCode } = await request(`${registry.origin}/v2/app/blobs/uploads/`, {
        method: 'POST',
        headers: { authorization },
      })
      expect(statusCode).toBe(202)
    }
    expect((await post(registry, { ...refresh, refresh_token: 'wrong' })).status).toBe(400)
    const onlyGet = await start({ forms: ['GET'] })
    expect((await request(`${onlyGet.origin}/token`, { method: 'POST' })).statusCode).toBe(404)
  })

  it('refuses a scope, or gives a token for the rest of them', async () => {
    const grants = (repository: string): boolean => repository === 'app'
    const refusing = await start({ grants, denied: 'refuse' })
    expect((await get(tokenUrl(refusing, push, pullBase), basic)).status).toBe(403)
    expect((await get(tokenUrl(refusing, push), basic)).status).toBe(200)
    const reducing = await start({ grants })
    const token = field((await get(tokenUrl(reducing, push, pullBase), basic)).json, 'token')
    expect((await get(`${reducing.origin}/v2/base/tags/list`, `Bearer ${token}`)).status).toBe(401)
  })

  it('lets tokens expire after so many requests, and when it is told to', async () => {
    const registry = await start({ uses: 2 })
    const authorization = `Bearer ${field((await get(tokenUrl(registry), basic)).json, 'access_token')}`
    const statuses: number[] = []
    for (let i = 0; i < 3; i += 1) statuses.push((await get(`${registry.origin}/v2/`, authorization)).status)
    expect(statuses).toEqual([200, 200, 401])
    const fresh = `Bearer ${field((await get(tokenUrl(registry), basic)).json, 'token')}`
    registry.expireTokens()
    expect((await get(`${registry.origin}/v2/`, fresh)).status).toBe(401)
  })
})
