/** What is kept of our compiled files between starts, where Node.js does not do so itself. */

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { truncateSync, utimesSync, writeFileSync } from 'node:fs'
import module from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { compileCli, type CompiledCli } from '../helpers/compiled-cli.ts'

const reason = 'enableCompileCache' in module ? 'this Node.js keeps it itself' : undefined

let cli: CompiledCli
let temp = ''

beforeAll(() => {
  cli = compileCli()
})
beforeAll(() => {
  temp = mkdtempSync(join(tmpdir(), 'ocibuild-kept-code-'))
  writeFileSync(
    join(temp, 'oci.config.mjs'),
    `export default { name: 'x', layers: [{ file: '/x', content: 'x' }] }`,
  )
})
afterEach(() => {
  for (const name of kept()) rmSync(join(temp, name), { recursive: true })
})
afterAll(() => {
  cli.remove()
  rmSync(temp, { recursive: true, force: true })
})

/** Folders of ours. */
function kept(): readonly string[] {
  return readdirSync(temp).filter((name) => name.startsWith('ocibuild-code-'))
}

function folder(): string {
  return join(temp, kept()[0] ?? '')
}

async function build(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const args = ['build', '-q', '-o', 'oci:image', '--cache-dir', 'cache']
  return (await cli.must(args, { cwd: temp, env: { TMPDIR: temp, ...env } })).stdout
}

const titled = `compiled code${reason === undefined ? '' : ` (skipped: ${reason})`}`

describe.skipIf(reason !== undefined)(titled, () => {
  it('is kept for the next start, which takes it and builds the same', async () => {
    const first = await build()
    const names = readdirSync(folder())
    expect(names.length).toBeGreaterThan(5)
    expect(statSync(folder()).mode & 0o777).toBe(0o700)
    for (const name of names) utimesSync(join(folder(), name), 1, 1)
    expect(await build()).toBe(first)
    // What was refused would have been written anew.
    const written = readdirSync(folder()).filter((name) => statSync(join(folder(), name)).mtimeMs !== 1000)
    expect(written.filter((name) => names.includes(name))).toEqual([])
  })

  it('is made anew where it is damaged', async () => {
    const first = await build()
    const [name = ''] = readdirSync(folder())
    const whole = statSync(join(folder(), name)).size
    truncateSync(join(folder(), name), 100)
    expect(await build()).toBe(first)
    expect(statSync(join(folder(), name)).size).toBeGreaterThan(whole / 2)
  })

  it('is not taken for a file that was changed, whatever its length', async () => {
    await build()
    const words = 'Builds the images of a config'
    const path = join(dirname(cli.path), 'chunks')
    const [program = ''] = readdirSync(path).filter((name) =>
      readFileSync(join(path, name), 'utf8').includes(words),
    )
    const text = readFileSync(join(path, program), 'utf8')
    const help = { cwd: temp, env: { TMPDIR: temp } }
    const before = (await cli.must(['build', '--help'], help)).stdout
    writeFileSync(join(path, program), text.replaceAll(words, words.toUpperCase()))
    expect((await cli.must(['build', '--help'], help)).stdout).not.toBe(before)
    writeFileSync(join(path, program), text)
  })

  it('is not kept in a folder that others may write to, nor behind a link', async () => {
    await build()
    const path = folder()
    rmSync(path, { recursive: true })
    mkdirSync(path)
    chmodSync(path, 0o777)
    await build()
    expect(readdirSync(path)).toEqual([])
    rmSync(path, { recursive: true })
    mkdirSync(join(temp, 'elsewhere'))
    symlinkSync('elsewhere', path)
    await build()
    expect(readdirSync(join(temp, 'elsewhere'))).toEqual([])
  })

  it('is not kept where NODE_DISABLE_COMPILE_CACHE is set, or there is no room', async () => {
    await build({ NODE_DISABLE_COMPILE_CACHE: '1' })
    expect(kept()).toEqual([])
    writeFileSync(join(temp, 'file'), '')
    await build({ TMPDIR: join(temp, 'file') })
    expect(kept()).toEqual([])
  })
})
