/** What a person or a pipe says to a command. */

import { OciBuildError, throwIfAborted } from '../errors.ts'
import type { CliContext } from './context.ts'

/** More than any password or token has. */
const maxBytes = 64 * 1024

/** All of stdin. Throws `OCB-USAGE-PASSWORD` when it does not end soon. */
export async function readAll(context: CliContext): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of context.stdin ?? []) {
    throwIfAborted(context.signal)
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    if (!(bytes instanceof Uint8Array)) continue
    chunks.push(bytes)
    size += bytes.length
    if (size > maxBytes) {
      throw new OciBuildError('OCB-USAGE-PASSWORD', {
        message: `stdin has more than ${maxBytes} bytes, which is no password`,
        hint: 'pipe the password or token alone',
      })
    }
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * Asks on the terminal and reads a line. Without `echo` nothing of it is shown. Throws `OCB-INTERRUPTED` on Ctrl-C,
 * and on the end of the input.
 */
export async function askLine(
  question: string,
  context: CliContext,
  options: { readonly echo: boolean },
): Promise<string> {
  const { stdin, signal } = context
  if (stdin === undefined) throw interrupted()
  const raw = 'setRawMode' in stdin && typeof stdin.setRawMode === 'function'
  const setRaw = (mode: boolean): void => {
    if (raw && 'setRawMode' in stdin && typeof stdin.setRawMode === 'function') stdin.setRawMode(mode)
  }
  context.stderr(question)
  setRaw(true)
  try {
    return await new Promise((done, fail) => {
      let line = ''
      const end = (): void => {
        stdin.removeListener('data', take)
        stdin.removeListener('end', close)
        signal.removeEventListener('abort', close)
        stdin.pause()
      }
      const close = (): void => {
        end()
        fail(interrupted())
      }
      const take = (chunk: Uint8Array | string): void => {
        for (const character of typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')) {
          // In raw mode the terminal's own keys come as characters.
          if (character === '\u0003' || character === '\u0004') return close()
          if (character === '\r' || character === '\n') {
            end()
            return done(line)
          }
          if (character === '\u007f' || character === '\b') {
            if (options.echo && line !== '') context.stderr('\b \b')
            line = [...line].slice(0, -1).join('')
          } else if (character === '\u0015') {
            if (options.echo) context.stderr('\b \b'.repeat([...line].length))
            line = ''
          } else if (character >= ' ') {
            if (options.echo) context.stderr(character)
            line += character
          }
        }
      }
      stdin.on('data', take)
      stdin.on('end', close)
      signal.addEventListener('abort', close, { once: true })
      stdin.resume()
    })
  } finally {
    setRaw(false)
    context.stderr('\n')
  }
}

function interrupted(): OciBuildError {
  return new OciBuildError('OCB-INTERRUPTED', { message: 'nothing was entered' })
}
