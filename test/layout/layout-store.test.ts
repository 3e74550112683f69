/** Image layouts on disk: what is written, what is replaced, what stays. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { copyGraph } from '../../src/content/copy-graph.ts'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { openLayout } from '../../src/layout/layout-store.ts'
import { bytesOf, collectBytes, describeBytes, putImage, putIndex } from '../helpers/images.ts'

let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocibuild-layout-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function blobs(): string[] {
  return readdirSync(join(dir, 'image/blobs/sha256')).toSorted()
}

function hex(...descriptors: readonly { readonly digest: string }[]): string[] {
  return descriptors.map(({ digest }) => digest.slice(7)).toSorted()
}

function indexJson(): { manifests: { digest: string; annotations?: Record<string, string> }[] } {
  return JSON.parse(readFileSync(join(dir, 'image/index.json'), 'utf8'))
}

describe('opening a layout', () => {
  it('makes an empty, valid layout where there is none', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    expect(await store.list()).toEqual([])
    expect(readFileSync(join(dir, 'image/oci-layout'), 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}')
    expect(readdirSync(join(dir, 'image')).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout'])
  })

  it('says that nothing is there, that it is a file, or what makes it no layout', async () => {
    await expect(openLayout(join(dir, 'missing'))).rejects.toMatchObject({ code: 'OCB-LAYOUT-NOT-FOUND' })
    writeFileSync(join(dir, 'file'), '')
    await expect(openLayout(join(dir, 'file'))).rejects.toMatchObject({
      code: 'OCB-LAYOUT-INVALID',
      message: expect.stringContaining('it is a file'),
    })
    await expect(openLayout(dir)).rejects.toMatchObject({
      code: 'OCB-LAYOUT-INVALID',
      message: expect.stringContaining('oci-layout'),
    })
    mkdirSync(join(dir, 'future'))
    writeFileSync(join(dir, 'future/oci-layout'), '{"imageLayoutVersion":"2.0.0"}')
    await expect(openLayout(join(dir, 'future'))).rejects.toMatchObject({
      code: 'OCB-LAYOUT-INVALID',
      message: expect.stringContaining('2.0.0'),
    })
  })

  it('does not spread blobs over a folder that holds something else', async () => {
    writeFileSync(join(dir, 'package.json'), '{}')
    await expect(openLayout(dir, { create: true })).rejects.toMatchObject({
      code: 'OCB-LAYOUT-OCCUPIED',
      message: expect.stringContaining('package.json'),
    })
    expect(readdirSync(dir)).toEqual(['package.json'])
  })

  it('removes temporaries of processes that are gone, and leaves those of the living', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    const names = readdirSync(join(dir, 'image'))
    const host = (await import('node:os'))
      .hostname()
      .replaceAll(/[^a-zA-Z0-9]/g, '')
      .slice(0, 24)
    writeFileSync(join(dir, `image/.ocibuild-tmp-999999999-${host}-dead`), 'x')
    writeFileSync(join(dir, `image/.ocibuild-tmp-${process.ppid}-${host}-alive`), 'x')
    await openLayout(store.dir, { create: true })
    expect(readdirSync(store.dir).filter((name) => !names.includes(name))).toEqual([
      `.ocibuild-tmp-${process.ppid}-${host}-alive`,
    ])
  })
})

describe('tagging', () => {
  it('names the image, keeps the annotations it came with, and keeps other entries and unknown fields', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    const first = await putImage(store, [{ a: '1' }])
    await store.tag({ ...first.manifest, annotations: { 'io.containerd.image.name': 'h.example/a:1' } }, '1')
    const raw = indexJson()
    writeFileSync(
      join(dir, 'image/index.json'),
      JSON.stringify({
        ...raw,
        future: { x: 1 },
        manifests: raw.manifests.map((m) => ({ ...m, odd: true })),
      }),
    )
    const second = await putImage(store, [{ a: '2' }])
    await store.tag(second.manifest, '2')
    expect(indexJson()).toMatchObject({
      future: { x: 1 },
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          odd: true,
          digest: first.manifest.digest,
          annotations: {
            'io.containerd.image.name': 'h.example/a:1',
            'org.opencontainers.image.ref.name': '1',
          },
        },
        { digest: second.manifest.digest, platform: { os: 'linux', architecture: 'amd64' } },
      ],
    })
    expect((await store.resolve('1')).digest).toBe(first.manifest.digest)
    expect((await store.resolve('h.example/a:1')).digest).toBe(first.manifest.digest)
  })

  it('removes the blobs that only the replaced image had, and no others', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    const old = await putImage(store, [{ shared: 'yes' }, { app: 'one' }])
    await store.tag(old.manifest, 'latest')
    const fresh = await putImage(store, [{ shared: 'yes' }, { app: 'two' }])
    await store.tag(fresh.manifest, 'latest')
    expect(blobs()).toEqual(hex(fresh.manifest, fresh.config, ...fresh.layers))
    expect(fresh.layers[0]?.digest).toBe(old.layers[0]?.digest)
  })

  it('leaves index.json alone where it says the same already', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    const image = await putImage(store, [{ app: 'one' }])
    await store.tag(image.manifest, 'latest')
    const inode = (): number => statSync(join(dir, 'image/index.json')).ino
    const before = inode()
    await store.tag(image.manifest, 'latest')
    expect(inode()).toBe(before)
    await store.tag(image.manifest, '1.0')
    expect(inode()).not.toBe(before)
    expect(indexJson().manifests).toHaveLength(2)
  })

  it('keeps a replaced image as long as another reference names it', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    const old = await putImage(store, [{ app: 'one' }])
    await store.tagAll([
      { target: old.manifest, reference: '1.0' },
      { target: old.manifest, reference: 'latest' },
    ])
    const fresh = await putImage(store, [{ app: 'two' }])
    await store.tag(fresh.manifest, 'latest')
    expect((await store.resolve('1.0')).digest).toBe(old.manifest.digest)
    expect(blobs()).toEqual(
      hex(old.manifest, old.config, ...old.layers, fresh.manifest, fresh.config, ...fresh.layers),
    )
    await store.tag(fresh.manifest, '1.0')
    expect(blobs()).toEqual(hex(fresh.manifest, fresh.config, ...fresh.layers))
  })

  it('keeps blobs that an index, an artifact or an unknown document of another entry names', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    const old = await putImage(store, [{ app: 'one' }])
    await store.tag(old.manifest, 'latest')
    const oddBytes = JSON.stringify({ things: [{ deep: { digest: old.layers[0]?.digest } }] })
    const odd = describeBytes('application/vnd.example.future+json', oddBytes)
    await store.push(odd, bytesOf(oddBytes))
    await store.tag(odd, 'odd')
    const fresh = await putImage(store, [{ app: 'two' }])
    await store.tag(fresh.manifest, 'latest')
    expect(blobs()).toEqual(hex(odd, ...old.layers, fresh.manifest, fresh.config, ...fresh.layers))
  })

  it('survives a replaced image that is damaged, and removes nothing when a kept one is', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    const old = await putImage(store, [{ app: 'one' }])
    const kept = await putImage(store, [{ app: 'kept' }])
    await store.tag(old.manifest, 'latest')
    await store.tag(kept.manifest, 'kept')
    writeFileSync(join(dir, 'image/blobs/sha256', kept.manifest.digest.slice(7)), 'not json')
    const fresh = await putImage(store, [{ app: 'two' }])
    await store.tag(fresh.manifest, 'latest')
    expect(blobs()).toEqual(expect.arrayContaining(hex(old.manifest, ...old.layers)))

    writeFileSync(join(dir, 'image/blobs/sha256', fresh.manifest.digest.slice(7)), '{"manifests": 3}')
    const third = await putImage(store, [{ app: 'three' }])
    rmSync(join(dir, 'image/blobs/sha256', kept.manifest.digest.slice(7)))
    await store.tag(third.manifest, 'latest')
    expect((await store.resolve('latest')).digest).toBe(third.manifest.digest)
  })

  it('refuses an image of which a blob is missing, and a deep copy heals it', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    const memory = createMemoryStore()
    const image = await putImage(memory, [{ app: 'one' }, { app: 'two' }])
    await copyGraph(memory, image.manifest, store)
    rmSync(join(dir, 'image/blobs/sha256', image.layers[1]?.digest.slice(7) ?? ''))
    await expect(store.tag(image.manifest, 'latest')).rejects.toMatchObject({ code: 'OCB-LAYOUT-INCOMPLETE' })
    await copyGraph(memory, image.manifest, store)
    await expect(store.tag(image.manifest, 'latest')).rejects.toMatchObject({ code: 'OCB-LAYOUT-INCOMPLETE' })
    await copyGraph(memory, image.manifest, store, { deep: true })
    await store.tag(image.manifest, 'latest')
    expect((await store.list()).length).toBe(1)
  })
})

describe('finding', () => {
  it('finds a digest below an index, and says which names there are', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    const amd = await putImage(store, [{ app: 'one' }], 'amd64')
    const arm = await putImage(store, [{ app: 'one' }], 'arm64')
    const index = await putIndex(store, [amd.manifest, arm.manifest])
    await store.tag(index, 'multi')
    expect(await store.resolve(arm.manifest.digest)).toMatchObject({
      digest: arm.manifest.digest,
      platform: { architecture: 'arm64' },
    })
    await expect(store.resolve('nope')).rejects.toMatchObject({
      code: 'OCB-REFERENCE-NOT-FOUND',
      message: expect.stringContaining('multi'),
    })
  })
})

describe('blobs', () => {
  it('copies a file with the mode of any new file, as a file of its own', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    const source = join(dir, 'source')
    writeFileSync(source, 'hello')
    chmodSync(source, 0o400)
    const descriptor = describeBytes('application/octet-stream', 'hello')
    await store.pushFile(descriptor, { path: source, checked: false })
    const path = join(dir, 'image/blobs/sha256', descriptor.digest.slice(7))
    expect(await store.fileOf(descriptor)).toEqual({ path, checked: true })
    expect(statSync(path).nlink).toBe(1)
    expect(statSync(path).mode & 0o777).toBe(0o644 & ~process.umask())
    expect(String(await collectBytes(await store.fetch(descriptor)))).toBe('hello')
  })

  it('stores nothing when a file or a stream is not what it should be', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    const source = join(dir, 'source')
    writeFileSync(source, 'hellO')
    const descriptor = describeBytes('application/octet-stream', 'hello')
    const file = { path: source, checked: false }
    await expect(store.pushFile(descriptor, file)).rejects.toMatchObject({ code: 'OCB-CONTENT-MISMATCH' })
    writeFileSync(source, 'hell')
    await expect(store.pushFile(descriptor, { ...file, checked: true })).rejects.toMatchObject({
      code: 'OCB-CONTENT-MISMATCH',
    })
    await expect(store.push(descriptor, bytesOf('hellO'))).rejects.toMatchObject({
      code: 'OCB-CONTENT-MISMATCH',
    })
    expect(blobs()).toEqual([])
    expect(existsSync(join(dir, 'image/blobs/sha256'))).toBe(true)
    expect(readdirSync(join(dir, 'image')).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('are known to be right where the store wrote them itself, and nobody else since', async () => {
    const hello = describeBytes('application/octet-stream', 'hello')
    const path = join(dir, 'image/blobs/sha256', hello.digest.slice(7))
    const store = await openLayout(join(dir, 'image'), { create: true })
    await store.ingest('application/octet-stream', bytesOf('hello'))
    expect(await store.fileOf(hello)).toEqual({ path, checked: true })
    writeFileSync(path, 'hellO')
    utimesSync(path, 1, 1)
    expect(await store.fileOf(hello)).toEqual({ path, checked: false })

    // What was there is kept, and is no better for having been made once more.
    const later = await openLayout(join(dir, 'image'))
    await later.push(hello, bytesOf('hello'))
    await later.ingest('application/octet-stream', bytesOf('hello'))
    expect(await later.fileOf(hello)).toEqual({ path, checked: false })
  })

  it('writes a cut blob again', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    const descriptor = describeBytes('application/octet-stream', 'hello')
    await store.push(descriptor, bytesOf('hello'))
    writeFileSync((await store.fileOf(descriptor))?.path ?? '', 'he')
    expect(await store.has(descriptor)).toBe(false)
    await store.push(descriptor, bytesOf('hello'))
    expect(await store.has(descriptor)).toBe(true)
  })
})
