/** What the process ends with (contract, section 4). */

import { OciBuildError } from '../errors.ts'

export const exitStatus = {
  done: 0,
  /** The build or the check failed. */
  failed: 1,
  /** The command line or the spec is wrong. */
  usage: 2,
  /** A registry or the network refused. */
  refused: 3,
  interrupted: 130,
} as const

/** The exit status of a thrown value; whatever is thrown after an interrupt counts as the interrupt. */
export function exitStatusOf(error: unknown, signal: AbortSignal): number {
  if (signal.aborted) return exitStatus.interrupted
  if (!(error instanceof OciBuildError)) return exitStatus.failed
  const { code } = error
  if (code.startsWith('OCB-SPEC-') || code.startsWith('OCB-USAGE-')) return exitStatus.usage
  if (code.startsWith('OCB-REGISTRY-') || code.startsWith('OCB-NETWORK-')) return exitStatus.refused
  return code === 'OCB-INTERRUPTED' ? exitStatus.interrupted : exitStatus.failed
}
