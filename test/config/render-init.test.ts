/** The config that `init` writes. */

import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { inspectFolder } from '../../src/config/inspect-folder.ts'
import { renderInit, type InitFormat } from '../../src/config/render-init.ts'
import { folderWith, only, resolveFolder } from './helpers.ts'

const folders: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a server with a build': {
    'package.json':
      '{"name":"@team/it\'s-app","scripts":{"build":"tsc","start":"node --enable-source-maps dist/server.js"},"dependencies":{"a":"1"}}',
    'pnpm-lock.yaml': '',
    'public/index.html': '',
  },
  'a plain script': {
    'package.json': '{"name":"script","type":"module"}',
    'index.js': '',
    'lib/a.js': '',
    'vite.config.js': '',
  },
  'a start script of a shell': { 'package.json': '{"scripts":{"start":"NODE_ENV=x node a.js && b"}}' },
  'a static site': { 'index.html': '<p>', 'public/a.css': '' },
  'an empty folder': {},
}

describe('init', () => {
  for (const [title, files] of Object.entries(folders)) {
    it.each<[InitFormat]>([['ts'], ['yaml']])(
      `writes a config that checks clean for ${title}, as %s`,
      async (format) => {
        const folder = folderWith(files)
        const text = renderInit(inspectFolder(folder, { hostPlatform: 'linux' }), format)
        writeFileSync(join(folder, `oci.config.${format}`), text)
        const image = only(await resolveFolder(folder))
        expect((await image.layersFor({ os: 'linux', architecture: 'amd64' })).length).toBeGreaterThan(0)
        expect(text).toMatch(format === 'ts' ? /^ {2}\/\/ /m : /^# /m)
      },
    )
  }

  it.each<[InitFormat]>([['ts'], ['yaml']])('suggests a command as %s takes it', async (format) => {
    const folder = folderWith(folders['a start script of a shell'] ?? {})
    const text = renderInit(inspectFolder(folder, { hostPlatform: 'linux' }), format)
    const command = /Add the command: (cmd: .*\])\.$/m.exec(text)?.[1] ?? ''
    const taken = text.replace(
      'workingDir:',
      format === 'ts' ? `${command}, workingDir:` : `${command}\n  workingDir:`,
    )
    writeFileSync(join(folder, `oci.config.${format}`), taken)
    expect(only(await resolveFolder(folder)).config.cmd).toEqual(['node', 'server.js'])
  })

  it('says the same in both formats', async () => {
    const files = folders['a server with a build'] ?? {}
    const images = []
    for (const format of ['ts', 'yaml'] as const) {
      const folder = folderWith(files)
      writeFileSync(
        join(folder, `oci.config.${format}`),
        renderInit(inspectFolder(folder, { hostPlatform: 'linux' }), format),
      )
      const { layersFor, root: _root, ...image } = only(await resolveFolder(folder))
      const layers = await layersFor({ os: 'linux', architecture: 'amd64' })
      images.push({ ...image, layers: JSON.parse(JSON.stringify(layers).replaceAll(folder, '')) })
    }
    expect(images[0]).toEqual(images[1])
    expect(images[0]).toMatchObject({
      name: 'it-s-app',
      baseText: 'host:node',
      prepare: ['pnpm run build'],
      config: {
        cmd: ['node', '--enable-source-maps', 'dist/server.js'],
        workingDir: '/app',
        user: '1000:1000',
      },
      layers: [
        { name: 'dependencies', entries: [{ copy: ['node_modules'], to: '/app/node_modules' }] },
        { name: 'assets', entries: [{ copy: ['public'] }] },
        { name: 'app', entries: [{ copy: ['package.json', 'dist'], to: '/app' }] },
      ],
    })
  })

  it('copies what lies beside a script, and no configs of tools', () => {
    const facts = inspectFolder(folderWith(folders['a plain script'] ?? {}), { hostPlatform: 'linux' })
    expect(facts).toMatchObject({ start: ['node', 'index.js'], code: ['index.js', 'lib'], build: undefined })
  })

  it('takes no host:node where the host is no Linux', () => {
    const facts = inspectFolder(folderWith({ 'package.json': '{}' }), { hostPlatform: 'darwin' })
    expect(renderInit(facts, 'yaml')).toContain('base: scratch\n')
  })
})
