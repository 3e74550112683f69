/** inspect, ls and validate, from words to what is printed. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { sha256 } from '../../src/content/hash.ts'
import { gzipLayer, makeImage, rawTar } from '../helpers/hand-made-image.ts'
import { blobPath, temporaryFolder } from '../helpers/unpack.ts'
import { writeLayout } from '../helpers/write-layout.ts'
import { fakeContext } from './fake-context.ts'

const layer = gzipLayer(
  rawTar([
    { name: 'etc/', mode: 0o755 },
    { name: 'etc/a\u001b[31m', content: 'abc' },
  ]),
)
let folder = ''

beforeAll(async () => {
  folder = temporaryFolder()
  const image = await makeImage([layer])
  await writeLayout(join(folder, '.ocibuild/image'), image, 'latest')
  await writeLayout(
    join(folder, 'broken'),
    await makeImage([{ ...layer, diffId: sha256('other') }]),
    'latest',
  )
  const two = await writeLayout(join(folder, 'two'), image, 'one')
  const index = JSON.parse(readFileSync(join(two, 'index.json'), 'utf8'))
  const config = JSON.parse(readFileSync(blobPath(two, image.config), 'utf8'))
  expect(config.os).toBe('linux')
  const [entry] = index.manifests
  const other = await makeImage([layer, layer])
  await writeLayout(two, other, 'two')
  const second = JSON.parse(readFileSync(join(two, 'index.json'), 'utf8')).manifests[0]
  writeFileSync(join(two, 'index.json'), JSON.stringify({ ...index, manifests: [entry, second] }))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function run(...argv: readonly string[]): Promise<{ stdout: string; stderr: string; status: number }> {
  const context = fakeContext({ cwd: folder, variables: { OCIBUILD_CACHE_DIR: join(folder, 'cache') } })
  const status = await runCli(argv, context)
  return { ...context.written, status }
}

describe('inspect', () => {
  it('describes what was built here when no image is named', async () => {
    const { stdout, status } = await run('inspect')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^image {3}oci:\.ocibuild\/image\ndigest {2}sha256:[0-9a-f]{64}\n/)
    expect(stdout).toContain('\nlinux/amd64\n')
    expect(stdout).toContain('layer 0')
  })

  it('prints JSON, and documents as they are stored', async () => {
    const json = JSON.parse((await run('inspect', 'oci:.ocibuild/image', '--json')).stdout)
    expect(json).toMatchObject({ schemaVersion: 1, reference: 'oci:.ocibuild/image', others: [] })
    expect(sha256((await run('inspect', '--raw')).stdout)).toBe(json.digest)
  })

  it('lists the images of a layout that has several', async () => {
    const { stderr, status } = await run('inspect', 'oci:two')
    expect(status).toBe(1)
    expect(stderr).toMatch(/one sha256:.*two sha256:/)
    expect((await run('inspect', 'oci:two:one')).status).toBe(0)
  })

  it('says what to do when there is nothing to look at', async () => {
    const { stderr, status } = await run('inspect', '-C', 'two')
    expect(stderr).toContain('OCB-USAGE-REFERENCE')
    expect(status).toBe(2)
  })

  it('names what a build of several images wrote', async () => {
    const image = await makeImage([layer])
    for (const name of ['web', 'api'])
      await writeLayout(join(folder, 'many/.ocibuild', name), image, 'latest')
    for (const command of ['inspect', 'ls', 'validate']) {
      const { stderr, status } = await run(command, '-C', 'many')
      expect(stderr).toContain('no image is named; .ocibuild has api and web')
      expect(stderr).toContain('oci:.ocibuild/api')
      expect(status).toBe(2)
    }
    expect((await run('inspect', '-C', 'many', 'oci:.ocibuild/api')).status).toBe(0)
  })
})

describe('ls', () => {
  it('prints one path a line, and nothing that speaks to the terminal', async () => {
    expect(await run('ls')).toEqual({ stdout: '/etc/\n/etc/a\\x1b[31m\n', stderr: '', status: 0 })
  })

  it('prints long lines, and one layer', async () => {
    const { stdout } = await run('ls', 'oci:.ocibuild/image', '/etc', '-l', '--layer', '0')
    expect(stdout).toBe(
      'drwxr-xr-x  0:0  -  1970-01-01 00:00:00  #0  /etc/\n' +
        '-rw-r--r--  0:0  3  1970-01-01 00:00:00  #0  /etc/a\\x1b[31m\n',
    )
  })

  it('prints JSON', async () => {
    const { entries } = JSON.parse((await run('ls', '--json')).stdout)
    expect(entries).toHaveLength(2)
    expect(entries[1]).toMatchObject({ path: '/etc/a\u001b[31m', size: 3, mode: '0644' })
  })

  it('refuses a layer that is none', async () => {
    expect((await run('ls', '--layer', 'top')).status).toBe(2)
  })
})

describe('validate', () => {
  it('says that a sound image is valid, and what was read', async () => {
    const { stdout, status } = await run('validate')
    expect(stdout).toMatch(
      /^oci:\.ocibuild\/image is valid: 0 errors, 0 warnings; 3 blobs, [\d.]+ k?B read\n$/,
    )
    expect(status).toBe(0)
  })

  it('prints every finding and fails when one is an error', async () => {
    const { stdout, status } = await run('validate', 'oci:broken')
    expect(status).toBe(1)
    expect(stdout).toMatch(/^error OCB-VALIDATE-DIFF-ID manifest sha256:[0-9a-f]{64} layers\[0\]: /)
    expect(stdout).toMatch(/\noci:broken is not valid: 1 error, 0 warnings; 3 blobs/)
    const json = JSON.parse((await run('validate', 'oci:broken:latest', '--json')).stdout)
    expect(json).toMatchObject({
      schemaVersion: 1,
      valid: false,
      findings: [{ code: 'OCB-VALIDATE-DIFF-ID' }],
    })
  })

  it('leaves the layers when it is to be fast, and says so', async () => {
    const { stdout, status } = await run('validate', 'oci:broken', '--fast')
    expect(status).toBe(0)
    expect(stdout).toContain('not read')
  })

  it('checks all images of a layout when none is named', async () => {
    const { stdout, status } = await run('validate', 'oci:two')
    expect(status).toBe(0)
    expect(stdout).toContain('5 blobs')
  })
})
