/** Downloads over a real socket: redirects, retries, timeouts, credentials, proxies. */

import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { processEnvironment } from '../../src/environment.ts'
import { OciBuildError } from '../../src/errors.ts'
import { httpDownload, type DownloadOptions } from '../../src/registry/http-download.ts'
import { serve } from './loopback.ts'

const environment = { ...processEnvironment(), variables: {} }

async function text(url: string, options: Partial<DownloadOptions> = {}): Promise<string> {
  return await httpDownload(
    url,
    async (body) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of body) chunks.push(chunk)
      return Buffer.concat(chunks).toString()
    },
    { environment, retryDelayMs: 1, ...options },
  )
}

async function failure(promise: Promise<unknown>): Promise<OciBuildError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof OciBuildError) return error
  throw new Error(`wanted an OciBuildError, got ${String(error)}`)
}

describe('a download', () => {
  it('gives the body and tells its progress', async () => {
    const { origin } = await serve((_, response) => response.end('hello'))
    const seen: (readonly [number, number | undefined])[] = []
    expect(await text(origin, { onProgress: (done, total) => void seen.push([done, total]) })).toBe('hello')
    expect(seen.at(-1)).toEqual([5, 5])
  })

  it('follows redirects, relative ones too', async () => {
    const { origin, requests } = await serve((request, response) => {
      if (request.url === '/a') response.writeHead(302, { location: 'b/c' }).end()
      else if (request.url === '/b/c') response.writeHead(308, { location: '/d?x=1' }).end()
      else response.end('there')
    })
    expect(await text(`${origin}/a`)).toBe('there')
    expect(requests.map(({ line }) => line)).toEqual(['GET /a', 'GET /b/c', 'GET /d?x=1'])
  })

  it.each([
    ['a circle', '/b', 'in a circle'],
    ['a chain without end', '/more', 'more than 10 redirects'],
    ['another protocol', 'file:///etc/passwd', 'no http or https URL'],
  ])('refuses a redirect that is %s', async (_, location, message) => {
    const { origin, requests } = await serve((request, response, count) => {
      const next = location === '/more' ? `/more/${count}` : request.url === '/b' ? '/a' : location
      response.writeHead(302, { location: next }).end()
    })
    const error = await failure(text(`${origin}/a`))
    expect(error.code).toBe('OCB-NETWORK-DOWNLOAD')
    expect(error.message).toContain(message)
    expect(requests.length).toBeLessThan(12)
  })

  it.each([408, 425, 429, 500, 502, 503, 504])('tries again after status %i', async (status) => {
    const { origin, requests } = await serve((_, response, count) => {
      if (count < 3) response.writeHead(status, { 'retry-after': '0' }).end('busy')
      else response.end('ok')
    })
    expect(await text(origin)).toBe('ok')
    expect(requests).toHaveLength(3)
  })

  it('gives up after four attempts', async () => {
    const { origin, requests } = await serve((_, response) => response.writeHead(503).end())
    const error = await failure(text(`${origin}/x`))
    expect(error.code).toBe('OCB-NETWORK-DOWNLOAD')
    expect(error.message).toContain(`${origin}/x`)
    expect(error.message).toContain('503')
    expect(error.message).toContain('4 attempts')
    expect(requests).toHaveLength(4)
  })

  it.each([400, 401, 403, 404, 204])('does not try again after status %i', async (status) => {
    const { origin, requests } = await serve((_, response) => response.writeHead(status).end())
    const error = await failure(text(origin))
    expect(error.message).toContain(`status ${status}, wanted 200`)
    expect(requests).toHaveLength(1)
  })

  it('starts again with a fresh body when the connection breaks on the way', async () => {
    const { origin, requests } = await serve((_, response, count) => {
      response.writeHead(200, { 'content-length': '10' })
      if (count < 3) response.write('half', () => response.destroy())
      else response.end('whole body')
    })
    expect(await text(origin)).toBe('whole body')
    expect(requests).toHaveLength(3)
  })

  it('blames the connection when the server does not answer or the body stops', async () => {
    const { origin } = await serve((request, response) => {
      if (request.url === '/body') response.writeHead(200).write('some')
    })
    const timeouts = { connectMs: 1000, headersMs: 100, idleMs: 100 }
    for (const path of ['/headers', '/body']) {
      const error = await failure(text(origin + path, { timeouts, attempts: 1 }))
      expect(error.code).toBe('OCB-NETWORK-DOWNLOAD')
      expect(error.message).toContain('TIMEOUT')
    }
  })

  it('says that nobody listens', async () => {
    const error = await failure(text('http://127.0.0.1:1/file'))
    expect(error.code).toBe('OCB-NETWORK-DOWNLOAD')
    expect(error.message).toContain('ECONNREFUSED')
  })

  it('passes on what the consumer throws, without another attempt', async () => {
    const { origin, requests } = await serve((_, response) => response.end('hello'))
    const own = new Error('full')
    const promise = httpDownload(origin, () => Promise.reject(own), { environment })
    await expect(promise).rejects.toBe(own)
    expect(requests).toHaveLength(1)
  })

  it('stops when it is interrupted, in the middle of a body and of a wait', async () => {
    const { origin } = await serve((request, response) => {
      if (request.url === '/wait') response.writeHead(503, { 'retry-after': '20' }).end()
      else response.writeHead(200).write('some')
    })
    for (const path of ['/wait', '/body']) {
      const error = await failure(text(origin + path, { signal: AbortSignal.timeout(150) }))
      expect(error.code).toBe('OCB-INTERRUPTED')
    }
  })

  it.each(['ftp://host/x', 'file:///etc/passwd', '/x', 'nothing'])('refuses %s', async (url) => {
    expect((await failure(text(url))).code).toBe('OCB-SPEC-DOWNLOAD-URL')
  })
})

describe('credentials of a URL', () => {
  it('are sent as a header to their own origin only', async () => {
    const other = await serve((_, response) => response.end('ok'))
    const { origin, requests } = await serve((request, response) => {
      const location = request.url === '/a' ? '/b' : `${other.origin}/c`
      response.writeHead(302, { location }).end()
    })
    expect(await text(`${origin.replace('//', '//me:s%40cret@')}/a`)).toBe('ok')
    const basic = `Basic ${Buffer.from('me:s@cret').toString('base64')}`
    expect(requests.map(({ authorization }) => authorization)).toEqual([basic, basic])
    expect(other.requests.map(({ authorization }) => authorization)).toEqual([undefined])
  })

  it('stand in no message', async () => {
    const { origin } = await serve((_, response) => response.writeHead(404).end())
    const error = await failure(text(`${origin.replace('//', '//me:secret@')}/x?signature=secret`))
    expect(`${error.message} ${error.hint ?? ''}`).not.toContain('secret')
    expect(error.message).toContain(`${origin}/x?…`)
    expect((await failure(text('ftp://me:secret@host/x'))).message).not.toContain('secret')
  })
})

describe('a proxy', () => {
  it('gets the whole URL of a plain download, with its own credentials', async () => {
    const proxy = await serve((request, response) => {
      response.end(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`)
    })
    const variables = { HTTP_PROXY: proxy.origin.replace('//', '//p:w@') }
    const seen = await text('http://files.invalid/x', { environment: { ...environment, variables } })
    expect(seen).toBe(`http://files.invalid/x Basic ${Buffer.from('p:w').toString('base64')}`)
  })

  it('gets a CONNECT for https', async () => {
    const lines: string[] = []
    const proxy = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => {
        lines.push(data.toString().split('\r\n')[0] ?? '')
        socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
      })
    })
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
    onTestFinished(() => void proxy.close())
    const address = proxy.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const variables = { https_proxy: `http://127.0.0.1:${port}` }
    const error = await failure(
      text('https://files.invalid/x', { environment: { ...environment, variables }, attempts: 1 }),
    )
    expect(error.code).toBe('OCB-NETWORK-DOWNLOAD')
    expect(lines[0]).toBe('CONNECT files.invalid:443 HTTP/1.1')
  })
})
