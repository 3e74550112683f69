/** What README.md shows is so: its config checks clean, its commands are there, and `plan` says what it says. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { describeProject } from '../src/node/project/describe-project.ts'
import { detectProject } from '../src/node/project/detect-project.ts'
import { processEnvironment } from '../src/environment.ts'
import { runCli } from '../src/cli/run-cli.ts'
import { fakeContext } from './cli/fake-context.ts'
import { folderWith, only, resolveFolder } from './config/helpers.ts'
import { makeProject, removeProjects } from './node/project/project-kit.ts'

afterAll(removeProjects)

const readme = readFileSync(resolve(import.meta.dirname, '../README.md'), 'utf8')

function blocks(language: string): readonly string[] {
  const found = readme.matchAll(new RegExp('^```' + language + '\\n(.*?)^```', 'gms'))
  return Array.from(found, ([, text]) => text ?? '')
}

it('shows a config that checks clean', async () => {
  const configs = blocks('ts').filter((text) => text.includes('defineConfig({'))
  expect(configs).not.toEqual([])
  for (const text of configs) {
    const folder = folderWith({ 'package.json': '{"name":"shop"}' })
    writeFileSync(join(folder, 'oci.config.ts'), text)
    const image = only(await resolveFolder(folder))
    expect((await image.layersFor({ os: 'linux', architecture: 'amd64' })).length).toBeGreaterThan(0)
  }
})

it('names commands that there are', async () => {
  const named = new Set<string>()
  for (const [, words = ''] of readme.matchAll(/^\| (`ocibuild .*?) *\|/gm)) {
    for (const [, phrase = ''] of words.matchAll(/`(?:ocibuild )?([a-z]+)[^`]*`/g)) named.add(phrase)
  }
  expect(named.size).toBeGreaterThan(20)
  const { written, ...context } = fakeContext()
  expect(await runCli(['--help'], context)).toBe(0)
  const { stdout: help } = written
  const group = fakeContext()
  expect(await runCli(['index', '--help'], group)).toBe(0)
  const cache = fakeContext()
  expect(await runCli(['cache', '--help'], cache)).toBe(0)
  const all = help + group.written.stdout + cache.written.stdout
  for (const name of named) expect(all, name).toMatch(new RegExp(`^ +(?:[a-z]+\\|)?${name}\\b`, 'm'))
})

it('shows what plan decides', async () => {
  const root = makeProject({
    'package.json': {
      name: 'shop',
      type: 'module',
      scripts: { start: 'node server.js', test: 'node --test' },
      engines: { node: '>=22' },
      dependencies: { express: '5' },
      devDependencies: { typescript: '5' },
    },
    'package-lock.json': '{}',
    'server.js': '',
    'node_modules/express/package.json': { name: 'express' },
  })
  const own = processEnvironment()
  const environment = { ...own, node: { ...own.node, version: '22.23.3' } }
  const platform = { os: 'linux', architecture: 'amd64' }
  const { base, decisions } = await describeProject(
    await detectProject(root, undefined),
    platform,
    environment,
  )
  const said = [`base: ${base.reference} (${base.reason})`, ...decisions]
  const [first = ''] = blocks('console')
  const shown = first
    .slice(first.indexOf('decisions\n') + 'decisions\n'.length)
    .trimEnd()
    .split('\n')
  expect(shown.map((line) => line.trim().replace(/: \d+ packages/, ': 1 packages'))).toEqual(said)
})
