import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { build, type BuildResult } from '../../src/index.ts'

const count = 50
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocibuild-many-'))
  mkdirSync(join(folder, 'shared'))
  for (let index = 0; index < 20; index += 1) writeFileSync(join(folder, 'shared', `${index}.js`), `${index}`)
  for (let index = 0; index < count; index += 1) {
    mkdirSync(join(folder, 'libs', `lib${index}`), { recursive: true })
    writeFileSync(join(folder, 'libs', `lib${index}`, 'index.js'), `${index}`)
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Image i is made of what all share, of library i and of library i + 1. */
function buildAll(): Promise<BuildResult> {
  const images = Array.from({ length: count }, (_, index) => [
    `app${index}`,
    {
      layers: [
        { name: 'shared', entries: [{ copy: 'shared', to: '/shared' }] },
        ...[index, (index + 1) % count].map((lib) => ({
          name: `lib${lib}`,
          entries: [{ copy: `libs/lib${lib}`, to: `/libs/lib${lib}` }],
        })),
      ],
    },
  ])
  const spec = {
    defaults: { platforms: ['linux/amd64'], created: 'epoch', metadata: 'none' },
    images: Object.fromEntries(images),
  }
  return build({ cwd: folder, cacheDir: join(folder, 'cache'), spec })
}

const madeLayers = ({ images }: BuildResult): readonly string[] =>
  images.flatMap(({ image, platforms }) =>
    platforms.flatMap(({ layers }) =>
      layers.flatMap(({ name, cached }) => (cached ? [] : `${image} ${name}`)),
    ),
  )

it('fifty images make what they share once, and after a change only what it reaches', async () => {
  const first = await buildAll()
  // The shared layer and each library once, whatever images they are in.
  expect(madeLayers(first)).toHaveLength(1 + count)
  writeFileSync(join(folder, 'libs/lib7/index.js'), 'changed')
  const second = await buildAll()
  expect(madeLayers(second)).toEqual(['app6 lib7'])
  const moved = second.images.flatMap(({ image, digest }, index) =>
    digest === first.images[index]?.digest ? [] : image,
  )
  expect(moved).toEqual(['app6', 'app7'])
})
