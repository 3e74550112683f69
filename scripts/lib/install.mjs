/** Installs the dependencies, when what is installed is not what package-lock.json says. */

import { readFileSync } from 'node:fs'
import { inRoot, run, runNode } from './project.mjs'

/** Runs `npm ci` if needed; says so. A second run finds nothing to do. */
export function ensureInstalled() {
  if (isInstalled()) return
  console.log('installing dependencies (npm ci)')
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = process.env['npm_execpath']
  if (npm?.endsWith('.js')) runNode([npm, ...args])
  else run('npm', args, { shell: process.platform === 'win32' })
}

/**
 * npm writes what it installed to node_modules/.package-lock.json. Versions and checksums are compared, not
 * times: a checkout touches files without changing them.
 */
function isInstalled() {
  const wanted = readPackages(inRoot('package-lock.json'))
  const found = readPackages(inRoot('node_modules', '.package-lock.json'))
  if (wanted === undefined || found === undefined) return false
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true
    const installed = found[path]
    // Packages for other platforms are optional and absent; some are locked without a checksum.
    if (installed === undefined) return optional === true
    if (installed.version !== version) return false
    return integrity === undefined || installed.integrity === integrity
  })
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch {
    return undefined
  }
}
