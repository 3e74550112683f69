/** A first build hashes long files from when they are found; the image is the one that any other build makes. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { build, createPlan, processEnvironment, type BuildOptions } from '../../src/index.ts'

const { met } = vi.hoisted(() => ({ met: new Set<string>() }))
vi.mock(import('../../src/layer/long-files.ts'), async (importOriginal) => {
  const original = await importOriginal()
  return {
    createLongFiles(...options) {
      const longFiles = original.createLongFiles(...options)
      return {
        ...longFiles,
        meet(source) {
          longFiles.meet(source)
          if (longFiles.digestOf(source) !== undefined) met.add(basename(source.path))
        },
      }
    },
  }
})

const MiB = 1024 * 1024
let folder: string
beforeEach(() => {
  met.clear()
  folder = mkdtempSync(join(tmpdir(), 'ocibuild-long-'))
  mkdirSync(join(folder, 'app'))
  for (const [name, size] of Object.entries({ a: 10, long: 9 * MiB, longer: 20 * MiB, m: 2 * MiB, z: 10 })) {
    writeFileSync(join(folder, 'app', name), Buffer.alloc(size, `${name}\n`))
  }
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** As if all files had been written long ago: only then are they remembered. */
function options(threads: number, cache = 'cache'): BuildOptions {
  const environment = { ...processEnvironment(), cwd: folder, variables: {}, threads }
  const entries = [{ copy: '.', to: '/app' }]
  return {
    environment: { ...environment, wallClockMs: () => Date.now() + 10_000 },
    cacheDir: join(folder, cache),
    spec: {
      name: 'long',
      root: join(folder, 'app'),
      platforms: ['linux/amd64'],
      layers: [{ name: 'app', entries }],
      outputs: [`oci:${join(folder, 'image')}`],
    },
  }
}

it('meets them in a first build with threads, and in no other', async () => {
  await createPlan(options(2))
  expect([...met]).toEqual([])
  const first = await build(options(2))
  expect([...met]).toEqual(['long', 'longer', 'm'])
  met.clear()
  const again = await build(options(2))
  const alone = await build(options(1, 'other'))
  expect([...met]).toEqual([])
  const digests = [first, again, alone].map(({ images }) => images[0]?.digest)
  expect(new Set(digests).size).toBe(1)
  expect(first.images[0]?.platforms[0]?.layers[0]?.cached).toBe(false)
  expect(again.images[0]?.platforms[0]?.layers[0]?.cached).toBe(true)
})
