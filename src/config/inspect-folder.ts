/** What a folder says about the image that it wants: read for `ocibuild init`. */

import { existsSync, readdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Environment } from '../environment.ts'
import { isPlainObject } from './check-shape.ts'
import { readPackageJson, repositoryOfPackage, sanitiseName } from './package-json.ts'

export interface FolderFacts {
  /** Repository name without host. */
  readonly name: string
  readonly hasPackageJson: boolean
  /** Folders and files with the app's code, relative; the ones a build makes may not be there yet. */
  readonly code: readonly string[]
  /** Folders of static files. */
  readonly assets: readonly string[]
  /** The package lists dependencies. */
  readonly hasDependencies: boolean
  /** The command that builds, where there is a build script: `npm run build`. */
  readonly build: string | undefined
  /** The command line that starts the app, relative to the folder. */
  readonly start: readonly string[] | undefined
  /** `host:node` works on this host. */
  readonly hostIsLinux: boolean
}

const buildFolders = ['dist', 'build', 'out', 'lib-dist', '.output']
const sourceFolders = ['src', 'lib', 'server', 'app', 'routes', 'views']
const assetFolders = ['public', 'static', 'assets', 'www']
const lockfiles: readonly (readonly [string, string])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
]

/** Looks at names in the folder and at its package.json. Throws `OCB-SPEC-PACKAGE-JSON`. */
export function inspectFolder(folder: string, environment: Pick<Environment, 'hostPlatform'>): FolderFacts {
  const entries = readdirSync(folder, { withFileTypes: true })
  const folders = new Set(entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name))
  const files = new Set(entries.filter((entry) => entry.isFile()).map((entry) => entry.name))
  const packageJson = readPackageJson(folder)
  const scripts = isPlainObject(packageJson?.['scripts']) ? packageJson['scripts'] : {}
  const manager = lockfiles.find(([file]) => files.has(file))?.[1] ?? 'npm'
  const build = typeof scripts['build'] === 'string' ? `${manager} run build` : undefined
  const main = typeof packageJson?.['main'] === 'string' ? packageJson['main'] : undefined
  const start = commandOf(scripts['start']) ?? startOf(folder, main)
  return {
    name: repositoryOfPackage(packageJson?.name) ?? sanitiseName(basename(resolve(folder))) ?? 'app',
    hasPackageJson: packageJson !== undefined,
    code: codeOf(folders, files, start, build),
    assets: assetFolders.filter((name) => folders.has(name)),
    hasDependencies:
      isPlainObject(packageJson?.['dependencies']) && Object.keys(packageJson['dependencies']).length > 0,
    build,
    start,
    hostIsLinux: environment.hostPlatform === 'linux',
  }
}

/** A start script that is one plain command of node. */
function commandOf(script: unknown): readonly string[] | undefined {
  if (typeof script !== 'string' || !/^node(?: [\w@%+=:,./-]+)+$/.test(script.trim())) return undefined
  return script.trim().split(/ +/)
}

function startOf(folder: string, main: string | undefined): readonly string[] | undefined {
  const candidates = [
    main,
    'dist/server.js',
    'dist/index.js',
    'dist/main.js',
    'build/index.js',
    'server.js',
    'index.js',
  ]
  const found = candidates.find(
    (file) => file !== undefined && isInside(file) && existsSync(join(folder, file)),
  )
  return found === undefined ? undefined : ['node', found.replace(/^\.\//, '')]
}

function codeOf(
  folders: ReadonlySet<string>,
  files: ReadonlySet<string>,
  start: readonly string[] | undefined,
  build: string | undefined,
): string[] {
  const script = start?.slice(1).find((word) => !word.startsWith('-') && isInside(word))
  const top = script?.replace(/^\.\//, '').split('/')[0]
  const isBuilt = top !== undefined && buildFolders.includes(top)
  if (isBuilt) return [top]
  const built = buildFolders.find((name) => folders.has(name))
  if (top === undefined) return built !== undefined ? [built] : build === undefined ? [] : ['dist']
  if (folders.has(top)) return [top]
  // A script at the top imports what lies beside it.
  const beside = [...files].filter((name) => /\.[cm]?js$/.test(name) && !/config\.[cm]?js$/.test(name))
  return [
    ...new Set([
      ...(files.has(top) ? [top] : []),
      ...beside,
      ...sourceFolders.filter((name) => folders.has(name)),
    ]),
  ]
}

function isInside(path: string): boolean {
  return !path.startsWith('/') && !path.split('/').includes('..')
}
