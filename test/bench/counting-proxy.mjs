/** A reverse proxy before a registry on this machine that notes every request: its method, path, and bytes of bodies. */

import { createServer, request } from 'node:http'

/**
 * @typedef {object} Exchange
 * @property {string} method
 * @property {string} path
 * @property {number} status
 * @property {number} sent Bytes of the request's body.
 * @property {number} received Bytes of the response's body.
 *
 * @param {string} origin Of the registry, over http.
 * @returns {Promise<{ host: string, take(): Exchange[], close(): Promise<void> }>} `take` gives what was noted since
 * it was last asked.
 */
export async function startCountingProxy(origin) {
  const { hostname, port } = new URL(origin)
  let exchanges = []
  const server = createServer((incoming, outgoing) => {
    const exchange = { method: incoming.method, path: incoming.url, status: 0, sent: 0, received: 0 }
    exchanges.push(exchange)
    // The name it was asked by stays: the registry makes the addresses of uploads of it.
    const { method, url: path, headers } = incoming
    const onward = request({ hostname, port, method, path, headers }, (response) => {
      exchange.status = response.statusCode
      outgoing.writeHead(response.statusCode, response.rawHeaders)
      response.on('data', (chunk) => (exchange.received += chunk.length))
      response.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.on('data', (chunk) => (exchange.sent += chunk.length))
    incoming.pipe(onward)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${server.address().port}`,
    take() {
      const taken = exchanges
      exchanges = []
      return taken
    },
    close: () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  }
}
