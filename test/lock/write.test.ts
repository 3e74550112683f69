/** `ocibuild lock`: what it writes, what it says, and what `--check` finds. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { build, compareLock, lock } from '../../src/index.ts'
import { fakeContext } from '../cli/fake-context.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry } from '../helpers/registry/registry.ts'
import { codes, errorOf, layers, openPlace, type Place } from './lock-kit.ts'

async function run(
  place: Place,
  ...argv: readonly string[]
): Promise<{ readonly stdout: string; readonly stderr: string; readonly status: number }> {
  const context = fakeContext({
    cwd: place.folder,
    homeDir: join(place.folder, 'home'),
    variables: { OCIBUILD_CACHE_DIR: join(place.folder, 'cache') },
  })
  const status = await runCli(argv, context)
  return { ...context.written, status }
}

describe('lock', () => {
  it('writes one line a fact, sorted, with digests of the index, the manifest and the config', async () => {
    const place = await openPlace()
    await lock(place.options({ layers: layers.toReversed() }))
    const text = readFileSync(place.lockFile, 'utf8')
    const digest = place.registry.state.resolve('library/base', '1')
    expect(text).toContain(`"digest": "${digest}"`)
    expect(
      text
        .replaceAll(/sha256:[0-9a-f]{64}/g, 'sha256:…')
        .replace(place.registry.host, 'HOST')
        .replace(/"size": \d+/, '"size": 0'),
    ).toBe(`{
  "lockVersion": 1,
  "references": {
    "HOST/library/base:1": {
      "digest": "sha256:…",
      "mediaType": "application/vnd.oci.image.index.v1+json",
      "size": 0,
      "platforms": {
        "linux/amd64": {
          "manifest": "sha256:…",
          "config": "sha256:…",
          "owners": {
            "node": "1000:1001",
            "node:staff": "1000:50"
          },
          "paths": {
            "/app": "absent",
            "/bin": {"type":"symlink","mode":"0644","owner":"0:0","target":"usr/bin"},
            "/etc": {"type":"directory","mode":"0755","owner":"0:0"},
            "/etc/group": {"type":"file","mode":"0644","owner":"0:0","layer":0},
            "/etc/passwd": {"type":"file","mode":"0644","owner":"0:0","layer":0},
            "/opt": {"type":"directory","mode":"0750","owner":"5:6","listed":true},
            "/usr": {"type":"directory","mode":"0755","owner":"0:0"},
            "/usr/bin": {"type":"directory","mode":"0755","owner":"0:0"},
            "/usr/bin/tool": "absent"
          }
        }
      }
    }
  }
}
`)
  })

  it('writes the same again, and tells what changed when a tag has moved or the spec has', async () => {
    const place = await openPlace()
    expect(await lock(place.options())).toMatchObject({
      written: true,
      references: [{ status: 'added', reference: place.base }],
    })
    const before = readFileSync(place.lockFile, 'utf8')
    expect(await lock(place.options())).toMatchObject({
      written: false,
      references: [{ status: 'unchanged' }],
    })
    expect(await lock(place.options({ layers: [{ file: '/srv/x', content: 'x' }] }))).toMatchObject({
      references: [{ status: 'facts', facts: 2 }],
    })
    const after = place.moveTag([{ name: 'etc/new', content: 'new' }])
    const moved = await lock(place.options())
    expect(moved).toMatchObject({ written: true, references: [{ status: 'changed', after }] })
    expect(before).toContain(moved.references[0]?.before)
    const without = await lock(place.options({ base: 'scratch', layers: [{ file: '/x', content: 'x' }] }))
    expect(without.references).toMatchObject([{ status: 'removed', reference: place.base, before: after }])
  })

  it('is of all images and platforms of a config, and writes no image', async () => {
    const place = await openPlace()
    place.moveTag([], '2')
    const other = place.base.replace(/1$/, '2')
    const images = {
      web: { platforms: ['linux/arm64'] },
      tool: { base: other, layers: [{ file: '/opt/x', content: 'x' }] },
    }
    place.options()
    writeFileSync(
      join(place.folder, 'oci.config.json'),
      JSON.stringify({
        defaults: { base: place.base, platforms: ['linux/amd64'], layers },
        images,
      }),
    )
    const { stdout, status } = await run(place, 'lock')
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining('2 references') })
    const text = readFileSync(place.lockFile, 'utf8')
    expect(text.match(/"linux\/\w+"/g)).toEqual(['"linux/arm64"', '"linux/amd64"'])
    expect(existsSync(join(place.folder, '.ocibuild'))).toBe(false)
    expect((await run(place, 'build', 'tool', '--frozen')).status).toBe(0)
  })

  it('leaves the others alone with --update', async () => {
    const place = await openPlace()
    place.moveTag([], '2')
    const other = place.base.replace(/1$/, '2')
    const from = { entries: [{ copy: '/etc/motd', from: other, to: '/motd' }] }
    const options = place.options({ layers: [from] })
    await lock(options)
    for (const tag of ['1', '2']) place.moveTag([{ name: 'etc/new', content: 'new' }], tag)
    const { references } = await lock({ ...options, update: [other] })
    expect(references.map(({ reference, status }) => `${reference.slice(-1)} ${status}`)).toEqual([
      '1 unchanged',
      '2 changed',
    ])
    expect(await errorOf(lock({ ...options, update: ['alpine'] }))).toMatchObject({
      code: 'OCB-USAGE-LOCK-REFERENCE',
      message: expect.stringContaining(place.base),
    })
  })

  it('moves no base with --keep, and knows what the config asks now', async () => {
    const place = await openPlace()
    await lock(place.options())
    const moved = place.moveTag([{ name: 'etc/new', content: 'new' }])
    place.options({ layers: [{ file: '/usr/bin/other', content: 'o' }], outputs: ['oci:out'] })
    expect((await run(place, 'build', '--frozen')).stderr).toContain('OCB-LOCK-STALE')
    const { stdout } = await run(place, 'lock', '--keep')
    expect(stdout).toContain(`facts  ${place.base}`)
    expect(readFileSync(place.lockFile, 'utf8')).not.toContain(moved)
    expect((await run(place, 'build', '--frozen')).status).toBe(0)
  })

  it('suffices for a copy that takes the lock itself along', async () => {
    const place = await openPlace()
    const options = place.options({
      layers: [{ entries: [{ copy: '.', to: '/usr/bin', exclude: ['cache', 'home'] }] }],
    })
    await lock(options)
    expect(readFileSync(place.lockFile, 'utf8')).toContain('"/usr/bin/oci.lock": "absent"')
    expect(codes(await build({ ...options, frozen: true }))).toEqual([])
  })

  it('names what mirrors serve by its own name', async () => {
    const place = await openPlace()
    const { state } = place.registry
    const mirror = await forTest(startRegistry({ mirrorOf: { state, prefix: 'hub' } }))
    const base = 'registry.invalid/library/base:1'
    const registries = { 'registry.invalid': { mirrors: [`${mirror.host}/hub`] } }
    const options = place.options({ base, registries, outputs: ['oci:out'] })
    await lock(options)
    const text = readFileSync(place.lockFile, 'utf8')
    expect(text).toContain(`"${base}": {`)
    expect(text).not.toContain(mirror.host)
    expect(codes(await build({ ...options, frozen: true }))).toEqual([])
  })

  it('runs what prepare makes first, unless it is told not to', async () => {
    const place = await openPlace()
    place.options({
      prepare: ["node -e \"fs.mkdirSync('dist',{recursive:true});fs.writeFileSync('dist/a','a')\""],
      layers: [{ entries: [{ copy: 'dist', to: '/usr/bin' }] }],
    })
    expect((await run(place, 'lock', '--no-prepare')).status).toBe(1)
    expect(existsSync(place.lockFile)).toBe(false)
    expect((await run(place, 'lock')).status).toBe(0)
    expect(readFileSync(place.lockFile, 'utf8')).toContain('"/usr/bin/a": "absent"')
  })
})

describe('lock --check', () => {
  it('is content right after lock, and asks for the tag only', async () => {
    const place = await openPlace()
    place.options()
    expect(await run(place, 'lock', '-q')).toMatchObject({ status: 0, stderr: '' })
    place.registry.forgetRequests()
    const { status, stdout } = await run(place, 'lock', '--check')
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('oci.lock is up to date'),
    })
    expect(place.registry.lines().filter((line) => line.includes('/library/'))).toEqual([
      'HEAD /v2/library/base/manifests/1 200',
    ])
  })

  it('names what is outdated, missing and unused, ends with 1 and writes nothing', async () => {
    const place = await openPlace()
    place.moveTag([], '2')
    const two = place.base.replace(/1$/, '2')
    const from = (base: string): object => ({
      layers: [{ entries: [{ copy: '/etc/motd', from: base, to: '/motd' }] }],
    })
    const { references: written } = await lock(place.options(from(two)))
    const text = readFileSync(place.lockFile, 'utf8')
    const current = place.moveTag([{ name: 'etc/new', content: 'new' }])
    place.moveTag([], '3')
    place.options(from(place.base.replace(/1$/, '3')))
    const { status, stdout, stderr } = await run(place, 'lock', '--check', '--json')
    expect(status).toBe(1)
    expect(stderr).toBe('')
    const check: unknown = JSON.parse(stdout)
    expect(check).toMatchObject({
      schemaVersion: 1,
      file: place.lockFile,
      upToDate: false,
      references: [
        { reference: place.base, status: 'outdated', locked: written[0]?.after, current },
        { reference: place.base.replace(/1$/, '3'), status: 'missing' },
        { reference: two, status: 'unused' },
      ],
    })
    expect(readFileSync(place.lockFile, 'utf8')).toBe(text)
    const words = await run(place, 'lock', '--check')
    expect(words.stdout).toMatch(/outdated +\S+base:1 +sha256:\w{12} → sha256:\w{12}\n/)
    expect(words.stdout).toContain('oci.lock is not up to date: 2 references to pin anew')
  })

  it('finds everything missing where there is no lock, and never a digest outdated', async () => {
    const place = await openPlace()
    const base = `${place.base}@${place.registry.state.resolve('library/base', '1')}`
    const options = place.options({ base })
    expect(await compareLock(options)).toMatchObject({
      upToDate: false,
      references: [{ reference: base, status: 'missing' }],
    })
    await lock(options)
    place.moveTag([{ name: 'etc/new', content: 'new' }])
    place.registry.forgetRequests()
    expect(await compareLock(options)).toMatchObject({ upToDate: true })
    expect(place.registry.lines()).toEqual([])
  })

  it('does not go with --update, nor does lock with the name of an image', async () => {
    const place = await openPlace()
    place.options()
    expect((await run(place, 'lock', '--check', '--update', place.base)).status).toBe(2)
    expect(await run(place, 'lock', 'web')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('OCB-USAGE-DIR'),
    })
  })
})
