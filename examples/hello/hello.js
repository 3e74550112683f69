// Says hello and ends; with --listen [PORT] it says hello to everyone who asks over HTTP.

import { createServer } from 'node:http'
import { arch, platform, userInfo } from 'node:os'

const greeting = `Hello from Node.js ${process.version} on ${platform()}/${arch()}, as user ${userInfo().username}.`

if (process.argv[2] === '--listen') {
  const port = Number(process.argv[3] ?? process.env.PORT ?? 3000)
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    response.end(`${greeting}\n`)
  })
  server.listen(port, () => console.log(`listening on port ${port}`))
  // As process 1 of a container Node.js has no default action for signals.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close())
} else {
  console.log(greeting)
}
