/** Registries that lie, break the protocol or lead astray: a clear error, nothing stored, no tag moved. */

import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { OciBuildError } from '../../src/errors.ts'
import { openRegistry, type RegistryStore } from '../../src/registry/registry-store.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { bytesOf, collectBytes, describeBytes } from '../helpers/images.ts'
import { startFaultProxy, type Fault } from '../helpers/registry/fault-proxy.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry } from '../helpers/registry/registry.ts'
import { testContext } from './context.ts'
import { serve } from './loopback.ts'

const manifest = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }
const hello = describeBytes('text/plain', 'hello')

async function spoiled(plan: readonly Fault[]) {
  const registry = await forTest(startRegistry())
  const proxy = await forTest(startFaultProxy(registry.origin))
  const digest = registry.state.addManifest('team/app', mediaTypes.index, manifest, ['latest'])
  registry.state.addBlob('team/app', Buffer.from('hello'))
  const store = openRegistry({ host: proxy.host, repository: 'team/app' }, testContext())
  await store.resolve('latest')
  proxy.follow(plan)
  const descriptor = describeBytes(mediaTypes.index, JSON.stringify(manifest))
  expect(descriptor.digest).toBe(digest)
  return { registry, proxy, store, descriptor }
}

async function failure(work: Promise<unknown>): Promise<OciBuildError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof OciBuildError) return error
  throw new Error('it did not fail as it should', { cause: error })
}

async function storeAt(answer: Parameters<typeof serve>[0]): Promise<RegistryStore> {
  const { origin } = await serve(answer)
  return openRegistry({ host: origin.slice('http://'.length), repository: 'team/app' }, testContext())
}

describe('content', () => {
  it('that is altered on the way is not what its digest says', async () => {
    const { store, descriptor } = await spoiled([
      { times: Infinity, action: { kind: 'alter-answer', at: 3 } },
    ])
    expect((await failure(store.fetch(descriptor))).code).toBe('OCB-CONTENT-MISMATCH')
    expect((await failure(store.resolveRaw(descriptor.digest))).code).toBe('OCB-CONTENT-MISMATCH')
    expect((await failure(store.resolveRaw('latest'))).code).toBe('OCB-CONTENT-MISMATCH')
    expect((await failure(store.fetch(hello).then(collectBytes))).code).toBe('OCB-CONTENT-MISMATCH')
  })

  it('that is shorter is not either', async () => {
    const { store, descriptor } = await spoiled([
      { times: Infinity, action: { kind: 'truncate-answer', bytes: 3 } },
    ])
    expect((await failure(store.fetch(hello).then(collectBytes))).code).toBe('OCB-CONTENT-MISMATCH')
    expect((await failure(store.fetch(descriptor))).code).toBe('OCB-CONTENT-MISMATCH')
  })

  it('that never ends is left after 4 MiB, and a blob after its size', async () => {
    const { store, descriptor } = await spoiled([
      {
        times: Infinity,
        method: 'GET',
        action: { kind: 'endless', contentType: mediaTypes.index, prefix: '{"a":"' },
      },
    ])
    expect((await failure(store.resolveRaw('latest'))).code).toBe('OCB-DOCUMENT-TOO-LARGE')
    expect((await failure(store.fetch(descriptor))).code).toBe('OCB-DOCUMENT-TOO-LARGE')
    expect((await failure(store.fetch(hello).then(collectBytes))).code).toBe('OCB-CONTENT-MISMATCH')
    expect((await failure(store.referrers(descriptor.digest))).code).toBe('OCB-DOCUMENT-TOO-LARGE')
  })

  it('that says it is too large is not read', async () => {
    const store = await storeAt((_, response) => {
      response.writeHead(200, { 'content-length': 5 * 1024 * 1024, 'content-type': mediaTypes.manifest })
      response.write('{')
    })
    expect((await failure(store.resolveRaw('latest'))).code).toBe('OCB-DOCUMENT-TOO-LARGE')
  })

  it('whose error page never ends is an error all the same', async () => {
    const { store } = await spoiled([
      { times: Infinity, action: { kind: 'answer', status: 403, body: 'x'.repeat(2_000_000) } },
    ])
    expect((await failure(store.resolveRaw('latest'))).code).toBe('OCB-REGISTRY-DENIED')
  })

  it('of Docker schema 1, or no manifest at all, is refused by name', async () => {
    for (const [type, body, said] of [
      ['application/vnd.docker.distribution.manifest.v1+prettyjws', '{"schemaVersion":1}', 'schema 1'],
      ['application/json', '{"some":"thing"}', 'some other kind'],
      ['application/json', '{"mediaType":"application/x.y"}', 'application/x.y'],
    ] as const) {
      const store = await storeAt((_, response) =>
        response.writeHead(200, { 'content-type': type }).end(body),
      )
      const error = await failure(store.resolve('latest'))
      expect([error.code, error.message]).toEqual([
        'OCB-REGISTRY-MANIFEST-INVALID',
        expect.stringContaining(said),
      ])
    }
    const bomb = `${'['.repeat(100_000)}`
    const store = await storeAt((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(bomb),
    )
    expect((await failure(store.resolve('latest'))).code).toBe('OCB-DOCUMENT-INVALID')
  })

  it('is found where a HEAD says too little, or the registry knows none', async () => {
    const bytes = JSON.stringify(manifest)
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    for (const status of [200, 405]) {
      const store = await storeAt((request, response) => {
        if (request.method === 'HEAD') response.writeHead(status).end()
        else response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(bytes)
      })
      expect(await store.resolve('latest')).toEqual({
        mediaType: mediaTypes.index,
        digest,
        size: bytes.length,
      })
    }
  })
})

describe('redirects', () => {
  it('that go in a circle, too far or nowhere end', async () => {
    const circle = await spoiled([{ times: Infinity, action: { kind: 'redirect-to-itself' } }])
    const error = await failure(circle.store.fetch(hello))
    expect([error.code, error.message]).toEqual([
      'OCB-REGISTRY-REDIRECT',
      expect.stringContaining('further than 10'),
    ])
    for (const location of ['/v2/team/app/blobs/same', 'ftp://other.test/x', 'http://[', undefined]) {
      const store = await storeAt((_, response) => {
        response.writeHead(307, location === undefined ? {} : { location }).end()
      })
      expect((await failure(store.fetch(hello))).code).toBe('OCB-REGISTRY-REDIRECT')
    }
  })

  it('lose the credentials at the first other host, and do not get them back', async () => {
    const seen: (string | undefined)[] = []
    let home = ''
    const away = await serve((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(302, { location: `${home}/back` }).end()
    })
    const registry = await serve((request, response) => {
      seen.push(request.headers.authorization)
      if (request.url === '/back') response.end('hello')
      else if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      } else response.writeHead(307, { location: `${away.origin}/blob` }).end()
    })
    home = registry.origin
    const host = registry.origin.slice('http://'.length)
    const credentials = { [host]: { kind: 'basic', username: 'ann', password: 'sesame' } as const }
    const store = openRegistry({ host, repository: 'team/app' }, testContext({ credentials }))
    expect(String(await collectBytes(await store.fetch(hello)))).toBe('hello')
    expect(seen.map((value) => value !== undefined)).toEqual([false, true, false, false])
  })
})

describe('a push', () => {
  it('of a non-distributable layer is refused, and sends nothing', async () => {
    const registry = await forTest(startRegistry())
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, testContext())
    const layer = describeBytes(mediaTypes.nondistributableLayerGzip, 'hello')
    expect((await failure(store.push(layer, bytesOf('hello')))).code).toBe('OCB-REGISTRY-UPLOAD')
    expect(await store.mount(layer, 'team/base')).toBe(false)
    expect(registry.requests).toEqual([])
  })

  it('of a manifest that the registry does not take says so', async () => {
    const registry = await forTest(startRegistry({ manifestTypes: [mediaTypes.dockerManifest] }))
    const store = openRegistry({ host: registry.host, repository: 'team/app' }, testContext())
    const text = JSON.stringify(manifest)
    const error = await failure(
      store.pushManifestWithTags(describeBytes(mediaTypes.index, text), Buffer.from(text), ['latest']),
    )
    expect(error).toMatchObject({ code: 'OCB-REGISTRY-MANIFEST-INVALID', status: 400, method: 'PUT' })
    expect(registry.state.open('team/app').tags.size).toBe(0)
  })
})

it('a query of a URL, which may be a signature, stands in no message', async () => {
  const server = createServer((request, response) => {
    if (request.url?.includes('signature') === true) response.writeHead(403).end()
    else response.writeHead(307, { location: '/storage?signature=abcdef' }).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const store = openRegistry({ host: `127.0.0.1:${port}`, repository: 'team/app' }, testContext())
  const error = await failure(store.fetch(hello))
  expect(JSON.stringify([error, error.message, error.stack])).not.toContain('abcdef')
  expect(error.message).toContain('/storage?…')
})
