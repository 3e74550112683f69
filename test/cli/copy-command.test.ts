/** push, pull and copy, from words to what is printed, over real sockets. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeWithPeers, itWithPeers } from '../helpers/peers.ts'
import { folder, json, layoutOfTwo, ok, registry, run, start, useRegistry } from './registry-kit.ts'

useRegistry()

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

  itWithPeers('write archives, also for docker', ['tar'], async () => {
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
