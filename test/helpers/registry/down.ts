/** Hosts that are no help: nobody listens, or somebody who never says a word. */

import { createServer, type Socket } from 'node:net'

/** `127.0.0.1:PORT` where nobody listens: connections are refused. */
export async function downHost(): Promise<string> {
  const silent = await startSilentHost()
  await silent.close()
  return silent.host
}

/** Accepts connections and never sends a byte: neither TLS nor HTTP comes to an answer. */
export async function startSilentHost(): Promise<{ readonly host: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  return {
    host: `127.0.0.1:${address.port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
