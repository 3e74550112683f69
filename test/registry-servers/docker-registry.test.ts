import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { gzipLayer, makeImage, rawTar } from '../helpers/hand-made-image.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { makeCertificates } from '../helpers/registry/certificates.ts'
import { startDockerRegistry } from '../helpers/registry/docker-registry.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry } from '../helpers/registry/registry.ts'
import { writeLayout } from '../helpers/write-layout.ts'

const run = promisify(execFile)
const peers = ['skopeo', 'docker-registry', 'openssl'] as const

describeWithPeers("Debian's docker-registry", peers, ({ skopeo }) => {
  let folder = ''
  let digest = ''
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ocibuild-docker-'))
    const image = await makeImage([gzipLayer(rawTar([{ name: 'a', content: 'a' }]))])
    digest = image.root.digest
    mkdirSync(join(folder, 'image'))
    await writeLayout(join(folder, 'image'), image, 'v1')
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const push = async (host: string, ...more: string[]): Promise<void> => {
    await run(skopeo, ['copy', ...more, `oci:${folder}/image:v1`, `docker://${host}/app:v1`])
  }
  const inspect = async (host: string, ...more: string[]): Promise<string> => {
    const { stdout } = await run(skopeo, [
      'inspect',
      '--format={{.Digest}}',
      ...more,
      `docker://${host}/app:v1`,
    ])
    return stdout.trim()
  }

  it('takes, lists and deletes an image', async () => {
    const { host } = await forTest(startDockerRegistry())
    await push(host, '--dest-tls-verify=false')
    expect(await inspect(host, '--tls-verify=false')).toBe(digest)
    const { stdout } = await run(skopeo, ['list-tags', '--tls-verify=false', `docker://${host}/app`])
    expect(JSON.parse(stdout)).toMatchObject({ Tags: ['v1'] })
    await run(skopeo, ['delete', '--tls-verify=false', `docker://${host}/app:v1`])
    await expect(inspect(host, '--tls-verify=false')).rejects.toThrow(/manifest unknown/)
  })

  it('refuses deletion where it is off, writing where it is read-only, and strangers', async () => {
    const fixed = await forTest(startDockerRegistry({ deleteEnabled: false, htpasswd: true }))
    await expect(push(fixed.host, '--dest-tls-verify=false')).rejects.toThrow(/authentication required/)
    await push(fixed.host, '--dest-tls-verify=false', '--dest-creds=me:secret:pass')
    const remove = ['delete', '--tls-verify=false', '--creds=me:secret:pass', `docker://${fixed.host}/app:v1`]
    await expect(run(skopeo, remove)).rejects.toThrow(/405|unsupported/i)
    const frozen = await forTest(startDockerRegistry({ readonly: true }))
    await expect(push(frozen.host, '--dest-tls-verify=false')).rejects.toThrow(/405/)
  })

  it('speaks TLS with a private authority and wants a client certificate', async () => {
    const certificates = makeCertificates()
    try {
      const tls = { ...certificates.server, clientAuthority: certificates.authority }
      const own = await forTest(startRegistry({ tls, streamedPatch: true }))
      for (const { host } of [await forTest(startDockerRegistry({ tls })), own]) {
        // The folder of Docker's certs.d: ca.crt, client.cert and client.key.
        const strangers = join(folder, 'strangers')
        const friends = join(folder, 'friends')
        for (const certs of [strangers, friends]) mkdirSync(certs, { recursive: true })
        for (const certs of [strangers, friends]) writeFileSync(join(certs, 'ca.crt'), certificates.authority)
        writeFileSync(join(friends, 'client.cert'), certificates.client.certificate)
        writeFileSync(join(friends, 'client.key'), certificates.client.key)
        await expect(push(host)).rejects.toThrow(/certificate signed by unknown authority/)
        await expect(push(host, `--dest-cert-dir=${strangers}`)).rejects.toThrow(
          /certificate required|bad certificate/,
        )
        await push(host, `--dest-cert-dir=${friends}`)
        expect(await inspect(host, `--cert-dir=${friends}`)).toBe(digest)
      }
      expect(own.state.resolve('app', 'v1')).toBe(digest)
    } finally {
      certificates.remove()
    }
  })

  it('mirrors the registry of the tests', async () => {
    const origin = await forTest(startRegistry({ streamedPatch: true }))
    await push(origin.host, '--dest-tls-verify=false')
    const mirror = await forTest(startDockerRegistry({ mirrorOf: origin.origin }))
    expect(await inspect(mirror.host, '--tls-verify=false')).toBe(digest)
  })
})
