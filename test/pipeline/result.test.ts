/** The shape of a result is what `--json` prints: contract, section 4. */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { build, processEnvironment } from '../../src/index.ts'

it('has the keys of the contract, each image with its own time', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ocibuild-result-'))
  const result = await build({
    environment: { ...processEnvironment(), cwd: dir, variables: {} },
    cacheDir: join(dir, 'cache'),
    spec: {
      defaults: { platforms: ['linux/amd64', 'linux/arm64'], layers: [{ file: '/a', content: 'a' }] },
      images: { one: { name: 'acme/one' }, two: { name: 'acme/two' } },
    },
  })
  const digest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/)
  const size = expect.any(Number)
  const image = (key: string): unknown => ({
    image: key,
    name: `acme/${key}`,
    reference: expect.stringMatching(`^oci:\\.ocibuild/${key}:@sha256:`),
    references: [expect.stringMatching(`^oci:\\.ocibuild/${key}:@sha256:`)],
    digest,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    size,
    tags: ['latest'],
    outputs: [{ ref: `oci:.ocibuild/${key}`, digest }],
    platforms: ['linux/amd64', 'linux/arm64'].map((platform) => ({
      platform,
      digest,
      config: digest,
      layers: [
        {
          name: '/a',
          digest,
          diffId: digest,
          size,
          mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
          cached: expect.any(Boolean),
          from: 'build',
        },
      ],
    })),
    durationMs: expect.any(Number),
  })
  expect(JSON.parse(JSON.stringify(result))).toEqual({
    schemaVersion: 1,
    images: [image('one'), image('two')],
    warnings: [],
    durationMs: expect.any(Number),
  })
  const spentMs = result.images.map(({ durationMs }) => durationMs)
  for (const ms of spentMs) expect(ms).toBeGreaterThan(0)
  expect(spentMs.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(result.durationMs + 2)
})

it('names a place once, however many tags it got there', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ocibuild-result-'))
  const outputs = ['oci:out', 'oci:out:extra', 'oci-archive:out.tar']
  const spec = { name: 'x', platforms: ['linux/amd64'], layers: [{ file: '/a', content: 'a' }], outputs }
  const environment = { ...processEnvironment(), cwd: dir, variables: {} }
  const [image] = (await build({ environment, cacheDir: join(dir, 'cache'), spec })).images
  expect(image?.references).toEqual([`oci:out:@${image?.digest}`, `oci-archive:out.tar:@${image?.digest}`])
  expect(image?.outputs.map(({ ref }) => ref)).toEqual(outputs)
})
