/** Whether a server speaks plain HTTP, found out without starting TLS. */

import { connect } from 'node:net'

/**
 * To TLS a record that begins no handshake, which is answered by an alert or by closing; to HTTP a request line that is
 * none, which is answered by 400.
 */
const neither = Buffer.from('\x16\x03\x01\x00\x04\x00\x00\x00\x00\r\n\r\n', 'latin1')
const answerOfHttp = 'HTTP/1.'
const longestMs = 1000

/** False is no answer: TLS, no server, or one that takes longer. Never fails. */
export function speaksPlainHttp({ hostname, port, protocol }: URL): Promise<boolean> {
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) || (protocol === 'https:' ? 443 : 80) })
    let answer = ''
    const end = (): void => {
      socket.destroy()
      resolve(answer.startsWith(answerOfHttp))
    }
    socket.setTimeout(longestMs, end)
    socket.on('error', end)
    socket.on('close', end)
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      if (answer.length >= answerOfHttp.length) end()
    })
    socket.write(neither)
  })
}
