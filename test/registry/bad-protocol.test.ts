/** Registries that break the protocol: a clear error, and an end. */

import { describe, expect, it } from 'vitest'
import { OciBuildError } from '../../src/errors.ts'
import { openRegistry, type RegistryStore } from '../../src/registry/registry-store.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { bytesOf, describeBytes } from '../helpers/images.ts'
import { testContext } from './context.ts'
import { serve } from './loopback.ts'

const manifest = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }
const hello = describeBytes('text/plain', 'hello')

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

describe('a protocol that is broken', () => {
  it('in uploads: no Location, one that is none, more bytes than were sent', async () => {
    for (const location of [undefined, 'http://[', 'file:///etc/passwd']) {
      const store = await storeAt((request, response) => {
        const headers = location === undefined ? {} : { location }
        response.writeHead(request.method === 'POST' ? 202 : 404, headers).end()
      })
      const error = await failure(store.push(hello, bytesOf('hello')))
      expect([error.code, error.message]).toEqual([
        'OCB-REGISTRY-PROTOCOL',
        expect.stringContaining('no Location'),
      ])
    }
    const store = await storeAt((request, response) => {
      request.resume().on('end', () => {
        const status = { HEAD: 404, POST: 202, PUT: 413, PATCH: 202 }[request.method ?? ''] ?? 204
        response.writeHead(status, { location: '/upload', range: '0-999' }).end()
      })
    })
    expect((await failure(store.push(hello, bytesOf('hello')))).message).toContain(
      'holds 1000 bytes of an upload',
    )
  })

  it('in uploads that make no progress', async () => {
    const store = await storeAt((request, response) => {
      request.resume().on('end', () => {
        const status = { HEAD: 404, POST: 202, PUT: 413, PATCH: 202 }[request.method ?? ''] ?? 204
        response.writeHead(status, { location: '/upload', range: '0-0' }).end()
      })
    })
    expect((await failure(store.push(hello, bytesOf('hello')))).code).toBe('OCB-REGISTRY-PROTOCOL')
  })

  it('in lists: pages in a circle, tags that are none, JSON of another kind', async () => {
    const pages = async (body: unknown): Promise<OciBuildError> => {
      const store = await storeAt((_, response) =>
        response
          .writeHead(200, { link: '</v2/team/app/tags/list?n=1000>; rel="next"' })
          .end(JSON.stringify(body)),
      )
      return await failure(
        (async () => {
          for await (const _ of store.listTags());
        })(),
      )
    }
    expect((await pages({ tags: ['a'] })).message).toContain('come to no end')
    expect((await pages({ tags: ['\u001b[2J'] })).message).toContain('a tag that is none')
    expect((await pages({ tags: [1] })).code).toBe('OCB-DOCUMENT-INVALID')
    expect((await pages([])).code).toBe('OCB-DOCUMENT-INVALID')
  })

  it.each([
    ['a realm that is no URL', 'Bearer realm="file:///etc/passwd"', 'what is no http or https URL'],
    ['no realm', 'Bearer service="x"', 'what is no http or https URL'],
  ])('in challenges: %s', async (_, challenge, said) => {
    const store = await storeAt((_, response) =>
      response.writeHead(401, { 'www-authenticate': challenge }).end(),
    )
    const error = await failure(store.has(hello))
    expect([error.code, error.message]).toEqual(['OCB-REGISTRY-PROTOCOL', expect.stringContaining(said)])
  })

  it.each(['', '<html>', '{}', '{"token":""}', '{"token":"a\\r\\nx: y"}', '{"token":1}'])(
    'in tokens: %s',
    async (body) => {
      const store = await storeAt((request, response) => {
        if (request.url?.startsWith('/token') === true) response.end(body)
        else response.writeHead(401, { 'www-authenticate': 'Bearer realm="/token"' }).end()
      })
      expect((await failure(store.has(hello))).code).toBe('OCB-REGISTRY-PROTOCOL')
    },
  )

  it('in challenges that come again for every token', async () => {
    let tokens = 0
    const store = await storeAt((request, response) => {
      if (request.url?.startsWith('/token') === true) response.end(`{"token":"t${(tokens += 1)}"}`)
      else {
        const scope = `repository:r${tokens}:pull`
        response.writeHead(401, { 'www-authenticate': `Bearer realm="/token",scope="${scope}"` }).end()
      }
    })
    expect((await failure(store.has(hello))).code).toBe('OCB-REGISTRY-AUTH')
    expect(tokens).toBeLessThan(4)
  })

  it('in a manifest that is stored as something else', async () => {
    const store = await storeAt((request, response) => {
      const headers = { 'docker-content-digest': hello.digest }
      request
        .resume()
        .on('end', () => response.writeHead(request.method === 'PUT' ? 201 : 404, headers).end())
    })
    const descriptor = describeBytes(mediaTypes.index, JSON.stringify(manifest))
    const error = await failure(store.push(descriptor, bytesOf(JSON.stringify(manifest))))
    expect(error.message).toContain(`it stored ${hello.digest}`)
  })
})
