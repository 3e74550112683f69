/** The real package managers, installed from npm once for all tests of this machine; or why they are not there. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const versions = { pnpm: '9.15.9', yarn: '1.22.22', '@yarnpkg/cli-dist': '4.9.2', bun: '1.2.21' }

/** What runs each, with its arguments after it. */
export interface Managers {
  readonly npm: readonly string[]
  readonly pnpm: readonly string[]
  readonly yarn1: readonly string[]
  readonly yarn4: readonly string[]
  readonly bun: readonly string[]
}

/** The managers, or the reason for which there are none. Under CI there must be. */
export function findManagers(): Managers | string {
  const name = `ocibuild-managers-${Object.values(versions).join('-')}`
  const folder = join(tmpdir(), name)
  try {
    if (!existsSync(folder)) install(folder)
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    return `package managers cannot be installed: ${String(error).split('\n')[0]}`
  }
  const node = (path: string): readonly string[] => [process.execPath, join(folder, 'node_modules', path)]
  return {
    npm: ['npm'],
    pnpm: node('pnpm/bin/pnpm.cjs'),
    yarn1: node('yarn/bin/yarn.js'),
    yarn4: node('@yarnpkg/cli-dist/bin/yarn.js'),
    bun: [join(folder, 'node_modules/.bin/bun')],
  }
}

function install(folder: string): void {
  const made = mkdtempSync(`${folder}-`)
  try {
    writeFileSync(join(made, 'package.json'), JSON.stringify({ private: true, dependencies: versions }))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: made,
      stdio: 'pipe',
    })
    // bun's package fetches nothing more: its program is an optional dependency, put in place by a script.
    execFileSync('node', ['install.js'], { cwd: join(made, 'node_modules/bun'), stdio: 'pipe' })
    renameSync(made, folder)
  } catch (error) {
    rmSync(made, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
}

let registry: string | undefined

/** Runs a manager in a folder; npm's registry is everybody's. */
export function runManager(
  manager: readonly string[],
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): void {
  const [program = '', ...before] = manager
  registry ??= execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()
  const host = new URL(registry).hostname
  execFileSync(program, [...before, ...args], {
    cwd,
    stdio: 'pipe',
    env: {
      ...process.env,
      // Bun and npm take these for the words of a command around them.
      NODE_ENV: undefined,
      CI: undefined,
      npm_config_registry: registry,
      npm_config_fund: 'false',
      npm_config_audit: 'false',
      BUN_CONFIG_REGISTRY: registry,
      YARN_NPM_REGISTRY_SERVER: registry,
      YARN_UNSAFE_HTTP_WHITELIST: host,
      YARN_ENABLE_TELEMETRY: '0',
      YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
      YARN_NODE_LINKER: 'node-modules',
      ...env,
    },
  })
}
