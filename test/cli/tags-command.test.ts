/** Tags, documents and looks at images in registries, from words to what is printed. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openLayout } from '../../src/layout/layout-store.ts'
import { putImage } from '../helpers/images.ts'
import { folder, json, layoutOfTwo, ok, registry, run, start, useRegistry } from './registry-kit.ts'

useRegistry()

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
