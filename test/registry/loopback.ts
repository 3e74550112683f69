/** An HTTP server on this machine that tests give their answers to. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'

export interface Loopback {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string
  /** Method, path and Authorization of each request. */
  readonly requests: { readonly line: string; readonly authorization: string | undefined }[]
}

/** Serves until the test is over. */
export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<Loopback> {
  const requests: { line: string; authorization: string | undefined }[] = []
  const server = createServer((request, response) => {
    requests.push({
      line: `${request.method} ${request.url}`,
      authorization: request.headers.authorization,
    })
    answer(request, response, requests.length)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  return { origin: `http://127.0.0.1:${address.port}`, requests }
}
