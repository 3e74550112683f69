/** References on disk become sources and outputs. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryStore } from '../src/content/memory-store.ts'
import { processEnvironment } from '../src/environment.ts'
import { openLayout } from '../src/layout/layout-store.ts'
import { openOutput, openSource, outputPlace, type ImageSource, type Output } from '../src/open-target.ts'
import { outputNames } from '../src/spec/output-names.ts'
import { parseReference } from '../src/spec/parse-reference.ts'
import { collectBytes, putImage, putIndex, type TestImage } from './helpers/images.ts'
import { describeWithPeers } from './helpers/peers.ts'

let cwd: string
const environment = processEnvironment()
const memory = createMemoryStore()

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'ocibuild-open-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

async function source(text: string): Promise<ImageSource> {
  const context = { cwd, spoolDir: join(cwd, 'spool'), environment }
  return await openSource(parseReference(text, 'in'), context)
}

async function add(output: Output, text: string, image: TestImage, tags: readonly string[]): Promise<void> {
  const reference = parseReference(text, 'out')
  if (!('path' in reference)) throw new Error('not on disk')
  await output.add(memory, image.manifest, outputNames(reference, 'r.example.com/app', tags))
}

async function deliver(text: string, image: TestImage, tags: readonly string[]): Promise<void> {
  const output = await openOutput(parseReference(text, 'out'), { cwd, environment })
  await add(output, text, image, tags)
  await output.finish()
}

describe('outputs', () => {
  it.each(['oci:dist/image', 'oci-archive:dist/image.tar', 'docker-archive:dist/image.tar'])(
    '%s gets every tag, and is read back by each',
    async (text) => {
      const image = await putImage(memory, [{ a: '1' }])
      await deliver(text, image, ['1.4.0', 'latest'])
      for (const ref of ['1.4.0', 'latest', 'r.example.com/app:1.4.0', `@${image.manifest.digest}`]) {
        const { root } = await source(`${text}:${ref}`)
        expect(root).toMatchObject({ digest: image.manifest.digest, platform: { architecture: 'amd64' } })
      }
      // Two names of one image are no choice to make.
      expect((await source(text)).root.digest).toBe(image.manifest.digest)
    },
  )

  it('with a ref get that one name', async () => {
    const image = await putImage(memory, [{ a: '1' }])
    await deliver('oci:image:mine', image, ['1.4.0', 'latest'])
    const { manifests } = JSON.parse(readFileSync(join(cwd, 'image/index.json'), 'utf8'))
    expect(manifests.map((m: { annotations: object }) => m.annotations)).toEqual([
      {
        'org.opencontainers.image.ref.name': 'mine',
        'io.containerd.image.name': 'r.example.com/app:mine',
      },
    ])
  })

  it('show nothing before they are finished, and several images then', async () => {
    const one = await putImage(memory, [{ a: '1' }])
    const two = await putImage(memory, [{ a: '2' }])
    for (const text of ['oci:image', 'oci-archive:image.tar']) {
      const output = await openOutput(parseReference(text, 'out'), { cwd, environment })
      await add(output, `${text}:one`, one, [])
      await add(output, `${text}:two`, two, [])
      await expect(source(`${text}:one`)).rejects.toMatchObject({
        code: expect.stringMatching(/NOT-FOUND$/),
      })
      await output.finish()
      expect((await source(`${text}:two`)).root.digest).toBe(two.manifest.digest)
      await expect(source(text)).rejects.toMatchObject({
        code: 'OCB-REFERENCE-AMBIGUOUS',
        message: expect.stringMatching(/one.*sha256:.*two.*sha256:/),
      })
    }
  })

  it('that were given up leave what was there', async () => {
    const one = await putImage(memory, [{ a: '1' }])
    await deliver('oci-archive:image.tar', one, ['1'])
    const before = readFileSync(join(cwd, 'image.tar'))
    const output = await openOutput(parseReference('oci-archive:image.tar', 'out'), { cwd, environment })
    await add(output, 'oci-archive:image.tar', await putImage(memory, [{ a: '2' }]), ['2'])
    await output.abort()
    expect(readFileSync(join(cwd, 'image.tar')).equals(before)).toBe(true)
    expect(readdirSync(cwd)).toEqual(['image.tar'])
  })

  it('wait for what was sent ahead, and tell what failed of it', async () => {
    const image = await putImage(memory, [{ a: '1' }])
    const [layer] = image.layers
    if (layer === undefined) throw new Error('unreachable')
    const staging = await openLayout(join(cwd, 'staging'), { create: true })
    await staging.push(layer, await memory.fetch(layer))
    const output = await openOutput(parseReference('oci:image', 'out'), { cwd, environment })
    output.sendAhead?.(staging, layer)
    await output.abort()
    expect(readdirSync(join(cwd, 'image/blobs/sha256'))).toEqual([layer.digest.slice(7)])
    output.sendAhead?.(staging, image.manifest)
    await expect(output.add(staging, image.manifest, [])).rejects.toMatchObject({
      code: 'OCB-CONTENT-NOT-FOUND',
    })
  })

  it('get back what somebody removed before they were finished', async () => {
    const image = await putImage(memory, [{ a: '1' }])
    const output = await openOutput(parseReference('oci:image', 'out'), { cwd, environment })
    await add(output, 'oci:image', image, ['1'])
    const lost = join(cwd, 'image/blobs/sha256', image.layers[0]?.digest.slice(7) ?? '')
    rmSync(lost)
    await output.finish()
    expect(existsSync(lost)).toBe(true)
  })

  it('go to stdout, which has to be there', async () => {
    const reference = parseReference('oci-archive:-', 'out')
    await expect(openOutput(reference, { cwd, environment })).rejects.toMatchObject({
      code: 'OCB-USAGE-STDOUT',
    })
    const stdout = new PassThrough()
    const received = collectBytes(stdout)
    const output = await openOutput(reference, { cwd, environment, stdout })
    await add(output, 'oci-archive:-', await putImage(memory, [{ a: '1' }]), ['1'])
    await output.finish()
    stdout.end()
    writeFileSync(join(cwd, 'image.tar'), await received)
    await source('oci-archive:image.tar:1')
  })

  it('in one place are known by it', () => {
    const place = (text: string): string => outputPlace(parseReference(text, 'out'), '/work')
    expect(place('oci:a/b:1')).toBe(place('oci:./a/b:2'))
    expect(place('oci-archive:-')).toBe('-')
  })
})

describe('sources', () => {
  it('are found by a digest below an index', async () => {
    const arm = await putImage(memory, [{ a: '1' }], 'arm64')
    const index = await putIndex(memory, [arm.manifest])
    const output = await openOutput(parseReference('oci:image', 'out'), { cwd, environment })
    await output.add(memory, index, [{ reference: '1', annotations: {} }])
    await output.finish()
    expect((await source(`./image:@${arm.manifest.digest}`)).root.digest).toBe(arm.manifest.digest)
    expect((await source('./image')).root.digest).toBe(index.digest)
  })

  it.each([
    ['oci:missing', 'OCB-LAYOUT-NOT-FOUND'],
    ['oci-archive:missing.tar', 'OCB-ARCHIVE-NOT-FOUND'],
    ['oci-archive:.', 'OCB-ARCHIVE-INVALID'],
    ['node:22', 'OCB-REGISTRY-UNSUPPORTED'],
    ['scratch', 'OCB-SPEC-REFERENCE'],
  ])('%s is %s', async (text, code) => {
    await expect(source(text)).rejects.toMatchObject({ code })
  })
})

describeWithPeers('layouts and skopeo', ['skopeo'], ({ skopeo }) => {
  const run = (...args: string[]): string =>
    execFileSync(skopeo, ['--insecure-policy', ...args], { cwd, encoding: 'utf8', stdio: 'pipe' })

  it('skopeo reads ours by tag, adds its own beside it, and we read that', async () => {
    const image = await putImage(memory, [{ a: '1' }, { b: '2' }])
    await deliver('oci:image', image, ['1'])
    expect(JSON.parse(run('inspect', 'oci:image:1'))).toMatchObject({
      Digest: image.manifest.digest,
      Architecture: 'amd64',
      Layers: image.layers.map(({ digest }) => digest),
    })
    run('copy', 'oci:image:1', 'docker-archive:image.tar:docker.io/library/app:1')
    run('copy', 'docker-archive:image.tar', 'oci:image:theirs')
    expect((await source('oci:image:theirs')).root.mediaType).toContain('manifest')
    await deliver('oci:image', await putImage(memory, [{ a: '2' }]), ['1'])
    run('inspect', 'oci:image:theirs')
    run('copy', 'oci:image:theirs', 'oci:other:x')
  })
})
