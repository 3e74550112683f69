/** What a server speaks is found out by its answer to neither. */

import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type Server, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { speaksPlainHttp } from '../../src/registry/plain-http.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { makeCertificates } from '../helpers/registry/certificates.ts'
import { startDockerRegistry } from '../helpers/registry/docker-registry.ts'
import { downHost } from '../helpers/registry/down.ts'
import { forTest } from '../helpers/registry/for-test.ts'

async function listen(server: Server): Promise<URL> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return new URL(`https://127.0.0.1:${address.port}/`)
}

const answering = (answer: (socket: Socket) => void): Promise<URL> =>
  listen(
    createServer((socket) => {
      onTestFinished(() => void socket.destroy())
      socket.on('error', () => {}).once('data', () => answer(socket))
    }),
  )

it('is plain HTTP of a server of Node.js, by address and by name', async () => {
  const url = await listen(createHttpServer((_, response) => void response.end()))
  expect(await speaksPlainHttp(url)).toBe(true)
  url.hostname = 'localhost'
  expect(await speaksPlainHttp(url)).toBe(true)
})

it('is plain HTTP where the answer comes byte by byte', async () => {
  const bytewise = await answering((socket) => {
    const answer = 'HTTP/1.1 400 Bad Request\r\n\r\n'
    for (const [index, byte] of Array.from(answer).entries()) setTimeout(() => socket.write(byte), index)
  })
  expect(await speaksPlainHttp(bytewise)).toBe(true)
})

it.each<[string, (socket: Socket) => void]>([
  ['closes', (socket) => void socket.end()],
  ['breaks off', (socket) => void socket.resetAndDestroy()],
  ['says something else', (socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
  ['breaks off what could be HTTP', (socket) => void socket.end('HTTP')],
  ['says nothing', () => {}],
])('is not known of a server that %s', async (_, answer) => {
  expect(await speaksPlainHttp(await answering(answer))).toBe(false)
})

it('is not known where there is no server', async () => {
  expect(await speaksPlainHttp(new URL(`https://${await downHost()}/`))).toBe(false)
})

describeWithPeers('what is spoken', ['openssl', 'docker-registry'], () => {
  it('is TLS of servers of Node.js and of Go', async () => {
    const made = makeCertificates(['registry.test'])
    onTestFinished(() => made.remove())
    const { certificate, key } = made.server
    expect(await speaksPlainHttp(await listen(createHttpsServer({ cert: certificate, key })))).toBe(false)
    const registry = await forTest(startDockerRegistry({ tls: made.server }))
    expect(await speaksPlainHttp(new URL(`https://${registry.host}/`))).toBe(false)
  })

  it('is plain HTTP of docker-registry', async () => {
    const registry = await forTest(startDockerRegistry())
    expect(await speaksPlainHttp(new URL(`https://${registry.host}/`))).toBe(true)
  })
})
