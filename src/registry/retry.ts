/** Tries again what may succeed later: exponential backoff with jitter, a bound, and the first cause in the last error. */

import { setTimeout as sleep } from 'node:timers/promises'
import { throwIfAborted } from '../errors.ts'
import { RegistryError } from './registry-error.ts'

export interface RetryPolicy {
  /** Attempts in all. */
  readonly attempts: number
  /** The first wait, in milliseconds; each further one is about twice as long, never over 30 s. */
  readonly delayMs: number
}

const maxDelayMs = 30_000

/**
 * Calls `work` until it succeeds, throws what is not retryable, or the attempts are used up. `attempt` counts from 1.
 * A last error after several attempts says how many they were and what the first of them met.
 */
export async function withRetry<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  let first: RegistryError | undefined
  for (let attempt = 1; ; attempt += 1) {
    throwIfAborted(signal)
    try {
      return await work(attempt)
    } catch (error) {
      throwIfAborted(signal)
      if (!(error instanceof RegistryError)) throw error
      first ??= error
      if (!error.retryable || attempt >= policy.attempts) throw lastError(error, first, attempt)
      await pause(error.retryAfterMs ?? backoffMs(policy.delayMs, attempt), signal)
    }
  }
}

/** Between half and the whole of the exponential wait, so that many clients do not come back at once. */
export function backoffMs(delayMs: number, attempt: number): number {
  const wait = Math.min(maxDelayMs, delayMs * 2 ** (attempt - 1))
  return wait / 2 + (Math.random() * wait) / 2
}

/** Waits, or throws `OCB-INTERRUPTED`. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal && { signal }).catch(() => undefined)
  throwIfAborted(signal)
}

function lastError(last: RegistryError, first: RegistryError, attempts: number): RegistryError {
  if (attempts === 1) return last
  const cause = first.message === last.message ? '' : `; the first one: ${first.message}`
  return last.with({ message: `${last.message} (${attempts} attempts${cause})` })
}
