/** Other releases of Node.js, from npm, kept in the project's cache: a machine that has them needs no network. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { messageOf } from '../../src/errors.ts'

const cache = resolve(import.meta.dirname, '../../node_modules/.cache/ocibuild')

export type NodeRelease =
  | { readonly path: string; readonly version: string }
  | { readonly path?: undefined; readonly missing: string }

/** The newest of a major release, or why there is none here. Under CI a missing one is an error. */
export function nodeRelease(major: number): NodeRelease {
  const release = findRelease(major)
  if (release.path === undefined && process.env['CI'] === 'true') {
    throw new Error(`Node.js ${major}, which CI must have: ${release.missing}`)
  }
  return release
}

function findRelease(major: number): NodeRelease {
  if (Number(process.versions.node.split('.')[0]) === major) {
    return { path: process.execPath, version: process.versions.node }
  }
  if (process.platform !== 'linux') return { missing: `npm has no node-${process.platform}-${process.arch}` }
  const name = `node-linux-${process.arch}`
  const folder = join(cache, `node-${major}`)
  const path = join(folder, 'node_modules', name, 'bin', 'node')
  try {
    if (!existsSync(path)) install(`${name}@${major}`, folder)
    return { path, version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim().slice(1) }
  } catch (error) {
    return { missing: `${name}@${major} cannot be installed (${messageOf(error).split('\n')[0] ?? ''})` }
  }
}

/** Into a folder beside, so that two at once, or a killed one, leave nothing half done. */
function install(wanted: string, folder: string): void {
  const fresh = `${folder}.${process.pid}`
  mkdirSync(fresh, { recursive: true })
  try {
    // Without one npm would look for a project in the folders above.
    writeFileSync(join(fresh, 'package.json'), '{}')
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries=0', '--loglevel=error']
    execFileSync('npm', ['install', '--prefix', fresh, ...flags, wanted], {
      cwd: fresh,
      stdio: 'pipe',
      timeout: 180_000,
    })
    mkdirSync(dirname(folder), { recursive: true })
    rmSync(folder, { recursive: true, force: true })
    renameSync(fresh, folder)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}
