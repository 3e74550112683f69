/** Real projects built twice: from what a package manager installs, and from its lockfile alone. */

import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'vitest'
import type { BuildPlan, BuildResult, PlannedEntryView } from '../../../src/build-types.ts'
import { build, createPlan } from '../../../src/build.ts'
import { processEnvironment, type Environment } from '../../../src/environment.ts'
import { makeProject } from '../project/project-kit.ts'

/** Of all builds of a test file: packages are fetched once. */
export const cacheDir: string = join(makeProject({}), 'cache')

export interface Both {
  readonly locked: Built
  readonly installed: Built
}

interface Built {
  readonly result: BuildResult
  readonly plan: BuildPlan
}

export interface BothOptions {
  /** Installs for production in the folder that it is given. */
  readonly install: (folder: string) => void
  readonly node?: object | undefined
  readonly more?: object | undefined
}

/** Builds a project with a lockfile and no node_modules, then a copy that is installed. */
export async function buildBoth(root: string, options: BothOptions): Promise<Both> {
  const { install, node = {}, more = {} } = options
  const locked = { plan: await planLocked(root, node, more), result: await buildLocked(root, node, more) }
  const copy = makeProject({})
  cpSync(root, copy, { recursive: true, verbatimSymlinks: true })
  install(copy)
  const words = { cwd: copy, cacheDir, environment, spec: specOf(node, more) }
  return { locked, installed: { plan: await createPlan(words), result: await build(words) } }
}

/** One tree, one layer: the entries are compared first, since they tell what differs. */
export function expectSame({ locked, installed }: Both): readonly string[] {
  const entries = entriesOf(locked.plan, 'dependencies')
  expect(entries).toEqual(entriesOf(installed.plan, 'dependencies'))
  expect(layerDigests(locked.result)).toEqual(layerDigests(installed.result))
  expect(Object.keys(layerDigests(locked.result)).join()).toContain('dependencies')
  return entries
}

export function buildLocked(root: string, node: object = {}, more: object = {}): Promise<BuildResult> {
  const spec = specOf({ ...node, dependencies: 'lockfile' }, more)
  return build({ cwd: root, cacheDir, environment, spec })
}

export function planLocked(root: string, node: object = {}, more: object = {}): Promise<BuildPlan> {
  const spec = specOf({ ...node, dependencies: 'lockfile' }, more)
  return createPlan({ cwd: root, cacheDir, environment, spec })
}

export const environment: Environment = processEnvironment()

function specOf(node: object, more: object): object {
  return { name: 'app', node, base: 'scratch', created: 'epoch', metadata: 'none', ...more }
}

/** `NAME PLATFORM digest` of each layer that the project makes. */
export function layerDigests(result: BuildResult): Record<string, string> {
  const digests: Record<string, string> = {}
  for (const { platform, layers } of result.images.flatMap((image) => image.platforms)) {
    for (const { name, digest, from } of layers) {
      if (from === 'build') digests[`${name} ${platform}`] = digest
    }
  }
  return digests
}

/** What a layer of the first platform holds, a line each, for messages that can be read. */
export function entriesOf(plan: BuildPlan, layer: string): readonly string[] {
  const found = plan.images[0]?.platforms[0]?.layers.find(({ name }) => name === layer)
  return (found?.entries ?? []).map(line)
}

function line({ path, mode, type, size, target }: PlannedEntryView): string {
  return `${type} ${mode} ${path} ${size}${target === undefined ? '' : ` -> ${target}`}`
}

/**
 * Gives a project its lockfile: one that was made for the same words before, since asking the registry for hundreds of
 * packages takes long, else by `make`.
 */
export function withLockfile(
  root: string,
  file: string,
  maker: string,
  make: (root: string) => void,
): string {
  const hash = createHash('sha256').update(maker)
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(root, name)
    if (statSync(path).isFile()) hash.update(`\n${name}\n`).update(readFileSync(path))
  }
  const folder = resolve(import.meta.dirname, '../../../node_modules/.cache/ocibuild-lockfiles')
  const kept = join(folder, `${hash.digest('hex').slice(0, 32)}-${file}`)
  if (existsSync(kept)) cpSync(kept, join(root, file))
  else {
    make(root)
    mkdirSync(folder, { recursive: true })
    cpSync(join(root, file), kept)
  }
  return root
}
