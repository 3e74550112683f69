/** pnpm 9 and 10, installed from npm once for all tests of this machine; or why they are not there. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runManager } from '../project/package-managers.ts'

export const pnpmVersions: Readonly<Record<9 | 10, string>> = { 9: '9.15.9', 10: '10.18.0' }

/** Programs by major version, or the reason for which there are none. Under CI there must be. */
export function findPnpms(): Readonly<Record<9 | 10, string>> | string {
  const folder = join(tmpdir(), `ocibuild-pnpms-${pnpmVersions[9]}-${pnpmVersions[10]}`)
  try {
    if (!existsSync(folder)) install(folder)
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    return `pnpm cannot be installed: ${String(error).split('\n')[0]}`
  }
  const program = (alias: string): string => join(folder, 'node_modules', alias, 'bin/pnpm.cjs')
  return { 9: program('pnpm9'), 10: program('pnpm10') }
}

export function runPnpm(
  pnpms: ReturnType<typeof findPnpms>,
  major: 9 | 10,
  args: readonly string[],
  folder: string,
): void {
  if (typeof pnpms === 'string') throw new Error(pnpms)
  runManager([process.execPath, pnpms[major]], args, folder)
}

function install(folder: string): void {
  const made = mkdtempSync(`${folder}-`)
  const dependencies = { pnpm9: `npm:pnpm@${pnpmVersions[9]}`, pnpm10: `npm:pnpm@${pnpmVersions[10]}` }
  try {
    writeFileSync(join(made, 'package.json'), JSON.stringify({ private: true, dependencies }))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: made,
      stdio: 'pipe',
    })
    renameSync(made, folder)
  } catch (error) {
    rmSync(made, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
}
