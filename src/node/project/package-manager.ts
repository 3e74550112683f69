/** Which package manager made a project's node_modules: by its lockfile, its field in package.json, or its traces. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from './manifest.ts'

export interface PackageManager {
  readonly name: 'npm' | 'pnpm' | 'yarn' | 'bun'
  /** What it was told by, for `plan`: `package-lock.json`. */
  readonly reason: string
  /** The command that installs what package.json asks for. */
  readonly install: string
}

type Name = PackageManager['name']

const lockfiles: readonly (readonly [string, Name])[] = [
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
]

/** What each leaves in node_modules. */
const traces: readonly (readonly [string, Name])[] = [
  ['.package-lock.json', 'npm'],
  ['.modules.yaml', 'pnpm'],
  ['.yarn-state.yml', 'yarn'],
  ['.yarn-integrity', 'yarn'],
  ['.bun', 'bun'],
]

/** Looks at names in the root of the project. A lockfile wins: it is what people install by. */
export function findPackageManager(root: string, manifest: Manifest): PackageManager {
  const lockfile = lockfiles.find(([file]) => existsSync(join(root, file)))
  if (lockfile !== undefined) return described(lockfile[1], lockfile[0])
  const field = /^(npm|pnpm|yarn|bun)@/.exec(manifest.packageManager ?? '')?.[1]
  if (isName(field)) return described(field, 'packageManager of package.json')
  const trace = traces.find(([name]) => existsSync(join(root, 'node_modules', name)))
  if (trace !== undefined) return described(trace[1], `node_modules/${trace[0]}`)
  return described('npm', 'nothing says otherwise')
}

function isName(text: string | undefined): text is Name {
  return text === 'npm' || text === 'pnpm' || text === 'yarn' || text === 'bun'
}

function described(name: Name, reason: string): PackageManager {
  return { name, reason, install: `${name} install` }
}
