/** `${…}` in specs. */

import { describe, expect, it } from 'vitest'
import { errorOf, folderWith, only, resolveFolder, type Given } from './helpers.ts'

const packageJson = '{"name":"@team/app","version":"1.4.0"}'

async function authorOf(text: string, given: Given = {}): Promise<unknown> {
  const folder = folderWith({
    'oci.config.json': JSON.stringify({ config: { author: text } }),
    'package.json': packageJson,
  })
  return only(await resolveFolder(folder, given)).config.author
}

describe('variables', () => {
  it.each([
    ['${env.X}', 'x'],
    ['a ${env.X} b ${env.X}', 'a x b x'],
    ['${args.k}', 'v'],
    ['${package.name}@${package.version}', '@team/app@1.4.0'],
    ['${env.EMPTY}', ''],
    ['${env.EMPTY:-default}', 'default'],
    ['${env.UNSET:-default}', 'default'],
    ['${env.UNSET:-}', ''],
    ['${git.commit:-none}', 'none'],
    ['${env.X:-default}', 'x'],
    ['$${env.X}', '${env.X}'],
    ['$${env.X} ${env.X}', '${env.X} x'],
    ['$HOME $$ {x}', '$HOME $$ {x}'],
    ['${env.TRICK}', '${env.X}'],
  ])('%s is %s', async (text, wanted) => {
    const variables = { X: 'x', EMPTY: '', TRICK: '${env.X}' }
    expect(await authorOf(text, { variables, args: { k: 'v' } })).toBe(wanted)
  })

  it.each([
    ['${env.UNSET}', '${env.UNSET} is not set and has no default: set it, or write ${env.UNSET:-default}'],
    ['${args.toString}', '${args.toString} is not set and has no default'],
    ['${HOME}', 'unknown variable ${HOME}; known are env.NAME'],
    ['${package.verison}', 'unknown variable ${package.verison}; did you mean ${package.version}?'],
    ['${platform.os}', '${platform.os} has a value in layers only'],
    ['${env.X', '"${env.X" is not closed with "}"'],
    ['${}', 'unknown variable ${}'],
  ])('%s is an error with its place', async (text, message) => {
    const folder = folderWith({ 'oci.config.yaml': `config:\n  author: '${text}'\n` })
    const error = await errorOf(resolveFolder(folder))
    expect(error.problems).toMatchObject([{ path: 'config.author', line: 2, column: 11 }])
    expect(error.problems[0]?.message).toContain(message)
    expect(error.problems[0]?.message).toContain('write $${ for a literal ${')
  })

  it('are told once, and not again by the grammar of the string', async () => {
    const folder = folderWith({ 'oci.config.yaml': 'tags: ["${env.NOPE}"]' })
    expect((await errorOf(resolveFolder(folder))).problems).toHaveLength(1)
  })

  it('stand for the platform in layers', async () => {
    const folder = folderWith({
      'oci.config.yaml': [
        'platforms: [linux/amd64, linux/arm/v7]',
        'layers:',
        '  - copy: bin/${platform.os}-${platform.architecture}${platform.variant}',
        '    to: /app/',
      ].join('\n'),
    })
    const image = only(await resolveFolder(folder))
    const copies = []
    for (const platform of image.platforms) {
      const [layer] = await image.layersFor(platform)
      copies.push(layer?.entries[0])
    }
    expect(copies).toMatchObject([{ copy: ['bin/linux-amd64'] }, { copy: ['bin/linux-armv7'] }])
  })

  it('are left alone in content unless it is a template', async () => {
    const entries = [
      { file: '/a', content: '${HOME} $${x}' },
      { file: '/b', content: '${env.X} $${x} ${platform.architecture}', template: true },
      { append: '/c', content: '${HOME}' },
    ]
    const text = JSON.stringify({ layers: [{ entries }] })
    for (const files of [{ 'oci.config.json': text }, { 'oci.config.mjs': `export default ${text}` }]) {
      const image = only(await resolveFolder(folderWith(files), { variables: { X: 'x' } }))
      const [layer] = await image.layersFor({ os: 'linux', architecture: 'arm64' })
      const contents = layer?.entries.map((entry) =>
        'content' in entry ? new TextDecoder().decode(entry.content) : '',
      )
      expect(contents).toEqual(['${HOME} $${x}', 'x ${x} arm64', '${HOME}'])
    }
  })

  it('give an empty member that is dropped', async () => {
    const folder = folderWith({ 'oci.config.yaml': 'tags: [a, "${env.UNSET:-}"]' })
    expect(only(await resolveFolder(folder)).tags).toEqual(['a'])
  })
})
