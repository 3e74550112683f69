/** Runs work over a list, some at a time, and leaves nothing running behind. */

import { throwIfAborted } from '../errors.ts'

/**
 * Calls `work` for every item, at most `limit` at once, begun in the list's order. The signal that `work` gets is
 * aborted by `signal` and by the first failure; all that was begun is waited for before that failure is thrown.
 */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const combined = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  let failed = false
  let failure: unknown
  let next = 0
  const run = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const position = next
      next += 1
      const item = items[position]
      if (item === undefined) continue
      try {
        throwIfAborted(signal)
        await work(item, combined)
      } catch (error) {
        if (!failed) failure = error
        failed = true
        stop.abort(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, run))
  if (failed) throw failure
}
