/** A web server of one page, with nothing about images in it. */

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const page = readFileSync(new URL('views/index.html', import.meta.url))
const server = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.end(page)
})

server.listen(process.env.SOCKET ?? process.env.PORT ?? 3000, () => console.log('listening'))
