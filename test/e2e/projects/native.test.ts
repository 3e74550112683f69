/** Real packages with native files: sharp, whose binaries are packages of their own, and an addon compiled here. */

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { dependenciesOf, differences, pick } from './list-tree.ts'
import type { ProjectRecipe } from './real-project.ts'
import { describeProject } from './run-project.ts'

const npm = {
  manager: 'npm',
  install: ['install', '--ignore-scripts'],
  production: { '': { install: ['ci', '--omit=dev', '--ignore-scripts'] } },
} as const

const sharp: ProjectRecipe = {
  ...npm,
  name: 'sharp',
  files: {
    'package.json': {
      name: 'thumbnails',
      type: 'module',
      scripts: { start: 'node index.js' },
      dependencies: { sharp: '0.34.5' },
      devDependencies: { 'left-pad': '1.3.0' },
    },
    'index.js': `import sharp from 'sharp'
const image = sharp({ create: { width: 8, height: 4, channels: 3, background: 'red' } })
const { info } = await image.webp().toBuffer({ resolveWithObject: true })
console.log(info.format, info.width, info.height, process.getuid())
`,
  },
}

describeProject('an app with sharp', sharp, (built) => {
  it('draws in the image', async () => {
    expect(await built().image().run()).toEqual({ stdout: 'webp 8 4 1000\n', stderr: '', status: 0 })
  })

  it('has the packages that npm installs for production', () => {
    const { project, image } = built()
    expect(differences(dependenciesOf(image().files), dependenciesOf(project.production[''] ?? {}))).toEqual(
      [],
    )
    expect(Object.keys(image().files).filter((path) => path.endsWith('.node'))).toHaveLength(1)
  })
})

/** Official Node.js comes with its headers; another's are fetched by node-gyp. */
const prefix = dirname(dirname(process.execPath))
const headers = existsSync(join(prefix, 'include/node/node_api.h')) ? { npm_config_nodedir: prefix } : {}

const addon: ProjectRecipe = {
  ...npm,
  name: 'addon',
  files: {
    'package.json': {
      name: 'masks',
      main: 'index.js',
      dependencies: { bufferutil: '4.0.9' },
      devDependencies: { 'node-gyp': '11.4.2' },
    },
    'index.js': `const { mask } = require('bufferutil')
const output = Buffer.alloc(4)
mask(Buffer.from('abcd'), Buffer.from([1, 1, 1, 1]), output, 0, 4)
console.log(output.toString(), Object.keys(require.cache).filter((path) => path.endsWith('.node')).join())
`,
  },
  steps: [{ run: ['node_modules/node-gyp/bin/node-gyp.js', 'rebuild'], cwd: 'node_modules/bufferutil' }],
  env: headers,
}

describeProject('an app with an addon that node-gyp compiled', addon, (built) => {
  it('loads it in the image', async () => {
    const { stdout, stderr } = await built().image().run()
    expect(`${stdout}${stderr}`).toBe('`cbe /app/node_modules/bufferutil/build/Release/bufferutil.node\n')
  })

  it('has the packages that npm installs for production, and what loads of the build', () => {
    const { project, image } = built()
    const found = dependenciesOf(image().files)
    const isBuild = (path: string): boolean => path.startsWith('node_modules/bufferutil/build/')
    expect(
      differences(
        pick(found, (path) => !isBuild(path)),
        dependenciesOf(project.production[''] ?? {}),
      ),
    ).toEqual([])
    expect(Object.keys(found).filter(isBuild)).toEqual([
      'node_modules/bufferutil/build/Release/bufferutil.node',
    ])
  })
})
