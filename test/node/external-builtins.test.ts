import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { externalBuiltins } from '../../src/node/external-builtins.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ocibuild-builtins-'))
  mkdirSync(join(root, 'usr/share/nodejs/undici'), { recursive: true })
  for (const name of ['undici-fetch.js', 'other.js']) {
    writeFileSync(join(root, 'usr/share/nodejs/undici', name), '1')
  }
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function libraryWith(name: string, ...strings: readonly string[]): readonly { readonly realPath: string }[] {
  const realPath = join(root, name)
  writeFileSync(realPath, `\0\x01${strings.map((text) => `\0${text}\0`).join('')}`)
  return [{ realPath }]
}
const script = '/usr/share/nodejs/undici/undici-fetch.js'

it('modules that libnode names by their paths are placed where it looks', () => {
  const libraries = libraryWith('libnode.so.115', script, '/usr/share/nodejs/gone.js', 'lib/fs.js', script)
  expect(externalBuiltins(root, libraries)).toMatchObject([{ type: 'file', path: script, mode: 0o644 }])
})

it('words that end like a path, but are text, name nothing', () => {
  const libraries = libraryWith(
    'libnode.so.115',
    `// see ${script}`,
    `/x/..${script}`,
    `${'a'.repeat(2000)}.js`,
  )
  expect(externalBuiltins(root, libraries)).toEqual([])
})

it('other libraries are not searched', () => {
  expect(externalBuiltins(root, libraryWith('libc.so.6', script))).toEqual([])
})
