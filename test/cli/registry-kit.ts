/** Commands over a registry in this process: what is typed, what came of it, and images to type about. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { openLayout } from '../../src/layout/layout-store.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { putImage, putIndex } from '../helpers/images.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry, type RegistryOptions, type TestRegistry } from '../helpers/registry/registry.ts'
import { temporaryFolder } from '../helpers/unpack.ts'
import { fakeContext } from './fake-context.ts'

/** The running test's own. */
export let folder = ''
export let registry: TestRegistry

/** Gives every test of a file a folder and a registry. */
export function useRegistry(): void {
  beforeEach(async () => {
    folder = temporaryFolder()
    const made = folder
    onTestFinished(() => rmSync(made, { recursive: true, force: true }))
    registry = await start()
  })
}

export async function start(options: RegistryOptions = {}): Promise<TestRegistry> {
  return await forTest(startRegistry(options))
}

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly status: number
}

export async function run(...argv: readonly string[]): Promise<Ran> {
  const context = fakeContext({
    cwd: folder,
    homeDir: join(folder, 'home'),
    variables: { OCIBUILD_CACHE_DIR: join(folder, 'cache') },
  })
  const status = await runCli(argv, context)
  return { ...context.written, status }
}

/** Runs, expects success, and gives stdout. */
export async function ok(...argv: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await run(...argv)
  expect({ status, stderr }).toMatchObject({ status: 0 })
  return stdout
}

export async function json(...argv: readonly string[]): Promise<Record<string, unknown>> {
  const value: unknown = JSON.parse(await ok(...argv, '--json'))
  if (typeof value !== 'object' || value === null) throw new Error('no object')
  return { ...value }
}

/** A layout with an index of two platforms under `1.0`. */
export async function layoutOfTwo(dir = 'image'): Promise<Descriptor> {
  const store = await openLayout(join(folder, dir), { create: true })
  const [amd64, arm64] = [
    await putImage(store, [{ hello: 'amd64' }]),
    await putImage(store, [{ hello: 'arm64' }], 'arm64'),
  ]
  const root = await putIndex(store, [amd64.manifest, arm64.manifest])
  await store.tag(root, '1.0')
  return root
}

export async function layoutOf(architecture: string): Promise<Descriptor> {
  const store = await openLayout(join(folder, architecture), { create: true })
  const { manifest } = await putImage(store, [{ hello: architecture }], architecture)
  await store.tag(manifest, '1.0')
  return manifest
}
