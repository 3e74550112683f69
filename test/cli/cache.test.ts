/** `ocibuild cache`, from words to what is left of a folder. */

import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { fakeContext } from './fake-context.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocibuild-cache-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function run(...argv: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const context = fakeContext({ cwd: dir })
  const status = await runCli(argv, context)
  return { status, ...context.written }
}

function put(path: string): string {
  const file = join(dir, path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, 'x')
  utimesSync(file, 1e9, 1e9)
  return file
}

it('prune removes nothing from a folder that is no cache', async () => {
  const file = put('project/files/precious')
  put('project/package.json')
  const { status, stderr } = await run('cache', 'prune', '--all', '--cache-dir', 'project')
  expect(stderr).toMatch(/^error OCB-USAGE-CACHE-DIR: .*package\.json/)
  expect(status).toBe(2)
  expect(existsSync(file)).toBe(true)
})

it.each([
  ['that builds have filled', 'content/oci-layout'],
  ['that was only looked with', 'names/kept'],
])('prune takes a cache %s', async (_title, path) => {
  put(`cache/${path}`)
  const file = put('cache/files/old')
  const { status, stdout, stderr } = await run('cache', 'prune', '--json', '--cache-dir', 'cache')
  expect(status, stderr).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, dir: join(dir, 'cache') })
  expect(existsSync(file)).toBe(false)
})

it('a folder that is not there is an empty cache', async () => {
  expect((await run('cache', 'prune', '--cache-dir', 'none')).stdout).toMatch(
    /^removed 0 files, 0 B; kept 0 files/,
  )
  expect((await run('cache', 'info', '--cache-dir', 'none')).status).toBe(0)
  expect(existsSync(join(dir, 'none'))).toBe(false)
})

it('says what the limit is, and keeps to it when nothing else is asked of prune', async () => {
  expect((await run('cache', 'info', '--cache-dir', 'none')).stdout).toContain('limit: 10.0 GB')
  expect(JSON.parse((await run('cache', 'info', '--json')).stdout)).toMatchObject({ maxBytes: 10e9 })
  const { status, stderr } = await run('build', '--cache-max-size', 'lots')
  expect(stderr).toMatch(/^error OCB-USAGE-CACHE-SIZE: --cache-max-size is "lots"/)
  expect(status).toBe(2)
})

it('every command that prints takes --json', async () => {
  expect(JSON.parse((await run('schema', '--json')).stdout)).toHaveProperty('$schema')
  expect(JSON.parse((await run('cache', 'info', '--json')).stdout)).toHaveProperty('kinds')
})
