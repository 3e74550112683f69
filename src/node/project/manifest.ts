/** What a package.json says of its package, as far as an image cares. */

import { join } from 'node:path'
import { isPlainObject } from '../../config/check-shape.ts'
import { readPackageJson } from '../../config/package-json.ts'

export interface Manifest {
  readonly name: string | undefined
  readonly version: string | undefined
  /** Names of `dependencies` that are not optional as well. */
  readonly dependencies: readonly string[]
  readonly optionalDependencies: readonly string[]
  readonly peerDependencies: readonly string[]
  readonly devDependencies: readonly string[]
  /** Names of dependencies that lie inside the package itself. */
  readonly bundled: readonly string[]
  readonly scripts: Readonly<Record<string, string>>
  readonly main: string | undefined
  /** Commands by name: paths relative to the package. */
  readonly bin: Readonly<Record<string, string>>
  /** Undefined where there is no such list. */
  readonly files: readonly string[] | undefined
  /** Globs; undefined where there are none. */
  readonly workspaces: readonly string[] | undefined
  /** `pnpm@9.8.0` */
  readonly packageManager: string | undefined
  /** The range of `engines.node`. */
  readonly engines: string | undefined
  /** The range of Node.js in `devEngines.runtime`. */
  readonly devEngine: string | undefined
  readonly type: 'module' | 'commonjs'
  /** Nobody publishes it. */
  readonly isPrivate: boolean
  /** What the package runs on; empty: on everything. */
  readonly os: readonly string[]
  readonly cpu: readonly string[]
  readonly libc: readonly string[]
}

/** Undefined where the folder has none. Throws `OCB-SPEC-PACKAGE-JSON`. */
export function readManifest(folder: string): Manifest | undefined {
  const words = readPackageJson(folder)
  return words === undefined ? undefined : parseManifest(words)
}

/** Words of the wrong kind count as absent, as they do for Node.js and package managers. */
export function parseManifest(words: Readonly<Record<string, unknown>>): Manifest {
  const optional = keysOf(words['optionalDependencies'])
  const dependencies = keysOf(words['dependencies']).filter((name) => !optional.includes(name))
  return {
    name: stringOf(words['name']),
    version: stringOf(words['version']),
    dependencies,
    optionalDependencies: optional,
    peerDependencies: keysOf(words['peerDependencies']),
    devDependencies: keysOf(words['devDependencies']),
    bundled: bundledOf(words['bundleDependencies'] ?? words['bundledDependencies'], dependencies),
    scripts: recordOf(words['scripts']),
    main: stringOf(words['main']),
    bin: binOf(words),
    files: Array.isArray(words['files']) ? stringsOf(words['files']) : undefined,
    workspaces: workspacesOf(words['workspaces']),
    packageManager: stringOf(words['packageManager']),
    engines: stringOf(recordOf(words['engines'])['node']),
    devEngine: devEngineOf(words['devEngines']),
    type: words['type'] === 'module' ? 'module' : 'commonjs',
    isPrivate: words['private'] === true,
    os: stringsOf(words['os']),
    cpu: stringsOf(words['cpu']),
    libc: stringsOf(words['libc']),
  }
}

/** The folder's package.json. */
export function manifestPath(folder: string): string {
  return join(folder, 'package.json')
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

function stringsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function keysOf(value: unknown): readonly string[] {
  return isPlainObject(value) ? Object.keys(value) : []
}

function recordOf(value: unknown): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const [key, item] of Object.entries(isPlainObject(value) ? value : {})) {
    if (typeof item === 'string') found[key] = item
  }
  return found
}

function bundledOf(value: unknown, dependencies: readonly string[]): readonly string[] {
  return value === true ? dependencies : stringsOf(value)
}

function binOf(words: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const { bin, name } = words
  if (typeof bin === 'string') {
    return typeof name === 'string' ? { [name.slice(name.lastIndexOf('/') + 1)]: bin } : {}
  }
  return recordOf(bin)
}

/** A list, or yarn 1's object with `packages`. */
function workspacesOf(value: unknown): readonly string[] | undefined {
  const list = isPlainObject(value) ? value['packages'] : value
  return Array.isArray(list) ? stringsOf(list) : undefined
}

/** One runtime or a list of them. */
function devEngineOf(value: unknown): string | undefined {
  const runtime = isPlainObject(value) ? value['runtime'] : undefined
  const runtimes: readonly unknown[] = Array.isArray(runtime) ? runtime : [runtime]
  for (const item of runtimes) {
    if (isPlainObject(item) && item['name'] === 'node') return stringOf(item['version'])
  }
  return undefined
}
