import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { build, type BuildResult } from '../../src/index.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocibuild-damaged-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const buildTo = (output: string): Promise<BuildResult> =>
  build({
    cwd: folder,
    cacheDir: join(folder, 'cache'),
    spec: {
      name: 'damaged',
      platforms: ['linux/amd64'],
      created: 'epoch',
      layers: [{ file: '/a', content: 'some bytes that a disk may lose\n'.repeat(100) }],
      outputs: [`oci:${join(folder, output)}`],
    },
  })

describe('a cache whose bytes went bad', () => {
  it('is told, tidied, and the next build is whole with the same digest', async () => {
    const first = await buildTo('one')
    const layer = first.images[0]?.platforms[0]?.layers[0]
    const blob = join(folder, 'cache/content/blobs/sha256', layer?.digest.slice(7) ?? '')
    const bytes = readFileSync(blob)
    bytes[20] = (bytes[20] ?? 0) ^ 0xff
    writeFileSync(blob, bytes)
    await expect(buildTo('two')).rejects.toMatchObject({ code: 'OCB-CACHE-DAMAGED' })
    expect(statSync(blob, { throwIfNoEntry: false })).toBeUndefined()
    const again = await buildTo('two')
    expect(again.images[0]?.digest).toBe(first.images[0]?.digest)
    expect(readdirSync(join(folder, 'two/blobs/sha256'))).toContain(layer?.digest.slice(7))
  })
})
