/** The config that `init` writes for a folder without a package.json. */

import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { formatConfig, type ConfigFormat, type Line } from '../../src/config/config-text.ts'
import { inspectFolder } from '../../src/config/inspect-folder.ts'
import { renderInit } from '../../src/config/render-init.ts'
import type { ImageSpec } from '../../src/config/resolved-spec.ts'
import { folderWith, only, resolveFolder } from './helpers.ts'

const formats: readonly (readonly [ConfigFormat])[] = [['ts'], ['yaml']]
const amd64 = { os: 'linux', architecture: 'amd64' }

async function initialised(
  files: Readonly<Record<string, string>>,
  format: ConfigFormat,
): Promise<{ readonly image: ImageSpec; readonly folder: string }> {
  const folder = folderWith(files)
  const text = renderInit(inspectFolder(folder), { hostArchitecture: 'amd64' }, format)
  writeFileSync(join(folder, `oci.config.${format}`), text)
  return { image: only(await resolveFolder(folder)), folder }
}

describe('init of a folder without a package.json', () => {
  it.each(formats)('takes its static files, as %s', async (format) => {
    const { image } = await initialised({ 'index.html': '<p>', 'public/a.css': '' }, format)
    expect(image).toMatchObject({ baseText: 'scratch', platforms: [amd64], platformsDefaulted: false })
    expect(await image.layersFor(amd64)).toMatchObject([
      { name: 'files', entries: [{ copy: ['public'], to: '/srv/public' }] },
    ])
  })

  it.each(formats)('takes all of one that says nothing, as %s', async (format) => {
    const { image } = await initialised({ 'index.html': '<p>' }, format)
    expect(await image.layersFor(amd64)).toMatchObject([{ entries: [{ copy: ['.'], to: '/srv' }] }])
  })
})

describe('the text of a config', () => {
  const lines: readonly Line[] = [
    { comment: ["It's a name,\nof two lines"], key: 'name', value: "it's" },
    { comment: ['Off.'], key: 'config', value: { env: { A: 'on', 'B-C': '1.0' } }, off: true },
    {
      comment: [],
      key: 'images',
      lines: [
        { comment: ['Inside.'], key: 'a-b', lines: [{ comment: [], key: 'index', value: true }] },
        { comment: [], key: 'no', lines: [{ comment: [], key: 'exposedPorts', value: [3000] }] },
      ],
    },
  ]

  it('has a comment above each key, and comments out what is off, in TypeScript', () => {
    expect(formatConfig(['Head.'], lines, 'ts')).toBe(`import { defineConfig } from 'ocibuild'

// Head.
export default defineConfig({
  // It's a name, of two lines
  name: 'it\\'s',
  // Off.
  // config: { env: { A: 'on', 'B-C': '1.0' } },
  images: {
    // Inside.
    'a-b': {
      index: true,
    },
    no: {
      exposedPorts: [3000],
    },
  },
})
`)
  })

  it('and in YAML, where words that would be no strings are quoted', () => {
    expect(formatConfig(['Head.'], lines, 'yaml')).toBe(`# Head.

# It's a name, of two lines
name: "it's"

# Off.
# config:
#   env:
#     A: "on"
#     B-C: "1.0"

images:
  # Inside.
  a-b:
    index: true
  "no":
    exposedPorts: [3000]
`)
  })
})
