/** What a start of the bundled command reads: files are counted, since a time would be the machine's. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProgram, commandNames } from '../../src/cli/program.ts'
import { bundleCommand } from '../helpers/bundle-command.ts'
import { nodeRelease } from '../helpers/node-releases.ts'
import { skipOrFail } from '../helpers/peers.ts'
import { fakeContext } from './fake-context.ts'

const dir = mkdtempSync(join(tmpdir(), 'ocibuild-start-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

beforeAll(() => {
  bundleCommand(dir)
  writeFileSync(
    join(dir, 'oci.config.json'),
    JSON.stringify({ name: 'app', platforms: ['linux/amd64'], layers: [{ file: '/x', content: 'x' }] }),
  )
  // What was required, of all files; said when the process ends.
  writeFileSync(
    join(dir, 'watch.cjs'),
    `process.on('exit', () => require('fs').writeSync(2, Object.keys(require.cache).join('\\n')))`,
  )
})

/** What a command loads: files of ours, and packages. */
function loaded(...argv: readonly string[]): { readonly files: string[]; readonly packages: string[] } {
  const words = ['--require', join(dir, 'watch.cjs'), join(dir, 'dist', 'cli.cjs'), ...argv]
  const { PATH } = process.env
  const env = { PATH, HOME: dir, TMPDIR: dir, XDG_CACHE_HOME: join(dir, 'cache') }
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: dir, encoding: 'utf8', env })
  expect(status, stderr).toBe(0)
  const paths = stderr.split('\n')
  const packages = paths.flatMap((path) => /node_modules[\\/]([^\\/]+)/.exec(path)?.[1] ?? [])
  return {
    files: paths.filter((path) => /[\\/]dist[\\/]/.test(path) && !path.includes('node_modules')),
    packages: [...new Set(packages)],
  }
}

describe('a start', () => {
  it('for --version reads next to nothing', () => {
    const { files, packages } = loaded('--version')
    expect(files.length).toBeLessThanOrEqual(4)
    expect(packages).toEqual([])
  })

  it('for help reads no part of the pipeline', () => {
    const { files, packages } = loaded('build', '--help')
    expect(files.length).toBeLessThanOrEqual(10)
    expect(packages).toEqual([])
  })

  it('of a build reads few files, no package, and what makes layers only when there is one to make', () => {
    const first = loaded('build', '-q')
    expect(first.files.length).toBeLessThanOrEqual(16)
    expect(first.packages).toEqual([])
    const makes = (path: string): boolean => /[\\/]later-\w+\.cjs$/.test(path)
    expect(first.files.some(makes)).toBe(true)
    expect(loaded('build', '-q').files.some(makes)).toBe(false)
  })

  it('with a TypeScript config gives the same from what was compiled before, and sees a change', () => {
    const folder = join(dir, 'typed')
    mkdirSync(folder)
    const plan = (): unknown => {
      const words = [join(dir, 'dist', 'cli.cjs'), 'plan', '--json', '--cache-dir', join(folder, 'cache')]
      const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8' })
      expect(status, stderr).toBe(0)
      return JSON.parse(stdout)
    }
    const write = (name: string): void =>
      writeFileSync(
        join(folder, 'oci.config.ts'),
        `import { defineConfig } from 'ocibuild'
         enum Mode { Exact = 0o600 }
         export default defineConfig({ name: '${name}' as string, platforms: ['linux/amd64'],
           layers: [{ file: '/x', content: '', mode: Mode.Exact.toString(8) }] })`,
      )
    write('one')
    const cold = plan()
    expect(cold).toMatchObject({ images: [{ name: 'one' }] })
    expect(plan()).toEqual(cold)
    write('two')
    expect(plan()).toMatchObject({ images: [{ name: 'two' }] })
  })

  it.for([22, 24, 26])(
    'has Node.js %i run a TypeScript config by itself, without a word, whatever package.json says',
    { timeout: 240_000 },
    (major, context) => {
      const release = nodeRelease(major)
      if (release.path === undefined) return skipOrFail(context, release.missing)
      for (const json of [{}, { type: 'module' }]) {
        const folder = mkdtempSync(join(dir, 'native-'))
        writeFileSync(join(folder, 'package.json'), JSON.stringify(json))
        writeFileSync(join(folder, 'more.ts'), `export const size: number = 1`)
        writeFileSync(
          join(folder, 'oci.config.ts'),
          `import { defineConfig, semverTags } from 'ocibuild'
           import { size } from './more.ts'
           export default defineConfig({ name: 'n' + size as string, tags: semverTags('1.2.3'),
             platforms: ['linux/amd64'], layers: [{ file: '/x', content: '' }] })`,
        )
        const words = [join(dir, 'dist', 'cli.cjs'), 'plan', '--json', '--cache-dir', join(folder, 'cache')]
        const { stdout, stderr } = spawnSync(release.path, words, { cwd: folder, encoding: 'utf8' })
        expect(stderr).toBe('')
        expect(JSON.parse(stdout)).toMatchObject({ images: [{ name: 'n1', tags: ['1.2.3', '1.2', '1'] }] })
        // Nothing was compiled.
        expect(existsSync(join(folder, 'cache', 'facts', 'compiled'))).toBe(false)
      }
      return undefined
    },
  )

  it('reads files that are all there are: none but these and what commands load', () => {
    expect(readdirSync(join(dir, 'dist')).sort()).toEqual([
      'chunks',
      'cli.cjs',
      'index.cjs',
      'index.js',
      'licenses.txt',
    ])
  })
})

describe('a command by itself', () => {
  const services = {
    build: () => Promise.reject(new Error('not wanted')),
    createPlan: () => Promise.reject(new Error('not wanted')),
  }
  const namesIn = (only?: string): readonly string[] =>
    createProgram(fakeContext({ cwd: dir }), services, only).commands.map((command) => command.name())

  it('is one of those that are known by name', () => {
    expect(namesIn()).toEqual([...commandNames, 'build-folder'])
  })

  it.each(commandNames)('%s is registered without the others, with the same help', (name) => {
    expect(namesIn(name)).toContain(name)
    expect(namesIn(name).length).toBeLessThanOrEqual(3)
    const help = (only?: string): string | undefined =>
      createProgram(fakeContext({ cwd: dir }), services, only)
        .commands.find((command) => command.name() === name)
        ?.helpInformation()
    expect(help(name)).toBe(help())
  })
})
