/** A request's body on its way out: notices when the other side takes nothing any more. */

import type { ByteStream } from '../content/store.ts'

export interface WatchedBody {
  readonly body: ByteStream
  /** Aborted with the caller's own, and by a stall. */
  readonly signal: AbortSignal
  /** Why the body was not sent whole: what its source threw, or the stall. */
  failure(): unknown
  /** Ends the watch. */
  release(): void
}

/** What is handed on at once: a large piece would count as taken while most of it waits in a queue. */
const pieceBytes = 256 * 1024

/** `idleMs`: how long a piece may wait to be taken. Waiting for the source does not count. */
export function watchBody(source: ByteStream, idleMs: number, outer: AbortSignal | undefined): WatchedBody {
  const stop = new AbortController()
  let failure: unknown
  let timer: NodeJS.Timeout | undefined
  const release = (): void => clearTimeout(timer)

  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of source) {
        for (let at = 0; at < chunk.length; at += pieceBytes) {
          timer = setTimeout(() => {
            failure = stalled(idleMs)
            stop.abort(failure)
          }, idleMs)
          yield chunk.subarray(at, at + pieceBytes)
          release()
        }
      }
    } catch (error) {
      failure ??= error
      throw error
    } finally {
      release()
    }
  }
  return {
    body: body(),
    signal: outer === undefined ? stop.signal : AbortSignal.any([outer, stop.signal]),
    failure: () => failure,
    release,
  }
}

function stalled(idleMs: number): Error {
  return Object.assign(new Error(`nothing was taken for ${idleMs / 1000} s`), { code: 'ETIMEDOUT' })
}
