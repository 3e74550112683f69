/** Archives that we write, and read again. */

import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  lstatSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createArchiveTarget, type ArchiveTarget } from '../../src/archive/archive-target.ts'
import { openArchive } from '../../src/archive/open-archive.ts'
import { copyGraph } from '../../src/content/copy-graph.ts'
import { sha256 } from '../../src/content/hash.ts'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { readDocument } from '../../src/content/read-document.ts'
import { parseImageManifest } from '../../src/spec/parse-image-manifest.ts'
import { describeWithPeers, itWithPeers } from '../helpers/peers.ts'
import {
  bytesOf,
  collectBytes,
  describeBytes,
  putImage,
  putIndex,
  tarHeader,
  tarOf,
} from '../helpers/images.ts'

let dir: string
let spoolDir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocibuild-archive-'))
  spoolDir = join(dir, 'spool')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const memory = createMemoryStore()

async function write(
  target: ArchiveTarget,
  references: readonly string[],
  layers: readonly Record<string, string>[] = [{ a: '1' }, { b: '2' }],
): Promise<Awaited<ReturnType<typeof putImage>>> {
  const image = await putImage(memory, layers)
  await copyGraph(memory, image.manifest, target, { concurrency: 1 })
  for (const reference of references) await target.tag(image.manifest, reference)
  await target.close()
  return image
}

describe('an oci-archive', () => {
  it('comes back as it went in, and the same pushes give the same bytes', async () => {
    const path = join(dir, 'made/here/image.tar')
    const image = await write(await createArchiveTarget(path, { format: 'oci-archive' }), ['1', 'latest'])
    const again = join(dir, 'again.tar')
    await write(await createArchiveTarget(again, { format: 'oci-archive' }), ['1', 'latest'])
    expect(readFileSync(again).equals(readFileSync(path))).toBe(true)

    const store = await openArchive(path, 'oci-archive', { spoolDir })
    expect(store.images.map(({ names }) => names)).toEqual([['1'], ['latest']])
    expect(await store.resolve('latest')).toMatchObject({
      digest: image.manifest.digest,
      platform: { os: 'linux', architecture: 'amd64' },
    })
    const back = createMemoryStore()
    await copyGraph(store, image.manifest, back)
    expect(await back.has(image.layers[1] ?? image.config)).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o644 & ~process.umask())
  })

  it('is there when it is closed and not before, and the one before stays until then', async () => {
    const path = join(dir, 'image.tar')
    writeFileSync(path, 'the one before')
    const target = await createArchiveTarget(path, { format: 'oci-archive' })
    const image = await putImage(memory, [{ a: '1' }])
    await copyGraph(memory, image.manifest, target)
    expect(readFileSync(path, 'utf8')).toBe('the one before')
    await target.abort()
    expect(readdirSync(dir)).toEqual(['image.tar'])
    await expect(target.push(image.config, bytesOf('x'))).resolves.toBeUndefined()
    await expect(target.push(describeBytes('x/y', 'new'), bytesOf('new'))).rejects.toMatchObject({
      code: 'OCB-ARCHIVE-CLOSED',
    })
  })

  it('replaces what a symlink points at, and refuses folders and devices', async () => {
    mkdirSync(join(dir, 'real'))
    writeFileSync(join(dir, 'real/image.tar'), '')
    symlinkSync('real/image.tar', join(dir, 'link.tar'))
    await write(await createArchiveTarget(join(dir, 'link.tar'), { format: 'oci-archive' }), ['1'])
    expect(lstatSync(join(dir, 'link.tar')).isSymbolicLink()).toBe(true)
    expect(statSync(join(dir, 'real/image.tar')).size).toBeGreaterThan(0)
    for (const path of [dir, '/dev/null']) {
      await expect(createArchiveTarget(path, { format: 'oci-archive' })).rejects.toMatchObject({
        code: 'OCB-ARCHIVE-INVALID',
      })
    }
  })

  it('goes into a stream, which stays open, and says so when the reader is gone', async () => {
    const stream = new PassThrough()
    const received = collectBytes(stream)
    const image = await write(await createArchiveTarget(stream, { format: 'oci-archive' }), ['1'])
    expect(stream.writableEnded).toBe(false)
    stream.end()
    writeFileSync(join(dir, 'image.tar'), await received)
    const store = await openArchive(join(dir, 'image.tar'), 'oci-archive', { spoolDir })
    expect((await store.resolve('1')).digest).toBe(image.manifest.digest)

    const broken = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    })
    await expect(
      write(await createArchiveTarget(broken, { format: 'oci-archive' }), ['1']),
    ).rejects.toMatchObject({ code: 'OCB-OUTPUT-CLOSED' })
  })

  it('into a stream cannot be finished after a blob failed in the middle', async () => {
    const stream = new PassThrough()
    stream.resume()
    const target = await createArchiveTarget(stream, { format: 'oci-archive' })
    await expect(target.push(describeBytes('x/y', 'hello'), bytesOf('hell'))).rejects.toMatchObject({
      code: 'OCB-CONTENT-MISMATCH',
    })
    await expect(target.close()).rejects.toMatchObject({ code: 'OCB-ARCHIVE-DAMAGED' })
  })

  it('is read when it is compressed, through a copy in the spool folder', async () => {
    const path = join(dir, 'image.tar')
    const image = await write(await createArchiveTarget(path, { format: 'oci-archive' }), ['1'])
    writeFileSync(join(dir, 'image.tar.gz'), gzipSync(readFileSync(path)))
    const store = await openArchive(join(dir, 'image.tar.gz'), 'oci-archive', { spoolDir })
    expect((await collectBytes(await store.fetch(image.config))).length).toBe(image.config.size)
    expect(readdirSync(spoolDir).length).toBe(1)
    writeFileSync(join(dir, 'cut.tar.gz'), gzipSync(readFileSync(path)).subarray(0, 200))
    await expect(openArchive(join(dir, 'cut.tar.gz'), 'oci-archive', { spoolDir })).rejects.toMatchObject({
      code: 'OCB-COMPRESSION-DAMAGED',
    })
    expect(readdirSync(spoolDir).length).toBe(1)
  })
})

describe('a docker-archive', () => {
  itWithPeers('has a manifest.json beside index.json, over the same blobs', ['tar'], async () => {
    const path = join(dir, 'image.tar')
    const target = await createArchiveTarget(path, { format: 'docker-archive' })
    const image = await write(target, ['example.com/app:1', 'example.com/app:latest'])
    const store = await openArchive(path, 'docker-archive', { spoolDir })
    for (const name of ['example.com/app:1', 'example.com/app', 'example.com/app:latest', '1', 'latest']) {
      expect((await store.resolve(name)).digest).toBe(image.manifest.digest)
    }
    const manifest: unknown = JSON.parse(
      execFileSync('tar', ['-xOf', path, 'manifest.json'], { encoding: 'utf8' }),
    )
    const blob = ({ digest }: { readonly digest: string }): string => `blobs/sha256/${digest.slice(7)}`
    expect(manifest).toEqual([
      {
        Config: blob(image.config),
        RepoTags: ['example.com/app:1', 'example.com/app:latest'],
        Layers: image.layers.map(blob),
      },
    ])
  })

  it('refuses two platforms under one name, and names that are no RepoTags', async () => {
    const path = join(dir, 'image.tar')
    const target = await createArchiveTarget(path, { format: 'docker-archive' })
    const amd = await putImage(memory, [{ a: '1' }], 'amd64')
    const arm = await putImage(memory, [{ a: '1' }], 'arm64')
    const index = await putIndex(memory, [amd.manifest, arm.manifest])
    await copyGraph(memory, index, target)
    await expect(target.tag(index, 'App')).rejects.toMatchObject({ code: 'OCB-SPEC-REFERENCE' })
    await target.tag(index, 'app:1')
    await expect(target.close()).rejects.toMatchObject({
      code: 'OCB-ARCHIVE-PLATFORMS',
      message: expect.stringContaining('linux/amd64, linux/arm64'),
    })
    await target.abort()
    expect(existsSync(path)).toBe(false)
  })

  it('of before Docker 25 is shown as OCI manifests over the same blobs', async () => {
    const layers = [tarOf({ 'a.txt': 'one' }), tarOf({ 'b.txt': 'two' })]
    const config = JSON.stringify({
      architecture: 'arm64',
      os: 'linux',
      variant: 'v8',
      config: { Cmd: null },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => sha256(layer)) },
    })
    const zipped = gzipSync(layers[1] ?? '')
    const entries = {
      'one/layer.tar': layers[0] ?? '',
      'two/layer.tar': zipped,
      'abc.json': config,
      'manifest.json': JSON.stringify([
        {
          Config: 'abc.json',
          RepoTags: ['app:latest', 'app:1'],
          Layers: ['link/layer.tar', 'two/layer.tar'],
        },
      ]),
    }
    const link = tarHeader({ name: 'link/layer.tar', size: 0, type: '2', target: '../one/layer.tar' })
    writeFileSync(join(dir, 'old.tar'), Buffer.concat([link, tarOf(entries)]))
    const store = await openArchive(join(dir, 'old.tar'), 'docker-archive', { spoolDir })
    const root = await store.resolve('app')
    expect(root).toMatchObject({ platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } })
    const manifest = parseImageManifest(await readDocument(store, root))
    expect(manifest.config.digest).toBe(sha256(config))
    expect(manifest.layers.map(({ mediaType, digest }) => [mediaType, digest])).toEqual([
      ['application/vnd.oci.image.layer.v1.tar', sha256(layers[0] ?? '')],
      ['application/vnd.oci.image.layer.v1.tar+gzip', sha256(zipped)],
    ])
    await copyGraph(store, root, createMemoryStore())
    expect((await store.list()).length).toBe(2)
    await expect(openArchive(join(dir, 'old.tar'), 'oci-archive', { spoolDir })).rejects.toMatchObject({
      code: 'OCB-ARCHIVE-INVALID',
      hint: expect.stringContaining('docker-archive:'),
    })
  })
})

describeWithPeers('other tools', ['skopeo', 'tar'], ({ skopeo, tar }) => {
  const run = (...args: string[]): string =>
    execFileSync(skopeo, ['--insecure-policy', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })

  it('skopeo inspects an oci-archive, and GNU tar lists it', async () => {
    const path = join(dir, 'image.tar')
    const image = await write(await createArchiveTarget(path, { format: 'oci-archive' }), ['1'])
    const seen = JSON.parse(run('inspect', `oci-archive:${path}:1`))
    expect(seen).toMatchObject({ Digest: image.manifest.digest, Layers: image.layers.map((l) => l.digest) })
    const names = execFileSync(tar, ['-tf', path], { encoding: 'utf8' }).trim().split('\n')
    expect(names.slice(0, 2)).toEqual(['blobs/', 'blobs/sha256/'])
    expect(names.slice(-2)).toEqual(['index.json', 'oci-layout'])
  })

  it('skopeo reads our docker-archive, and we read the one that it writes', async () => {
    const ours = join(dir, 'ours.tar')
    const image = await write(await createArchiveTarget(ours, { format: 'docker-archive' }), ['app:1'])
    const config = JSON.parse(run('inspect', '--config', `docker-archive:${ours}:docker.io/library/app:1`))
    const theirs = join(dir, 'theirs.tar')
    run('copy', `docker-archive:${ours}`, `docker-archive:${theirs}:docker.io/library/app:2`)
    const store = await openArchive(theirs, 'docker-archive', { spoolDir })
    const root = await store.resolve('app:2')
    const manifest = parseImageManifest(await readDocument(store, root))
    expect(manifest.layers.map(({ digest }) => digest)).toEqual(config.rootfs.diff_ids)
    await copyGraph(store, root, createMemoryStore())
    run('copy', `oci-archive:${await asOci(store, root)}`, `docker-archive:${join(dir, 'third.tar')}:a:1`)
    expect(image.layers.length).toBe(manifest.layers.length)
  })

  async function asOci(
    store: Awaited<ReturnType<typeof openArchive>>,
    root: Awaited<ReturnType<typeof store.resolve>>,
  ): Promise<string> {
    const path = join(dir, 'as-oci.tar')
    const target = await createArchiveTarget(path, { format: 'oci-archive' })
    await copyGraph(store, root, target)
    await target.tag(root, '2')
    await target.close()
    return path
  }
})

describeWithPeers('podman', ['podman', 'tar'], ({ podman, tar }) => {
  it('saves archives of both kinds that we read, and loads the one that we write', async () => {
    const run = (...args: string[]): string =>
      execFileSync(
        podman,
        ['--root', join(dir, 'root'), '--runroot', join(dir, 'run'), '--storage-driver', 'vfs', ...args],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
      )
    writeFileSync(join(dir, 'hello'), 'hi')
    execFileSync(tar, ['-C', dir, '-cf', join(dir, 'layer.tar'), 'hello'])
    run('import', '-q', join(dir, 'layer.tar'), 'example.com/t:1')
    for (const kind of ['docker-archive', 'oci-archive'] as const) {
      const path = join(dir, `${kind}.tar`)
      run('save', '-q', '--format', kind, '-o', path, 'example.com/t:1')
      const store = await openArchive(path, kind, { spoolDir })
      expect(store.images.length).toBe(1)
      const root = await store.resolve('example.com/t:1')
      await copyGraph(store, root, createMemoryStore())
    }
    const ours = join(dir, 'ours.tar')
    await write(await createArchiveTarget(ours, { format: 'docker-archive' }), ['example.com/u:2'])
    expect(run('load', '-q', '-i', ours)).toContain('example.com/u:2')
  })
})
