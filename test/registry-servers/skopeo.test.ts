import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { gzipLayer, makeImage, rawTar } from '../helpers/hand-made-image.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry, type RegistryOptions } from '../helpers/registry/registry.ts'
import { writeLayout } from '../helpers/write-layout.ts'

const run = promisify(execFile)

// Docker's way to send a blob, which skopeo has: no Content-Range and no Content-Length on PATCH.
const streamedPatch = true

describeWithPeers('skopeo and the registry of the tests', ['skopeo'], ({ skopeo }) => {
  let folder = ''
  let digest = ''
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ocibuild-registry-'))
    const layers = ['one', 'two'].map((name) => gzipLayer(rawTar([{ name, content: name.repeat(5000) }])))
    const image = await makeImage(layers)
    digest = image.root.digest
    mkdirSync(join(folder, 'image'))
    await writeLayout(join(folder, 'image'), image, 'v1')
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const push = async (host: string, name: string, ...more: string[]): Promise<void> => {
    const to = `docker://${host}/${name}`
    await run(skopeo, ['copy', '--dest-tls-verify=false', ...more, `oci:${join(folder, 'image')}:v1`, to])
  }

  it.each<[string, RegistryOptions]>([
    ['absolute Locations', {}],
    ['relative Locations', { uploadLocation: 'relative' }],
    ['Locations whose query must come back', { criticalQuery: true, uploadLocation: 'relative' }],
    ['blobs on another host', { blobs: 'other-host' }],
    ['Basic', { authentication: { kind: 'basic', username: 'me', password: 'secret:pass' } }],
    ['Bearer', { authentication: { kind: 'bearer', username: 'me', password: 'secret:pass' } }],
    [
      'Bearer on another port, only by GET',
      {
        authentication: {
          kind: 'bearer',
          username: 'me',
          password: 'secret:pass',
          server: 'other',
          forms: ['GET'],
          field: 'token',
        },
      },
    ],
  ])('pushes to, reads, lists and deletes from one with %s', async (_, options) => {
    const registry = await forTest(startRegistry({ ...options, streamedPatch }))
    const creds = options.authentication ? ['--creds', 'me:secret:pass'] : []
    const destination = options.authentication ? ['--dest-creds', 'me:secret:pass'] : []
    await push(registry.host, 'team/app:v1', ...destination)
    expect(registry.state.resolve('team/app', 'v1')).toBe(digest)
    const ref = `docker://${registry.host}/team/app`
    const inspected = await run(skopeo, ['inspect', '--tls-verify=false', ...creds, `${ref}:v1`])
    expect(JSON.parse(inspected.stdout)).toMatchObject({ Digest: digest, RepoTags: ['v1'] })
    const source = options.authentication ? ['--src-creds', 'me:secret:pass'] : []
    await run(skopeo, ['copy', '--src-tls-verify=false', ...source, `${ref}@${digest}`, `dir:${folder}/out`])
    await run(skopeo, ['delete', '--tls-verify=false', ...creds, `${ref}:v1`])
    expect(registry.state.resolve('team/app', 'v1')).toBeUndefined()
  })
})
