/** Builds beside an `oci.lock`: what they ask the registry for, and what they refuse. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { build, createPlan, lock } from '../../src/index.ts'
import { codes, digestsIn, digestsOf, errorOf, layers, lockedBuild, openPlace } from './lock-kit.ts'

describe('a build beside a lock', () => {
  it('obeys the one of the working directory when the spec is a value', async () => {
    const place = await openPlace()
    const options = { ...place.options(), config: undefined }
    const spec = { name: 'x', platforms: ['linux/amd64'], base: place.base, layers, outputs: ['oci:out'] }
    await lock({ ...options, spec })
    expect(codes(await build({ ...options, spec, frozen: true }))).toEqual([])
  })

  it('in a clean cache downloads no layer of the base, and gives the digest that the real base gives', async () => {
    const place = await openPlace()
    const spec = { platforms: ['linux/amd64', 'linux/arm64'] }
    const real = await digestsOf(place.options(spec))
    expect(place.layerDownloads()).not.toEqual([])
    const options = await lockedBuild(place, spec, { frozen: true })
    rmSync(join(place.folder, 'cache'), { recursive: true })
    const result = await build(options)
    expect(digestsIn(result)).toEqual(real)
    expect(codes(result)).toEqual([])
    expect(place.layerDownloads()).toEqual([])
    expect(place.tagRequests()).toEqual([])
  })

  it('builds on what was locked when the tag has moved, and names it in the annotations', async () => {
    const place = await openPlace()
    const options = await lockedBuild(place)
    const before = await digestsOf(options)
    place.moveTag([{ name: 'etc/new', content: 'new' }])
    expect(await digestsOf({ ...options, cacheDir: join(place.folder, 'other') })).toEqual(before)
    expect(place.tagRequests()).toEqual([])
    const locked = /"manifest": "(sha256:[0-9a-f]{64})"/.exec(readFileSync(place.lockFile, 'utf8'))?.[1]
    const manifest: unknown = JSON.parse(
      place.registry.state
        .open('team/app')
        .manifests.get(before[0] ?? '')
        ?.bytes.toString() ?? '',
    )
    expect(manifest).toMatchObject({
      annotations: {
        'org.opencontainers.image.base.name': place.base,
        'org.opencontainers.image.base.digest': locked,
      },
    })
    rmSync(place.lockFile)
    expect(await digestsOf(options)).not.toEqual(before)
  })

  it('asks for a tag once, however many platforms there are', async () => {
    const place = await openPlace()
    await build(place.options({ platforms: ['linux/amd64', 'linux/arm64'] }))
    expect(place.tagRequests()).toHaveLength(1)
  })

  it('reads only the layer whose bytes it needs', async () => {
    const place = await openPlace()
    const spec = { layers: [{ entries: [{ append: '/etc/motd', content: 'more\n' }] }] }
    const real = await digestsOf(place.options(spec))
    const options = await lockedBuild(place, spec, { frozen: true })
    expect(await digestsOf(options)).toEqual(real)
    expect(place.layerDownloads()).toHaveLength(1)
  })

  it('copies from the image that was locked', async () => {
    const place = await openPlace()
    const spec = {
      base: 'scratch',
      layers: [{ entries: [{ copy: '/etc/motd', from: place.base, to: '/motd' }] }],
    }
    const options = await lockedBuild(place, spec, { frozen: true })
    const before = await digestsOf(options)
    place.moveTag([{ name: 'etc/motd', content: 'other\n' }])
    expect(await digestsOf({ ...options, cacheDir: join(place.folder, 'other') })).toEqual(before)
    expect(place.tagRequests()).toEqual([])
  })

  it('works offline with what the cache has, and says what it lacks', async () => {
    const place = await openPlace()
    const spec = { outputs: ['oci:out'], layers: [{ file: '/x', content: 'x' }] }
    const options = await lockedBuild(place, spec, { offline: true, frozen: true })
    expect(await errorOf(build(options))).toMatchObject({ code: 'OCB-NETWORK-OFFLINE' })
    const plan = await createPlan({ ...options, cacheDir: join(place.folder, 'cache') })
    expect(plan.images).toHaveLength(1)
    expect(place.registry.lines()).toEqual([])
  })
})

describe('a question that the lock does not answer', () => {
  const wider = { layers: [...layers, { file: '/usr/bin/other', content: 'o' }] }

  it('has the base read after all, with a warning', async () => {
    const place = await openPlace()
    const real = await digestsOf(place.options(wider))
    await lockedBuild(place)
    const result = await build(place.options(wider, { cacheDir: join(place.folder, 'clean') }))
    expect(codes(result)).toEqual(['OCB-LOCK-STALE'])
    expect(result.warnings[0]).toMatchObject({
      message: expect.stringContaining('/usr/bin/other'),
      hint: expect.stringContaining('run ocibuild lock'),
    })
    expect(digestsIn(result)).toEqual(real)
    expect(place.layerDownloads()).not.toEqual([])
  })

  it('is an error under --frozen, and no layer is fetched', async () => {
    const place = await openPlace()
    await lockedBuild(place)
    const error = await errorOf(
      build(place.options(wider, { frozen: true, cacheDir: join(place.folder, 'clean') })),
    )
    expect(error).toMatchObject({
      code: 'OCB-LOCK-STALE',
      hint: expect.stringContaining('run ocibuild lock'),
    })
    expect(error.message).toContain('/usr/bin/other in the base')
    expect(place.layerDownloads()).toEqual([])
  })

  it('may be an owner, or a whole platform', async () => {
    const place = await openPlace()
    const other = { layers: [{ entries: [{ file: '/app/x', content: 'x', owner: 'root:staff' }] }] }
    await lockedBuild(place)
    expect((await errorOf(build(place.options(other, { frozen: true })))).message).toContain(
      'the owner "root:staff"',
    )
    const both = { platforms: ['linux/amd64', 'linux/arm64'] }
    expect((await errorOf(build(place.options(both, { frozen: true })))).message).toContain('linux/arm64')
    const result = await build(place.options(both, { cacheDir: join(place.folder, 'clean') }))
    expect(codes(result)).toEqual(['OCB-LOCK-STALE'])
  })
})

describe('a reference that the lock does not have', () => {
  it('is resolved with a warning, and refused under --frozen', async () => {
    const place = await openPlace()
    await lockedBuild(place)
    place.moveTag([], '2')
    const spec = { base: place.base.replace(':1', ':2') }
    const result = await build(place.options(spec))
    expect(codes(result)).toEqual(['OCB-LOCK-MISSING'])
    place.registry.forgetRequests()
    const error = await errorOf(build(place.options(spec, { frozen: true })))
    expect(error).toMatchObject({ code: 'OCB-LOCK-MISSING' })
    expect(error.message).toContain('library/base:2')
    expect(place.registry.lines()).toEqual([])
  })

  it('is refused under --frozen also where there is no lock, and is nothing to warn of without', async () => {
    const place = await openPlace()
    const error = await errorOf(build(place.options({}, { frozen: true })))
    expect(error).toMatchObject({
      code: 'OCB-LOCK-MISSING',
      message: expect.stringContaining('there is no oci.lock'),
    })
    expect(codes(await build(place.options()))).toEqual([])
  })

  it('needs none when it is a digest and the base is not asked', async () => {
    const place = await openPlace()
    const digest = place.registry.state.resolve('library/base', '1')
    const base = `${place.base.replace(':1', '')}@${digest}`
    const blind = { base, layers: [{ entries: [{ directory: '/app' }, { file: '/app/x', content: 'x' }] }] }
    await build(place.options(blind, { frozen: true }))
    expect(place.layerDownloads()).toEqual([])
    expect(await errorOf(build(place.options({ base }, { frozen: true })))).toMatchObject({
      code: 'OCB-LOCK-STALE',
    })
    const options = await lockedBuild(place, { base }, { frozen: true })
    await build(options)
    expect(place.layerDownloads()).toEqual([])
  })

  it('is no matter for layouts and scratch', async () => {
    const place = await openPlace()
    const spec = { base: 'scratch', outputs: ['oci:out'], layers: [{ file: '/x', content: 'x' }] }
    await build(place.options(spec, { frozen: true }))
    const onTop = { base: './out', outputs: ['oci:top'], layers: [{ file: '/y', content: 'y' }] }
    expect(codes(await build(place.options(onTop, { frozen: true })))).toEqual([])
    const { references } = await lock(place.options(onTop))
    expect(references).toEqual([])
  })
})

describe('a lock that cannot be obeyed', () => {
  it.each([
    ['cut short', (text: string) => text.slice(0, -20), /oci\.lock:\d+:\d+ .*not JSON/],
    ['in conflict', (text: string) => `<<<<<<< ours\n${text}`, /oci\.lock:1:1 .*merge conflict/],
    [
      'newer',
      (text: string) => text.replace('"lockVersion": 1', '"lockVersion": 2'),
      /oci\.lock:2:\d+ .*lockVersion: found 2/,
    ],
    [
      'with a bad digest',
      (text: string) => text.replace('"digest": "sha256:', '"digest": "sha257:'),
      /oci\.lock:5:\d+ .*digest: found/,
    ],
    [
      'with a bad fact',
      (text: string) => text.replace('"mode":"0750"', '"mode":750'),
      /oci\.lock:\d+:\d+ .*\["\/opt"\]\.mode: found 750, wanted four octal digits/,
    ],
    [
      'with a fact out of place',
      (text: string) => text.replace('"/usr": {"type":"directory"', '"/usr": {"type":"file"'),
      /stands below \/usr/,
    ],
  ])('is an error that says where: %s', async (_, spoil, message) => {
    const place = await openPlace()
    const options = await lockedBuild(place)
    const text = readFileSync(place.lockFile, 'utf8')
    expect(spoil(text)).not.toBe(text)
    writeFileSync(place.lockFile, spoil(text))
    const error = await errorOf(build(options))
    expect(error).toMatchObject({ code: 'OCB-LOCK-INVALID', hint: expect.stringContaining('ocibuild lock') })
    expect(error.message).toMatch(message)
    expect(place.registry.lines()).toEqual([])
    expect(codes(await lock(options))).toEqual(['OCB-LOCK-INVALID'])
    expect(readFileSync(place.lockFile, 'utf8')).toBe(text)
  })

  it('is one whose digests do not belong together', async () => {
    const place = await openPlace()
    const options = await lockedBuild(place)
    const text = readFileSync(place.lockFile, 'utf8')
    writeFileSync(place.lockFile, text.replace(/("manifest": "sha256:)[0-9a-f]{64}/, `$1${'0'.repeat(64)}`))
    expect(await errorOf(build(options))).toMatchObject({ code: 'OCB-LOCK-INVALID' })
  })
})
