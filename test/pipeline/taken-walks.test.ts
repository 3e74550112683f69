/** A build walks a folder once for as long as none in it changes; the image is the one of a build that remembers nothing. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { build, processEnvironment, type BuildOptions } from '../../src/index.ts'

const { walks } = vi.hoisted(() => ({ walks: { done: 0 } }))
vi.mock(import('../../src/plan/walk-folder.ts'), async (importOriginal) => {
  const original = await importOriginal()
  return {
    ...original,
    walkInto(...options) {
      walks.done += 1
      original.walkInto(...options)
    },
  }
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocibuild-walks-'))
  mkdirSync(join(folder, 'app/lib/deep'), { recursive: true })
  for (const name of ['index.js', 'lib/a.js', 'lib/a.map', 'lib/deep/b.js']) write(name)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, text = name): void => writeFileSync(join(folder, 'app', name), text)

/** The digest of the image, and how often the folder was walked for it. */
async function built(more: Partial<BuildOptions> = {}, exclude = ['**/*.map']): Promise<[string, number]> {
  walks.done = 0
  // Another tick of the file system's clock.
  await setTimeout(12)
  const environment = { ...processEnvironment(), cwd: folder, variables: {} }
  const { images } = await build({
    // As if all had been written long ago: only then is it remembered.
    environment: { ...environment, wallClockMs: () => Date.now() + 10_000 },
    cacheDir: join(folder, 'cache'),
    spec: {
      name: 'walks',
      root: join(folder, 'app'),
      platforms: ['linux/amd64'],
      layers: [{ name: 'app', entries: [{ copy: '.', to: '/app', exclude }] }],
      outputs: [`oci:${join(folder, 'image')}`],
    },
    ...more,
  })
  return [images[0]?.digest ?? '', walks.done]
}

it('walks again where a folder or a rule changed, and nowhere else', async () => {
  const [first] = await built()
  expect(await built()).toEqual([first, 0])
  expect(await built({ verifyCache: true })).toEqual([first, 1])
  write('index.js', 'other text')
  const [edited, walksOfEdit] = await built()
  expect(edited).not.toBe(first)
  expect(walksOfEdit).toBe(0)
  write('lib/deep/c.js')
  const [added, walksOfAdded] = await built()
  expect([added === edited, walksOfAdded]).toEqual([false, 1])
  expect(await built({ cache: false })).toEqual([added, 1])
  const [withMaps, walksOfRules] = await built({}, [])
  expect([withMaps === added, walksOfRules]).toEqual([false, 1])
  rmSync(join(folder, 'app/lib/deep/c.js'))
  expect(await built()).toEqual([edited, 1])
  expect(await built()).toEqual([edited, 0])
})
