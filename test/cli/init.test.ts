/** `ocibuild init` writes what `ocibuild plan` understands, and never over somebody's work. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { fakeContext } from './fake-context.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocibuild-init-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function run(...argv: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const context = fakeContext({ cwd: dir })
  const status = await runCli(argv, context)
  return { status, ...context.written }
}

describe('init', () => {
  it('writes a config, prints its path, and says what comes next', async () => {
    const { status, stdout, stderr } = await run('init')
    expect(status, stderr).toBe(0)
    expect(stdout).toBe('oci.config.ts\n')
    expect(stderr).toContain('ocibuild plan')
    expect(readFileSync(join(dir, 'oci.config.ts'), 'utf8')).toContain('defineConfig')
  })

  it('prints its path as JSON', async () => {
    const { stdout, stderr } = await run('init', '--json')
    expect(JSON.parse(stdout)).toEqual({ schemaVersion: 1, file: 'oci.config.ts' })
    expect(stderr).toBe('')
  })

  it('writes YAML into another folder, which plan resolves', async () => {
    mkdirSync(join(dir, 'site', 'public'), { recursive: true })
    expect((await run('init', '--yaml', './site')).stdout).toBe(`${join('site', 'oci.config.yaml')}\n`)
    const { status, stdout, stderr } = await run('plan', './site', '--spec', '--json')
    expect(status, stderr).toBe(0)
    const spec: unknown = JSON.parse(stdout)
    expect(spec).toMatchObject({ schemaVersion: 1, configFile: join(dir, 'site', 'oci.config.yaml') })
  })

  it('keeps a config that is there, unless it is forced', async () => {
    writeFileSync(join(dir, 'oci.config.ts'), 'mine')
    const { status, stderr } = await run('init')
    expect(status).toBe(2)
    expect(stderr).toContain('OCB-USAGE-CONFIG-EXISTS')
    expect(readFileSync(join(dir, 'oci.config.ts'), 'utf8')).toBe('mine')
    expect((await run('init', '--force')).status).toBe(0)
    expect(readFileSync(join(dir, 'oci.config.ts'), 'utf8')).toContain('defineConfig')
  })

  it('writes none that another would hide, even when forced', async () => {
    writeFileSync(join(dir, 'oci.config.ts'), 'mine')
    const { status, stderr } = await run('init', '--yaml', '--force')
    expect(status).toBe(2)
    expect(stderr).toContain('remove oci.config.ts first')
    expect(existsSync(join(dir, 'oci.config.yaml'))).toBe(false)
  })

  it('says which folder is missing', async () => {
    expect((await run('init', './none')).stderr).toContain('./none is not a folder')
  })
})
