/** The command line itself: help, version, misspelt words, and how amounts are typed. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseAge, parseSize } from '../../src/cli/parse-amounts.ts'
import { exitStatusOf } from '../../src/cli/exit-status.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { OciBuildError, type ErrorCode } from '../../src/errors.ts'
import { fakeContext } from './fake-context.ts'

const dir = mkdtempSync(join(tmpdir(), 'ocibuild-usage-'))
mkdirSync(join(dir, 'service'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function run(...argv: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const context = fakeContext({ cwd: dir })
  const refuse = async (): Promise<never> => {
    throw new Error('no pipeline was wanted')
  }
  const status = await runCli(argv, context, { build: refuse, createPlan: refuse })
  return { status, ...context.written }
}

describe('help', () => {
  it.each([['--help'], ['-h'], ['help'], ['.', '--help']])(
    'goes to stdout with status 0: %j',
    async (...argv) => {
      const { status, stdout, stderr } = await run(...argv)
      expect(status).toBe(0)
      expect(stdout).toContain('Usage: ocibuild')
      expect(stdout).toContain('Examples:')
      expect(stderr).toBe('')
    },
  )

  it('has examples for every command', async () => {
    const { stdout } = await run('--help')
    const commands = [...stdout.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map((match) => match[1] ?? '')
    expect(commands).toContain('build')
    for (const command of new Set(commands)) {
      if (command === 'help' || command === 'ocibuild') continue
      expect((await run(command, '--help')).stdout, command).toContain('Examples:')
    }
  })

  it('does not show how the default command is made', async () => {
    expect((await run('--help')).stdout).not.toContain('build-folder')
  })

  it('prints the version', async () => {
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('words that are wrong', () => {
  it.each([
    [['chache'], 'OCB-USAGE-COMMAND', 'did you mean "ocibuild cache"?'],
    [['zebra'], 'OCB-USAGE-COMMAND', 'ocibuild build zebra'],
    [['service'], 'OCB-USAGE-COMMAND', 'ocibuild ./service'],
    [['-t', 'x', 'build'], 'OCB-USAGE-COMMAND', 'write it first: ocibuild build'],
    [['./service', 'web'], 'OCB-USAGE-COMMAND', 'ocibuild build ./service web'],
    [['help', 'inspct'], 'OCB-USAGE-COMMAND', 'did you mean "ocibuild help inspect"?'],
    [['help', 'zebra'], 'OCB-USAGE-COMMAND', 'take one of the commands above'],
    [['cache', 'prun'], 'OCB-USAGE-COMMAND', 'did you mean prune?'],
    [['--platfrom', 'x'], 'OCB-USAGE-OPTION', 'did you mean --platform?'],
    [['build', '--zzz'], 'OCB-USAGE-OPTION', 'see "ocibuild build --help"'],
    [['build', '-t'], 'OCB-USAGE-OPTION-VALUE', 'see "ocibuild build --help"'],
    [['build', '--progress', 'loud'], 'OCB-USAGE-OPTION-VALUE', 'see "ocibuild build --help"'],
    [['build', '--label', 'x'], 'OCB-USAGE-OPTION-VALUE', '--label key=value'],
    [['schema', 'more'], 'OCB-USAGE-ARGUMENTS', 'see "ocibuild schema --help"'],
    [['./missing'], 'OCB-USAGE-DIR', '-c FILE'],
    [['-C', 'missing', 'plan'], 'OCB-USAGE-DIR', '-c FILE'],
  ] as const)('%j is %s and hints "%s"', async (argv, code, hint) => {
    const { status, stdout, stderr } = await run(...argv)
    expect(status).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain(`error ${code}: `)
    expect(stderr).toContain('hint: ')
    expect(stderr).toContain(hint)
  })

  it('shows help for a command that needs another word', async () => {
    const { status, stdout, stderr } = await run('cache')
    expect(status).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain('prune')
  })
})

describe('amounts', () => {
  it.each([
    ['1000', 1000],
    ['2GB', 2e9],
    ['1.5 MiB', 1_572_864],
    ['10k', 10_000],
  ])('reads the size %s', (text, bytes) => expect(parseSize('--max-size', text)).toBe(bytes))

  it.each([
    ['7d', 604_800_000],
    ['90m', 5_400_000],
    ['2w', 1_209_600_000],
  ])('reads the age %s', (text, ms) => expect(parseAge('--older-than', text)).toBe(ms))

  it.each(['', 'x', '-1GB', '5 parsecs', 'constructor'])('refuses "%s"', (text) => {
    expect(() => parseSize('--max-size', text)).toThrow(/--max-size/)
    expect(() => parseAge('--older-than', text)).toThrow(/--older-than/)
  })

  it('refuses an age without a unit, which could be anything', () => {
    expect(() => parseAge('--older-than', '7')).toThrow(/not an age/)
  })
})

describe('exit status', () => {
  it.each([
    ['OCB-SPEC-INVALID', 2],
    ['OCB-USAGE-OPTION', 2],
    ['OCB-REGISTRY-DENIED', 3],
    ['OCB-NETWORK-DOWN', 3],
    ['OCB-INTERRUPTED', 130],
    ['OCB-COPY-NO-MATCH', 1],
    ['OCB-SPECIAL', 1],
  ] as const)('%s ends with %i', (code: ErrorCode, status) => {
    expect(exitStatusOf(new OciBuildError(code, { message: 'x' }), new AbortController().signal)).toBe(status)
  })
})
