/** What no image holds, however often and wherever to it is built: outputs and the cache (contract, section 1). */

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { build, processEnvironment, type BuildOptions } from '../../src/index.ts'

function place(config: unknown): BuildOptions {
  const dir = mkdtempSync(join(tmpdir(), 'ocibuild-excluded-'))
  writeFileSync(join(dir, 'oci.config.json'), JSON.stringify(config))
  writeFileSync(join(dir, 'file'), 'x')
  return {
    environment: { ...processEnvironment(), cwd: dir, variables: {} },
    cacheDir: join(dir, 'cache'),
  }
}

const copy = { platforms: ['linux/amd64'], layers: [{ copy: '.', to: '/app' }] }

async function digest(options: BuildOptions, more: BuildOptions = {}): Promise<string | undefined> {
  return (await build({ ...options, ...more })).images[0]?.digest
}

it('leaves out the outputs of the spec also when others are asked for', async () => {
  const options = place({ ...copy, name: 'x', outputs: ['oci:dist/image', 'oci-archive:x.tar'] })
  const first = await digest(options)
  expect(await digest(options, { overrides: { outputs: ['oci:elsewhere'] } })).toBe(first)
})

it('leaves out the outputs of images that are not built now', async () => {
  const images = { a: { name: 'x', outputs: ['oci:out-a'] }, b: { name: 'x', outputs: ['oci:out-b'] } }
  const options = place({ defaults: copy, images })
  const first = await digest(options)
  expect(await digest(options, { images: ['b'] })).toBe(first)
})
