/** `created` and the metadata of a checkout: the commit speaks, not the machine; SOURCE_DATE_EPOCH has the last word. */

import { execFileSync } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseImageConfig } from '../../src/spec/parse-image-config.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { shuffleTimes } from '../helpers/fixture-tree.ts'
import { blobPath, readManifest } from '../helpers/unpack.ts'
import { openWorkbench, type Workbench } from './reproducible-kit.ts'

const spec = { name: 'checkout', platforms: ['linux/amd64'], layers: [{ copy: 'lib', to: '/lib' }] }
const committed = '2024-05-06T07:08:09+02:00'

let bench: Workbench
let checkout = ''

function git(cwd: string, ...args: readonly string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: bench.folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_DATE: '2020-01-01T00:00:00Z',
    GIT_COMMITTER_DATE: committed,
  }
  const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.com', '-c', 'init.defaultBranch=main']
  return execFileSync('git', [...identity, ...args], { cwd, env, encoding: 'utf8', stdio: 'pipe' }).trim()
}

/** What a build says of time and origin. */
async function built(
  project: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{
  readonly digests: string
  readonly created: string | undefined
  readonly annotations: Readonly<Record<string, string>>
}> {
  const layout = join(project, '.ocibuild/image')
  const digests = await bench.digests(project, { layout, env })
  const manifest = readManifest(layout, 'latest')
  const { created } = parseImageConfig(readFileSync(blobPath(layout, manifest.config)))
  return { digests, created, annotations: manifest.annotations ?? {} }
}

describeWithPeers('a checkout', ['git'], () => {
  beforeAll(() => {
    bench = openWorkbench()
    checkout = bench.project({ spec })
    writeFileSync(join(checkout, '.gitignore'), 'node_modules\n')
    git(checkout, 'init', '--quiet')
    git(checkout, 'add', '--all')
    git(checkout, 'commit', '--quiet', '--message', 'All of it')
    git(checkout, 'remote', 'add', 'origin', 'https://someone:secret@example.com/team/app.git')
  })
  afterAll(() => bench.remove())

  it('is created when HEAD was committed, in UTC, and says of what', async () => {
    const { created, annotations } = await built(checkout)
    expect(created).toBe('2024-05-06T05:08:09Z')
    expect(annotations).toMatchObject({
      'org.opencontainers.image.revision': git(checkout, 'rev-parse', 'HEAD'),
      'org.opencontainers.image.source': 'https://example.com/team/app',
      'org.opencontainers.image.version': '1.2.3',
    })
    expect(JSON.stringify(annotations)).not.toContain('secret')
  })

  it('gives the digest of a clone of it, whatever git did to the times', async () => {
    const clone = join(bench.folder, 'clone')
    git(bench.folder, 'clone', '--quiet', '--no-local', checkout, clone)
    git(clone, 'remote', 'set-url', 'origin', 'git@example.com:team/app.git')
    shuffleTimes(join(clone, 'lib'))
    expect(await built(clone)).toEqual(await built(checkout))
    // A detached HEAD of a shallow clone, as CI has it.
    const shallow = join(bench.folder, 'shallow')
    git(bench.folder, 'clone', '--quiet', '--depth', '1', `file://${checkout}`, shallow)
    git(shallow, 'remote', 'set-url', 'origin', 'ssh://git@example.com:2222/team/app')
    git(shallow, 'checkout', '--quiet', '--detach')
    expect(await built(shallow)).toEqual(await built(checkout))
  })

  it('has the time that SOURCE_DATE_EPOCH says, also over a spec that says another', async () => {
    const { created, digests } = await built(checkout, { SOURCE_DATE_EPOCH: '1000000000' })
    expect(created).toBe('2001-09-09T01:46:40Z')
    writeFileSync(join(checkout, 'oci.config.json'), JSON.stringify({ ...spec, created: 'epoch' }))
    const over = await built(checkout, { SOURCE_DATE_EPOCH: '1000000000' })
    expect(over.created).toBe('2001-09-09T01:46:40Z')
    // The revision says that a tracked file differs; the layer does not.
    expect(over.annotations['org.opencontainers.image.revision']).toMatch(/^[0-9a-f]{40}-dirty$/)
    expect(over.digests.split('\n').at(-1)).toBe(digests.split('\n').at(-1))
    git(checkout, 'checkout', '--quiet', '.')
  })

  it('says so when a tracked file differs', async () => {
    appendFileSync(join(checkout, 'package.json'), '\n')
    const { annotations } = await built(checkout)
    expect(annotations['org.opencontainers.image.revision']).toBe(
      `${git(checkout, 'rev-parse', 'HEAD')}-dirty`,
    )
    git(checkout, 'checkout', '--quiet', '.')
  })

  it('gives a digest that moves with the content only, when the spec wants that', async () => {
    const quiet = { ...spec, created: 'epoch', metadata: 'package' }
    const outside = await built(bench.project({ spec: quiet }))
    writeFileSync(join(checkout, 'oci.config.json'), JSON.stringify(quiet))
    git(checkout, 'commit', '--quiet', '--all', '--message', 'Quiet')
    expect(await built(checkout)).toEqual(outside)
    expect(outside.created).toBe('1970-01-01T00:00:00Z')
  })
})
