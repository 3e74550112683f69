/** Commands that speak with registries, from words to what is printed, over real sockets. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { openLayout } from '../../src/layout/layout-store.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { putImage, putIndex } from '../helpers/images.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry, type RegistryOptions, type TestRegistry } from '../helpers/registry/registry.ts'
import { temporaryFolder } from '../helpers/unpack.ts'
import { fakeContext } from './fake-context.ts'

let folder = ''
let registry: TestRegistry

beforeEach(async () => {
  folder = temporaryFolder()
  const made = folder
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  registry = await start()
})

async function start(options: RegistryOptions = {}): Promise<TestRegistry> {
  return await forTest(startRegistry(options))
}

interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly status: number
}

async function run(...argv: readonly string[]): Promise<Ran> {
  const context = fakeContext({
    cwd: folder,
    homeDir: join(folder, 'home'),
    variables: { OCIBUILD_CACHE_DIR: join(folder, 'cache') },
  })
  const status = await runCli(argv, context)
  return { ...context.written, status }
}

/** Runs, expects success, and gives stdout. */
async function ok(...argv: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await run(...argv)
  expect({ status, stderr }).toMatchObject({ status: 0 })
  return stdout
}

async function json(...argv: readonly string[]): Promise<Record<string, unknown>> {
  const value: unknown = JSON.parse(await ok(...argv, '--json'))
  if (typeof value !== 'object' || value === null) throw new Error('no object')
  return { ...value }
}

/** A layout with an index of two platforms under `1.0`. */
async function layoutOfTwo(dir = 'image'): Promise<Descriptor> {
  const store = await openLayout(join(folder, dir), { create: true })
  const [amd64, arm64] = [
    await putImage(store, [{ hello: 'amd64' }]),
    await putImage(store, [{ hello: 'arm64' }], 'arm64'),
  ]
  const root = await putIndex(store, [amd64.manifest, arm64.manifest])
  await store.tag(root, '1.0')
  return root
}

async function layoutOf(architecture: string): Promise<Descriptor> {
  const store = await openLayout(join(folder, architecture), { create: true })
  const { manifest } = await putImage(store, [{ hello: architecture }], architecture)
  await store.tag(manifest, '1.0')
  return manifest
}

describe('push, pull and copy', () => {
  it('carry an image round, and not one byte changes', async () => {
    const { digest } = await layoutOfTwo()
    const name = `${registry.host}/team/app`
    expect(await ok('push', 'oci:image', `${name}:1.0`, '-t', 'latest', '-q')).toBe(`${name}@${digest}\n`)
    expect(registry.state.resolve('team/app', 'latest')).toBe(digest)
    const other = await start()
    await ok('copy', `${name}:1.0`, `${other.host}/mirror/app:1.0`)
    expect(await ok('pull', `${other.host}/mirror/app:1.0`)).toBe(`oci:app:@${digest}\n`)
    expect(await ok('digest', 'oci:app:1.0')).toBe(`${digest}\n`)
    expect((await run('validate', 'oci:app')).status).toBe(0)
  })

  it('tell what was sent, and send nothing twice', async () => {
    await layoutOfTwo()
    const target = `${registry.host}/team/app:1.0`
    expect(await json('push', 'oci:image', target)).toMatchObject({
      copied: { count: 7 },
      present: { count: 0 },
    })
    registry.forgetRequests()
    expect(await json('push', 'oci:image', target)).toMatchObject({ copied: { count: 0 } })
    expect(registry.lines().filter((line) => /^(?:PUT|POST|PATCH)/.test(line))).toEqual([])
  })

  it('mount what the same registry has', async () => {
    await layoutOfTwo()
    await ok('push', 'oci:image', `${registry.host}/team/app:1.0`)
    registry.forgetRequests()
    await ok('copy', `${registry.host}/team/app:1.0`, `${registry.host}/team/copy:1.0`)
    expect(registry.lines().filter((line) => line.startsWith('PUT /v2/team/copy/blobs'))).toEqual([])
    expect(registry.lines().some((line) => line.includes('mount='))).toBe(true)
  })

  it('take one platform where one is named', async () => {
    await layoutOfTwo()
    await ok('push', 'oci:image', `${registry.host}/app:1.0`)
    const arm = (await ok('digest', 'oci:image', '--platform', 'linux/arm64')).trim()
    expect(await ok('pull', `${registry.host}/app:1.0`, 'oci:one', '--platform', 'linux/arm64')).toBe(
      `oci:one:@${arm}\n`,
    )
    const missing = await run('copy', `${registry.host}/app:1.0`, 'oci:two', '--platform', 'linux/s390x')
    expect(missing.status).toBe(2)
    expect(missing.stderr).toContain('linux/amd64, linux/arm64')
  })

  it('write archives, also for docker', async () => {
    await layoutOfTwo()
    await ok('push', 'oci:image', `${registry.host}/app:1.0`)
    await ok('copy', `${registry.host}/app:1.0`, 'oci-archive:app.tar')
    expect(await ok('digest', 'oci-archive:app.tar:1.0')).toBe(await ok('digest', 'oci:image'))
    await ok('copy', `${registry.host}/app:1.0`, 'docker-archive:docker.tar')
    const manifest = execFileSync('tar', ['-xOf', join(folder, 'docker.tar'), 'manifest.json'], {
      encoding: 'utf8',
    })
    expect(manifest).toContain(`${registry.host}/app:1.0`)
  })

  it('refuse what makes no sense, before anything is asked', async () => {
    for (const argv of [
      ['push', 'oci:image', 'oci:other'],
      ['pull', 'oci:image'],
      ['push', 'a', 'b', 'c'],
      ['copy', 'oci:image', `${registry.host}/app`, '-t', 'a/b'],
      ['copy', 'oci:image', `${registry.host}/app@sha256:${'0'.repeat(64)}`],
    ]) {
      expect((await run(...argv)).status).toBe(2)
    }
    expect(registry.lines()).toEqual([])
  })

  it('end with 3 when a registry refuses', async () => {
    const { stderr, status } = await run('pull', `${registry.host}/nothing:1`)
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/nothing/)
  })
})

describe('tags', () => {
  it('are given, listed and deleted', async () => {
    const { digest } = await layoutOfTwo()
    const name = `${registry.host}/team/app`
    await ok('push', 'oci:image', `${name}:1.0`)
    expect(await ok('tag', `${name}:1.0`, '1', 'latest')).toBe(`${name}:1\n${name}:latest\n`)
    expect((await ok('tags', name)).trim().split('\n').toSorted()).toEqual(['1', '1.0', 'latest'])
    expect(await ok('delete', `${name}:1`)).toBe(`${name}:1\n`)
    expect(await json('tags', name)).toEqual({ schemaVersion: 1, repository: name, tags: ['1.0', 'latest'] })
    await ok('delete', `${name}@${digest}`)
    expect(registry.state.resolve('team/app', '1.0')).toBeUndefined()
  })

  it('are listed page by page', async () => {
    const paged = await start({ pageSize: 2 })
    const store = await openLayout(join(folder, 'image'), { create: true })
    await store.tag((await putImage(store, [{ a: 'a' }])).manifest, 'x')
    await ok('push', 'oci:image', `${paged.host}/a:t0`, ...[1, 2, 3, 4].flatMap((i) => ['-t', `t${i}`]))
    expect((await ok('tags', `${paged.host}/a`)).trim().split('\n')).toEqual(['t0', 't1', 't2', 't3', 't4'])
  })

  it('are given in layouts too', async () => {
    await layoutOfTwo()
    await ok('tag', 'oci:image:1.0', 'latest')
    expect(await ok('digest', 'oci:image:latest')).toBe(await ok('digest', 'oci:image:1.0'))
  })

  it('are not deleted by a guess, and say what to do where only digests can be', async () => {
    const name = `${registry.host}/team/app`
    const guess = await run('delete', name)
    expect(guess.status).toBe(2)
    expect(guess.stderr).toContain(`${name}:latest`)
    const strict = await start({ delete: 'manifests' })
    await layoutOfTwo()
    await ok('push', 'oci:image', `${strict.host}/app:1.0`)
    const { status, stderr } = await run('delete', `${strict.host}/app:1.0`)
    expect(status).toBe(3)
    expect(stderr).toContain(`${strict.host}/app@$(`)
  })
})

describe('looking at images in registries', () => {
  it('describes, lists and checks them without a copy', async () => {
    await layoutOfTwo()
    const name = `${registry.host}/app:1.0`
    await ok('push', 'oci:image', name)
    registry.forgetRequests()
    expect(await ok('inspect', name)).toContain('linux/arm64')
    const blobs = registry.lines().filter((line) => line.startsWith('GET') && line.includes('/blobs/'))
    // The two configs, and no layer.
    expect(new Set(blobs).size).toBe(2)
    expect(await ok('ls', name, '--platform', 'linux/arm64')).toBe('/hello\n')
    expect(await ok('validate', name)).toContain('is valid')
  })
})

describe('a credential for a part of a registry', () => {
  it('is used for what lies in that part', async () => {
    const closed = await start({ authentication: { kind: 'basic', username: 'team', password: 'p' } })
    mkdirSync(join(folder, 'home/.config/containers'), { recursive: true })
    const auth = (user: string) => ({ auth: Buffer.from(`${user}:p`).toString('base64') })
    writeFileSync(
      join(folder, 'home/.config/containers/auth.json'),
      JSON.stringify({ auths: { [closed.host]: auth('nobody'), [`${closed.host}/team`]: auth('team') } }),
    )
    await layoutOfTwo()
    await ok('push', 'oci:image', `${closed.host}/team/app:1.0`)
    expect(await ok('tags', `${closed.host}/team/app`)).toBe('1.0\n')
    expect((await run('tags', `${closed.host}/other/app`)).status).toBe(3)
  })
})

describe('documents', () => {
  it('are printed byte by byte', async () => {
    await layoutOfTwo()
    const name = `${registry.host}/app:1.0`
    await ok('push', 'oci:image', name)
    const stored = registry.state.open('app').manifests.get((await ok('digest', name)).trim())
    expect(await ok('manifest', name)).toBe(stored?.bytes.toString())
    const manifest: unknown = JSON.parse(await ok('manifest', name, '--platform', 'linux/arm64'))
    expect(manifest).toMatchObject({ config: { size: expect.any(Number) } })
    expect(JSON.parse(await ok('config', name, '--platform', 'linux/arm64'))).toMatchObject({
      architecture: 'arm64',
    })
    expect(await json('digest', name)).toMatchObject({ size: stored?.bytes.length })
  })
})

describe('index', () => {
  it('merges what jobs pushed, in any order, to one digest', async () => {
    await layoutOf('amd64')
    await layoutOf('arm64')
    const name = `${registry.host}/app`
    await ok('push', 'oci:amd64', `${name}:1.0-amd64`)
    await ok('push', 'oci:arm64', `${name}:1.0-arm64`)
    const made = await ok('index', 'create', `${name}:1.0`, `${name}:1.0-amd64`, `${name}:1.0-arm64`)
    expect(made).toMatch(new RegExp(`^${name}@sha256:[0-9a-f]{64}\n$`))
    const jobs = ['oci:arm64', 'oci:amd64'].map((source) => ok('index', 'add', `${name}:2.0`, source))
    await Promise.all(jobs)
    expect(await ok('digest', `${name}:2.0`)).toBe(await ok('digest', `${name}:1.0`))
    const view = await json('index', 'annotate', `${name}:2.0`, '--annotation', 'a=b')
    expect(view['manifests']).toMatchObject([{ platform: 'linux/amd64' }, { platform: 'linux/arm64' }])
    await ok('index', 'remove', `${name}:2.0`, '--platform', 'linux/amd64')
    const left: unknown = JSON.parse(await ok('manifest', `${name}:2.0`))
    expect(left).toMatchObject({
      annotations: { a: 'b' },
      manifests: [{ platform: { architecture: 'arm64' } }],
    })
  })

  it('is made in a layout, and refuses to do nothing', async () => {
    await layoutOf('amd64')
    await layoutOf('arm64')
    await ok('index', 'create', 'oci:both:1.0', 'oci:amd64', 'oci:arm64')
    expect((await run('validate', 'oci:both')).status).toBe(0)
    expect((await run('index', 'remove', 'oci:both:1.0')).status).toBe(2)
    expect((await run('index', 'annotate', 'oci:both:1.0')).status).toBe(2)
  })
})

describe('referrers', () => {
  it.each([true, false])('lists what was attached (API: %s)', async (referrers) => {
    const server = await start({ referrers })
    const { digest } = await layoutOfTwo()
    const name = `${server.host}/app:1.0`
    await ok('push', 'oci:image', name)
    writeFileSync(join(folder, 'sbom.json'), '{"a":1}')
    const first = await json('attach', 'sbom.json', '--type', 'application/spdx+json', name)
    const again = await json('attach', 'sbom.json', '--type', 'application/spdx+json', name)
    expect(again['digest']).toBe(first['digest'])
    await ok('attach', 'sbom.json', '--type', 'text/x-report', '--annotation', 'stage=qa', name)
    const all = await json('referrers', name)
    expect(all).toMatchObject({ subject: digest, referrers: expect.objectContaining({ length: 2 }) })
    const text = await ok('referrers', name, '--artifact-type', 'text/x-report')
    expect(text).toMatch(/^sha256:[0-9a-f]{64} {2}text\/x-report {2}\d+ B\n$/)
    expect((await run('attach', 'sbom.json', '--type', 'spdx', name)).status).toBe(2)
    expect((await run('attach', 'nowhere', '--type', 'a/b', name)).status).toBe(2)
  })
})

describe('doctor', () => {
  it('prints a line a check, and fails when one does', async () => {
    const stdout = await ok('doctor', `${registry.host}/team/app`)
    expect(stdout).toMatch(/^ok +settings +none of its own\n/)
    expect(stdout).toMatch(/\nskipped +zstd +add --write/)
    expect((await run('doctor', '127.0.0.1:1')).status).toBe(3)
    expect((await run('doctor', 'a b')).status).toBe(2)
  })
})

describeWithPeers('other tools', ['skopeo'], ({ skopeo }) => {
  it('read what was pushed, and push what is pulled', async () => {
    const { digest } = await layoutOfTwo()
    const name = `${registry.host}/team/app`
    await ok('push', 'oci:image', `${name}:1.0`)
    const flags = ['--src-tls-verify=false', '--dest-tls-verify=false', '--all', '--quiet']
    const copy = (from: string, to: string) => execFileAsync(skopeo, ['copy', ...flags, from, to])
    await copy(`docker://${name}:1.0`, `oci:${join(folder, 'theirs')}:1.0`)
    expect(await ok('digest', 'oci:theirs')).toBe(`${digest}\n`)
    await ok('pull', `${name}:1.0`, 'oci:ours')
    const index = readFileSync(join(folder, 'ours/index.json'), 'utf8')
    expect(index).toContain(digest)
    const loose = await start({ streamedPatch: true })
    await copy(`oci:${join(folder, 'ours')}:1.0`, `docker://${loose.host}/again:1.0`)
    expect(loose.state.resolve('again', '1.0')).toBe(digest)
  })
})

/** The registry runs in this process: a synchronous child would wait for it for ever. */
async function execFileAsync(file: string, words: readonly string[]): Promise<string> {
  const { execFile } = await import('node:child_process')
  return await new Promise((done, fail) => {
    execFile(file, words, (error, stdout, stderr) => {
      if (error) fail(new Error(stderr, { cause: error }))
      else done(stdout)
    })
  })
}
