/** What a user installs. */

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publint } from 'publint'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

it('holds what runs, its types and its schema, and nothing of how it was made', () => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const text = execFileSync(npm, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const [packed] = JSON.parse(text)
  const paths: string[] = packed.files.map((file: { readonly path: string }) => file.path)
  expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'package.json', 'schemas/oci.config.schema.json']))
  const strange = paths.filter((path) => !/^(?:dist|schemas)\/|^[^/]+\.(?:json|md|ts)$|^LICENSE$/.test(path))
  expect(strange).toEqual([])
  expect(paths.filter((path) => /\.map$|\.test\.|^dist\/cli\/.*\.d\.ts$/.test(path))).toEqual([])
  expect(packed.size).toBeLessThan(600_000)
  // Compiled by `npm test` and by prepack; a test run by itself does not wait for it.
  if (existsSync(join(root, 'dist'))) {
    expect(paths).toEqual(expect.arrayContaining(['dist/cli.cjs', 'dist/index.js', 'dist/index.d.ts']))
  }
})

it.skipIf(!existsSync(join(root, 'dist', 'index.d.ts')))('has types that need no other package', () => {
  const names = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })
  const types = names.filter((name) => name.endsWith('.d.ts'))
  expect(types).toContain('index.d.ts')
  const texts = types.map((name) => readFileSync(join(root, 'dist', name), 'utf8'))
  expect(texts.flatMap((text) => text.match(/ from '(?!\.|node:).*'/g) ?? [])).toEqual([])
})

it('is compiled when it is packed', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(scripts.prepack).toBe(scripts.build)
})

it.skipIf(!existsSync(join(root, 'dist', 'index.js')))('passes publint', async () => {
  const { messages } = await publint({ pkgDir: root, strict: true, pack: 'npm' })
  expect(messages).toEqual([])
})
