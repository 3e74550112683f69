/** login and logout: what is asked, checked, stored and said. */

import { mkdirSync, readFileSync, rmSync, writeFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry } from '../helpers/registry/registry.ts'
import { temporaryFolder } from '../helpers/unpack.ts'
import { fakeContext } from './fake-context.ts'

const authentication = {
  kind: 'bearer',
  username: 'alice',
  password: 's3cret',
  anonymousPull: false,
} as const
let folder = ''

beforeEach(() => {
  folder = temporaryFolder()
  const made = folder
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
})

interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly status: number
}

/** `said` is what comes from stdin; with `terminal` a person types it. */
async function run(
  argv: readonly string[],
  said = '',
  options: { readonly terminal?: boolean; readonly variables?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  const modes: boolean[] = []
  const stdin = Object.assign(new PassThrough(), {
    isTTY: options.terminal === true,
    setRawMode: (mode: boolean) => void modes.push(mode),
  })
  // Somebody who waits for the question, as a terminal hands over a key at a time.
  let typed = [...said]
  const fake = fakeContext({
    cwd: folder,
    homeDir: join(folder, 'home'),
    variables: { OCIBUILD_CACHE_DIR: join(folder, 'cache'), ...options.variables },
  })
  const context = {
    ...fake,
    stdin,
    stderr(text: string) {
      fake.stderr(text)
      if (options.terminal !== true || !text.endsWith(': ')) return
      const end = typed.findIndex((key) => key === '\r' || key === '\u0003')
      const keys = typed.slice(0, end + 1)
      typed = typed.slice(end + 1)
      setImmediate(() => keys.forEach((key) => stdin.write(key)))
    },
  }
  if (options.terminal !== true) stdin.end(said)
  const status = await runCli(argv, context)
  if (options.terminal === true) expect(modes.at(-1) ?? false).toBe(false)
  return { ...fake.written, status }
}

const configFile = (): string => join(folder, 'home/.docker/config.json')

describe('login', () => {
  it('checks and stores a password from stdin, and what needs it then works', async () => {
    const { host } = await forTest(startRegistry({ authentication }))
    expect((await run(['tags', `${host}/app`])).status).toBe(3)
    const { status, stdout, stderr } = await run(
      ['login', host, '-u', 'alice', '--password-stdin'],
      's3cret\n',
    )
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
    expect(stderr).toContain(`logged in to ${host}; stored in ${configFile()}`)
    expect(stderr).not.toContain('s3cret')
    expect(statSync(configFile()).mode & 0o777).toBe(0o600)
    const doctor = await run(['doctor', `${host}/app`])
    expect(doctor.stdout).toContain(`user name and password from ${configFile()}`)
    expect(doctor.stdout).not.toMatch(/s3cret|alice/)
  })

  it('stores nothing that the registry refuses', async () => {
    const { host } = await forTest(startRegistry({ authentication }))
    const { status, stderr } = await run(['login', host, '-u', 'alice', '--password-stdin', '-v'], 'wr0ng')
    expect(status).toBe(3)
    expect(stderr).toContain('OCB-REGISTRY-AUTH')
    expect(stderr).not.toMatch(/wr0ng|d3IwbmcK|YWxpY2U6/)
    expect(() => readFileSync(configFile())).toThrow('ENOENT')
  })

  it('asks on a terminal, shows the name and never the password', async () => {
    const { host } = await forTest(startRegistry({ authentication }))
    const { status, stderr } = await run(['login', host], 'alicx\u007fe\rwrong\u0015s3cret\r', {
      terminal: true,
    })
    expect(status).toBe(0)
    expect(stderr).toContain(`user name for ${host}: alicx\b \be\n`)
    expect(stderr).toContain(`password or token for alice at ${host}: \n`)
    expect(stderr).not.toContain('s3cret')
  })

  it('ends when a person gives up', async () => {
    const { host } = await forTest(startRegistry({ authentication }))
    expect((await run(['login', host], 'al\u0003', { terminal: true })).status).toBe(130)
  })

  it('takes identity tokens, and prints JSON', async () => {
    const { host } = await forTest(
      startRegistry({ authentication: { kind: 'bearer', identityToken: 'refresh', anonymousPull: false } }),
    )
    const argv = ['login', host, '-u', '<token>', '--password-stdin', '--json']
    const { stdout, status } = await run(argv, 'refresh')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ schemaVersion: 1, host, stored: configFile(), checked: true })
    expect(readFileSync(configFile(), 'utf8')).toContain('"identitytoken": "refresh"')
  })

  it('says when nothing was checked, and when something else is used first', async () => {
    const { host } = await forTest(startRegistry())
    const variables = { OCIBUILD_REGISTRY_USERNAME: 'ci', OCIBUILD_REGISTRY_PASSWORD: 'x' }
    const { stderr } = await run(['login', host, '-u', 'a', '--password-stdin'], 'b', { variables })
    expect(stderr).toContain('could not be checked')
    expect(stderr).toContain('OCIBUILD_REGISTRY_USERNAME in the environment is used before')
  })

  it.each([
    [['login', 'ghcr.io']],
    [['login', 'ghcr.io', '--password-stdin']],
    [['login', 'ghcr.io', '-u', 'a', '--password-stdin']],
    [['login', 'ghcr.io/team', '-u', 'a', '--password-stdin']],
    [['login', 'ghcr.io', '-u', 'a', '-p', 'b']],
  ])('refuses %j when nothing is piped in', async (argv) => {
    expect((await run(argv)).status).toBe(2)
  })
})

describe('logout', () => {
  it('forgets what was stored, once, and keeps the rest', async () => {
    mkdirSync(join(folder, 'home/.docker'), { recursive: true })
    writeFileSync(
      configFile(),
      JSON.stringify({ auths: { 'a.io': { auth: 'YTpi' }, 'b.io': { auth: 'YTpi' } } }),
    )
    expect((await run(['logout', 'https://a.io/'])).stderr).toBe('logged out of a.io\n')
    expect((await run(['logout', 'a.io'])).stderr).toBe('nothing was stored for a.io\n')
    expect(JSON.parse(readFileSync(configFile(), 'utf8'))).toEqual({ auths: { 'b.io': { auth: 'YTpi' } } })
  })

  it('tells of a credential that it does not manage', async () => {
    const file = join(folder, 'home/.config/containers/auth.json')
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, JSON.stringify({ auths: { 'a.io': { auth: 'YTpi' } } }))
    const { stdout } = await run(['logout', 'a.io', '--json'])
    expect(JSON.parse(stdout)).toEqual({ schemaVersion: 1, host: 'a.io', removed: false, left: file })
  })
})
