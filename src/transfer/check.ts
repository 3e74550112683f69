/** One line of a doctor's report. */

import { OciBuildError } from '../errors.ts'
import { hasStatus } from '../registry/registry-error.ts'

export interface Check {
  /** Stable: `credential`, `connection`, `authentication`, `pull`, `push`, `chunked-upload`, `mount`, … */
  readonly name: string
  /** `no`: it is not there, and we do without. `failed`: something will not work. `skipped`: nothing is known. */
  readonly status: 'ok' | 'no' | 'failed' | 'skipped'
  readonly detail: string
}

/** Runs a check; a failure of ours is what the check says. Throws `OCB-INTERRUPTED`, and what is not ours. */
export async function attempt(name: string, work: () => Promise<string>): Promise<Check> {
  return await probe(name, async () => ['ok', await work()], [])
}

/** A check in which being refused with one of `refusals` is an answer, not a failure. */
export async function probe(
  name: string,
  work: () => Promise<readonly [Check['status'], string]>,
  refusals: readonly number[] = [400, 404, 405, 415, 422, 501],
): Promise<Check> {
  try {
    const [status, detail] = await work()
    return { name, status, detail }
  } catch (error) {
    if (!(error instanceof OciBuildError) || error.code === 'OCB-INTERRUPTED') throw error
    const detail = error.hint === undefined ? error.message : `${error.message} (${error.hint})`
    return { name, status: hasStatus(error, ...refusals) ? 'no' : 'failed', detail }
  }
}
