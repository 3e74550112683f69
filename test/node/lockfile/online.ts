/** Whether packages can be had from the registry: the reason for which not, once for a test file. */

import { execFileSync } from 'node:child_process'
import { findManagers } from '../project/package-managers.ts'
import { findPnpms } from './pnpms.ts'

/** Undefined where they can. Under CI they must. */
export function offlineReason(): string | undefined {
  const managers = findManagers()
  if (typeof managers === 'string') return managers
  const words = [
    'view',
    'ms@2.1.3',
    'version',
    '--fetch-retries=0',
    '--fetch-timeout=20000',
    '--prefer-online',
  ]
  try {
    execFileSync('npm', words, { stdio: 'pipe', timeout: 60_000 })
    return undefined
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    return 'the registry of packages cannot be reached'
  }
}

/** As `offlineReason`, with pnpm 9 and 10 as well. */
export function offlineReasonOfPnpm(): string | undefined {
  const pnpms = findPnpms()
  return typeof pnpms === 'string' ? pnpms : offlineReason()
}

/** A title that says why its tests are skipped. */
export function titled(title: string, reason: string | undefined): string {
  return reason === undefined ? title : `${title} (skipped: ${reason})`
}
