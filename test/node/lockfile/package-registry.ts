/** A registry of packages on 127.0.0.1: it serves archives by path, and remembers who asked. */

import { createServer } from 'node:http'

export interface Asked {
  readonly path: string
  readonly authorization: string | undefined
}

export interface PackageRegistry {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly asked: readonly Asked[]
  /** What to answer under a path: an archive, or where to go. */
  put(path: string, answer: Buffer | URL | number): void
  close(): Promise<void>
}

export async function servePackages(): Promise<PackageRegistry> {
  const answers = new Map<string, Buffer | URL | number>()
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push({ path, authorization: request.headers.authorization })
    const answer = answers.get(path) ?? 404
    if (answer instanceof URL) response.writeHead(302, { location: answer.href }).end()
    else if (typeof answer === 'number') response.writeHead(answer).end()
    else response.writeHead(200, { 'content-length': answer.length }).end(answer)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    asked,
    put: (path, answer) => void answers.set(path, answer),
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
