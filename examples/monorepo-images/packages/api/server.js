import { createServer } from 'node:http'
import { title } from '@monorepo/shared'

const server = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ title }))
})
server.listen(3000, () => console.log(`${title}: listening on port 3000`))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close())
