/** index, attach, referrers and doctor, from words to what is printed. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeWithPeers } from '../helpers/peers.ts'
import { startDockerRegistry } from '../helpers/registry/docker-registry.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { folder, json, layoutOf, layoutOfTwo, ok, registry, run, start, useRegistry } from './registry-kit.ts'

useRegistry()

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

describeWithPeers('jobs that race at docker-registry', ['docker-registry'], () => {
  it('all end with their image in the index', async () => {
    const { host } = await forTest(startDockerRegistry())
    const architectures = ['amd64', 'arm64', 'ppc64le', 'riscv64', 's390x']
    for (const architecture of architectures) await layoutOf(architecture)
    await Promise.all(architectures.map((name) => ok('index', 'add', `${host}/app:1.0`, `oci:${name}`)))
    const index: unknown = JSON.parse(await ok('manifest', `${host}/app:1.0`))
    expect(index).toMatchObject({
      manifests: architectures.map((architecture) => ({ platform: { os: 'linux', architecture } })),
    })
  })
})
