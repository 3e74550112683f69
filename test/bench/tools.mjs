/** Other people's tools: which are here, of which version, and those that are installed from npm once. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createJiti } from 'jiti'
import { work } from './workload.mjs'

const jiti = createJiti(import.meta.url)
const { nodeRelease } = await jiti.import('../helpers/node-releases.ts')

/** The helpers of the tests, which are TypeScript. */
export const importHelper = (path) => jiti.import(`../helpers/${path}`)

export function has(tool) {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The first line that it says of itself. */
export function versionOf(tool) {
  const text = execFileSync('sh', ['-c', `${tool} --version 2>&1`], { encoding: 'utf8' })
  return text.trim().split('\n')[0].replaceAll('*', '').trim()
}

/** A Node.js that has zstd: this one, or the newest 22 from npm; or why there is none. */
export function nodeWithZstd() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const here = major > 22 || (major === 22 && minor >= 15)
  return here ? { path: process.execPath, version: process.versions.node } : nodeRelease(22)
}

/** containerify from npm, on the Node.js that it needs: what to run and its version, or why it cannot run. */
export function findContainerify() {
  const folder = join(work, 'containerify')
  const home = join(folder, 'node_modules/containerify')
  try {
    if (!existsSync(join(home, 'package.json'))) {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'package.json'), '{}')
      process.stderr.write('installing containerify, once …\n')
      const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
      execFileSync('npm', ['install', '--prefix', folder, ...flags, 'containerify'], {
        cwd: folder,
        stdio: 'pipe',
        timeout: 180_000,
      })
    }
    const { version, engines, bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
    const wanted = Number(/\d+/.exec(engines?.node ?? '0')?.[0] ?? 0)
    const enough = Number(process.versions.node.split('.')[0]) >= wanted
    const node = enough ? { path: process.execPath, version: process.versions.node } : nodeRelease(wanted)
    if (node.path === undefined) return { missing: node.missing }
    const file = typeof bin === 'string' ? bin : bin.containerify
    return { command: `${node.path} ${join(home, file)}`, version, node: node.version }
  } catch (error) {
    return { missing: `it cannot be installed (${String(error.message).split('\n')[0]})` }
  }
}
