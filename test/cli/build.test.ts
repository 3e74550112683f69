/** `ocibuild build` from words to the pipeline's options, and from its result to the two streams. */

import { mkdtempSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, describe, expect, it } from 'vitest'
import type { BuildOptions, BuildResult } from '../../src/build-types.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import type { CliServices } from '../../src/cli/services.ts'
import { OciBuildError } from '../../src/errors.ts'
import { fakeContext, type FakeContext } from './fake-context.ts'
import { fakeDigest, fakeImage, fakePlan, fakeResult } from './fake-result.ts'

const dir = mkdtempSync(join(tmpdir(), 'ocibuild-cli-'))
mkdirSync(join(dir, 'app'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

interface Run {
  readonly status: number
  readonly context: FakeContext
  readonly options: BuildOptions | undefined
  readonly calls: readonly string[]
}

async function run(argv: readonly string[], outcome: BuildResult | Error = fakeResult()): Promise<Run> {
  const context = fakeContext({ cwd: dir })
  const calls: string[] = []
  let options: BuildOptions | undefined
  const services: CliServices = {
    async build(given) {
      calls.push('build')
      options = given
      given.onEvent?.({ type: 'warning', warning: { code: 'OCB-TEST', message: 'mind this' } })
      if (outcome instanceof Error) throw outcome
      return outcome
    },
    async createPlan(given) {
      calls.push('createPlan')
      options = given
      return fakePlan()
    },
  }
  const status = await runCli(argv, context, services)
  return { status, context, options, calls }
}

describe('options', () => {
  it('builds the working directory when nothing is said', async () => {
    const { status, options } = await run([])
    expect(status).toBe(0)
    expect(options).toMatchObject({ cwd: dir, cache: true, prepare: true, frozen: false })
    expect(options?.images).toBeUndefined()
    expect(options?.config).toBeUndefined()
  })

  it.each([[['./app']], [['build', './app']], [['-C', 'app']], [['build', '-C', 'app']], [[`${dir}/app`]]])(
    'builds another folder: %j',
    async (argv) => {
      expect((await run(argv)).options?.cwd).toBe(join(dir, 'app'))
    },
  )

  it('names commands as the user can type them', async () => {
    expect((await run([])).context.written.stderr).toContain('  look  ocibuild inspect ')
    const context = fakeContext({ cwd: dir, variables: { npm_command: 'exec' } })
    const services: CliServices = { build: async () => fakeResult(), createPlan: async () => fakePlan() }
    await runCli([], context, services)
    expect(context.written.stderr).toContain('  look  npx ocibuild inspect ')
  })

  it.each([[['--strict']], [['--dry-run', '--strict']], [['plan', '--strict']]])(
    'makes errors of warnings: %j',
    async (argv) => {
      expect((await run(argv)).options?.strict).toBe(true)
    },
  )

  it('takes the words behind a DIR, or all of them, as images', async () => {
    expect((await run(['build', './app', 'web', 'api'])).options?.images).toEqual(['web', 'api'])
    expect((await run(['build', 'web'])).options?.images).toEqual(['web'])
  })

  it.each(['-c', '--config', '-f', '--file'])(
    'finds the file of %s from where the user stands',
    async (flag) => {
      expect((await run(['./app', flag, 'ci/oci.yaml'])).options?.config).toBe(join(dir, 'ci/oci.yaml'))
    },
  )

  it('passes on where layers are taken over from and written for, and what must have changed', async () => {
    const { options } = await run(
      [
        ['build', '--cache-from', 'host/x:a', '--cache-from', 'oci:b', '--cache-to', 'host/x:c'],
        ['--verify-cache', '--affected-since', 'origin/main', '--compression', 'gzip,zstd:9'],
      ].flat(),
    )
    expect(options).toMatchObject({
      cacheFrom: ['host/x:a', 'oci:b'],
      cacheTo: ['host/x:c'],
      verifyCache: true,
      affectedSince: 'origin/main',
      overrides: { compression: 'gzip,zstd:9' },
    })
    expect((await run(['plan', '--affected-since', 'HEAD~1'])).options?.affectedSince).toBe('HEAD~1')
  })

  it('passes on what goes over the spec', async () => {
    const { options } = await run(
      [
        ['build', '-t', '1.0\n\n 2.0 \n', '--tag', 'host/x:3', '--platform', 'linux/amd64, linux/arm64'],
        ['--platform', 'linux/arm/v7', '--base', 'oci:base', '--compression', 'gzip:9', '--label', 'a=b=c'],
        ['--annotation', 'x=', '-o', 'oci:a', '-o', 'oci-archive:b.tar', '--push', '--arg', 'k=v'],
      ].flat(),
    )
    expect(options?.overrides).toEqual({
      tags: ['1.0', '2.0', 'host/x:3'],
      platforms: ['linux/amd64', 'linux/arm64', 'linux/arm/v7'],
      base: 'oci:base',
      compression: 'gzip:9',
      labels: { a: 'b=c' },
      annotations: { x: '' },
      outputs: ['oci:a', 'oci-archive:b.tar'],
      push: true,
    })
    expect(options?.args).toEqual({ k: 'v' })
  })

  it('passes on how to build', async () => {
    const { options } = await run([
      '--no-cache',
      '--offline',
      '--frozen-lockfile',
      '--no-prepare',
      '--strict',
      '--cache-dir',
      'c',
    ])
    expect(options).toMatchObject({
      cache: false,
      offline: true,
      frozen: true,
      prepare: false,
      strict: true,
      cacheDir: join(dir, 'c'),
    })
  })

  it('plans and stops with --dry-run', async () => {
    const { calls, context } = await run(['--dry-run'])
    expect(calls).toEqual(['createPlan'])
    expect(context.written.stdout).toContain('/repo/oci.config.ts')
  })
})

describe('what is printed', () => {
  it('gives stdout one reference an image, and stderr all else', async () => {
    const images = [fakeImage({ image: 'web' }), fakeImage({ image: 'api', reference: 'oci:api:@x' })]
    const { context } = await run([], fakeResult(images))
    expect(context.written.stdout).toBe(`oci:out:@${fakeDigest('a')}\noci:api:@x\n`)
    expect(context.written.stderr).toContain('warning OCB-TEST: mind this\n')
    expect(context.written.stderr).toContain('podman run --rm oci:out:1.4.0')
  })

  it('says nothing on stderr with -q', async () => {
    const { context } = await run(['-q'])
    expect(context.written).toEqual({ stdout: `oci:out:@${fakeDigest('a')}\n`, stderr: '' })
  })

  it('prints the result as JSON', async () => {
    expect(JSON.parse((await run(['--json'])).context.written.stdout)).toEqual(fakeResult())
  })

  it('writes no archive to a terminal, whoever names it', async () => {
    const terminal = Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), {
      isTTY: true,
    })
    const context = { ...fakeContext({ cwd: dir }), rawStdout: terminal }
    let given: BuildOptions | undefined
    const services: CliServices = {
      async build(options) {
        given = options
        throw new OciBuildError('OCB-USAGE-STDOUT', { message: 'there is no stdout to write to' })
      },
      createPlan: async () => fakePlan(),
    }
    for (const argv of [['-o', 'oci-archive:-'], []]) {
      given = undefined
      context.written.stderr = ''
      expect(await runCli(argv, context, services)).toBe(2)
      expect(context.written.stderr).toContain('OCB-USAGE-STDOUT: an archive is not written to a terminal')
      expect(given === undefined).toBe(argv.length > 0)
    }
    expect(given?.stdout).toBeUndefined()
    expect(await runCli(['--dry-run', '-o', 'oci-archive:-'], context, services)).toBe(0)
  })

  it('keeps its words off a stdout that carries an archive', async () => {
    const outputs = [
      { ref: 'oci:out', digest: fakeDigest('a') },
      { ref: 'oci-archive:-', digest: fakeDigest('a') },
    ]
    const image = fakeImage({ outputs })
    const { context } = await run(['-o', 'oci-archive:-'], fakeResult([image]))
    expect(context.written.stdout).toBe('')
    expect(context.written.stderr).toContain(image.reference)
    const piped = fakeImage({ outputs: outputs.slice(1), reference: `oci-archive:-:@${fakeDigest('a')}` })
    const quiet = await run(['-q'], fakeResult([piped]))
    expect(quiet.context.written).toEqual({ stdout: '', stderr: '' })
    const clash = await run(['-o', 'oci-archive:-', '--json'])
    expect(clash.status).toBe(2)
    expect(clash.calls).toEqual([])
  })

  it('writes a metadata file that speaks as buildx does', async () => {
    await run(['--metadata-file', 'meta/build.json'])
    expect(JSON.parse(readFileSync(join(dir, 'meta/build.json'), 'utf8'))).toMatchObject({
      'containerimage.digest': fakeDigest('a'),
      'image.name': 'registry.example.com/team/app:1.4.0,registry.example.com/team/app:latest',
      schemaVersion: 1,
      images: [{ 'containerimage.digest': fakeDigest('a') }],
    })
  })

  it('writes events as JSON lines and nothing beside them', async () => {
    const { context } = await run(['--progress', 'json'])
    const lines = context.written.stderr.trim().split('\n')
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      { type: 'warning', warning: { code: 'OCB-TEST', message: 'mind this' } },
    ])
  })
})

describe('failures', () => {
  const failure = new OciBuildError('OCB-SPEC-INVALID', {
    message: 'the spec has 1 problem',
    hint: 'mend it',
    problems: [{ path: 'layers[0]', message: 'is odd', file: 'oci.config.yaml', line: 3, column: 5 }],
  })

  it('prints code, problems and hint, and ends with the status of the code', async () => {
    const { status, context } = await run([], failure)
    expect(status).toBe(2)
    expect(context.written.stdout).toBe('')
    expect(context.written.stderr).toContain(
      'error OCB-SPEC-INVALID: the spec has 1 problem\n' +
        '  oci.config.yaml:3:5 layers[0]: is odd\n' +
        'hint: mend it\n',
    )
    expect(context.written.stderr).not.toContain('at ')
  })

  it('gives --json the error on stdout', async () => {
    expect(JSON.parse((await run(['--json'], failure)).context.written.stdout)).toEqual({
      error: {
        code: 'OCB-SPEC-INVALID',
        message: 'the spec has 1 problem',
        hint: 'mend it',
        problems: [{ path: 'layers[0]', message: 'is odd', file: 'oci.config.yaml', line: 3, column: 5 }],
      },
    })
  })

  it('gives --json what is wrong with the command line itself', async () => {
    const { status, context } = await run(['build', '--json', '--no-such'])
    expect(status).toBe(2)
    expect(JSON.parse(context.written.stdout)).toMatchObject({ error: { code: 'OCB-USAGE-OPTION' } })
  })

  it('hides the stack of a fault of ours until -v', async () => {
    const quiet = await run([], new TypeError('x is undefined'))
    expect(quiet.status).toBe(1)
    expect(quiet.context.written.stderr).toContain('error OCB-UNEXPECTED: x is undefined')
    expect(quiet.context.written.stderr).toContain('-v')
    expect(quiet.context.written.stderr).not.toContain('build.test')
    const verbose = await run(['-v'], new TypeError('x is undefined'))
    expect(verbose.context.written.stderr).toContain('build.test')
  })

  it('ends an interrupted build with 130, whatever it threw', async () => {
    const context = fakeContext({ cwd: dir })
    const status = await runCli(['build'], context, {
      build: async () => {
        context.controller.abort()
        throw new Error('a child died')
      },
      createPlan: async () => fakePlan(),
    })
    expect(status).toBe(130)
  })
})
