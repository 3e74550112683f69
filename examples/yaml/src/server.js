import { createServer } from 'node:http'

const server = createServer((request, response) => {
  response.statusCode = request.url === '/healthz' ? 204 : 200
  response.end(request.url === '/healthz' ? undefined : `channel ${process.env.CHANNEL}\n`)
})
server.listen(8080, () => console.log('listening on port 8080'))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close())
