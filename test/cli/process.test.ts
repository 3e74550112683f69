/** The compiled command as a process: what it loads, prints and ends with. */

import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleCommand } from '../helpers/bundle-command.ts'

let dir = ''
let cli = ''

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocibuild-process-'))
  cli = bundleCommand(dir)
  mkdirSync(join(dir, 'app'))
  // A prepare command that waits gives signals something to interrupt.
  writeFileSync(
    join(dir, 'app', 'oci.config.json'),
    JSON.stringify({
      name: 'app',
      base: 'scratch',
      platforms: ['linux/amd64'],
      prepare: ['echo begun && node -e "setTimeout(() => {}, 30000)"'],
      layers: [{ file: '/x', content: 'x' }],
    }),
  )
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { PATH } = process.env
  return { PATH, HOME: dir, TMPDIR: dir, XDG_CACHE_HOME: join(dir, 'cache'), ...extra }
}

function run(argv: readonly string[], nodeFlags: readonly string[] = []): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...nodeFlags, cli, ...argv], {
    cwd: dir,
    encoding: 'utf8',
    env: environment(),
  })
}

describe('a process', () => {
  it('prints its version', () => {
    const { status, stdout, stderr } = run(['--version'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it.each([['--version'], ['--help'], ['build', '--help']])('loads nothing heavy for %s', (...argv) => {
    const loader = join(dir, 'loaded.mjs')
    writeFileSync(
      loader,
      `import { register } from 'node:module'
       const hook = \`import { writeSync } from 'node:fs'
       export const load = (url, context, next) => { writeSync(2, url + '\\\\n'); return next(url, context) }\`
       register('data:text/javascript,' + encodeURIComponent(hook))`,
    )
    const { status, stderr } = run(argv, ['--import', loader])
    expect(status).toBe(0)
    const packages = [...stderr.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].map((match) => match[1])
    expect(new Set(packages).size).toBeLessThanOrEqual(1)
    expect(stderr).not.toMatch(/dist\/(?:build|layer|image|layout|archive)\b/)
  })

  it.each([
    [['chache'], 2],
    [['build', '--zzz'], 2],
    [['build', '-C', 'no-config'], 2],
    [['cache', 'info'], 0],
    [['help', 'plan'], 0],
  ])('ends %j with %i', (argv, expected) => {
    mkdirSync(join(dir, 'no-config'), { recursive: true })
    const { status, stderr } = run(argv)
    expect(status, stderr).toBe(expected)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  it('takes it calmly when its reader goes away', async () => {
    const child = spawn(process.execPath, [cli, 'schema'], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)))
    const ended = new Promise<number | null>((done) => child.on('close', (code) => done(code)))
    child.stdout.destroy()
    expect(await ended).toBe(0)
    expect(stderr).toBe('')
  })

  it
    .skipIf(!existsSync('/dev/full'))
    .each([['schema'], ['build ./full -q'], ['build ./full -q -o oci-archive:-']])(
    'fails in words when the disk that takes the stdout of %s is full',
    (words) => {
      mkdirSync(join(dir, 'full'), { recursive: true })
      const spec = { name: 'full', platforms: ['linux/amd64'], layers: [{ file: '/x', content: 'x' }] }
      writeFileSync(join(dir, 'full', 'oci.config.json'), JSON.stringify(spec))
      const shell = `"${process.execPath}" "${cli}" ${words} > /dev/full`
      const { status, stderr } = spawnSync('sh', ['-c', shell], {
        cwd: dir,
        encoding: 'utf8',
        env: environment(),
      })
      expect(stderr).toMatch(/^error OCB-OUTPUT-CLOSED: .*no space left on device/)
      expect(stderr).not.toMatch(/^\s+at /m)
      expect(status).toBe(1)
    },
  )

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends with 130 on %s, and takes its children along',
    async (signal) => {
      const child = spawn(process.execPath, [cli, './app', '--progress', 'plain'], {
        cwd: dir,
        env: environment(),
      })
      const ended = new Promise<number | null>((done) => child.on('exit', (code) => done(code)))
      let stderr = ''
      await new Promise<void>((ready) => {
        child.stderr.on('data', (chunk: Buffer) => {
          stderr += String(chunk)
          if (/^ {2}\| begun$/m.test(stderr)) ready()
        })
        child.on('exit', () => ready())
      })
      child.kill(signal)
      expect(await ended, stderr).toBe(130)
      expect(stderr).toContain('error OCB-INTERRUPTED')
    },
  )
})
