import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, it, vi } from 'vitest'
import { readLayer } from '../../src/rootfs/read-layer.ts'
import type { LayerEntry } from '../../src/rootfs/tree-types.ts'
import { handMadeTar, paxRecords, type HandMadeEntry } from '../helpers/hand-made-tar.ts'
import { chunked, drain } from '../helpers/layer-store.ts'
import { describeWithPeers } from '../helpers/peers.ts'

const folder = mkdtempSync(join(tmpdir(), 'ocibuild-read-layer-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function entriesOf(tar: Buffer, chunkSize?: number): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = []
  for await (const { entry } of readLayer(chunked(tar, chunkSize), 'none')) entries.push(entry)
  return entries
}

async function readBack(entries: readonly HandMadeEntry[]): Promise<LayerEntry[]> {
  return entriesOf(handMadeTar(entries))
}

async function names(entries: readonly HandMadeEntry[]): Promise<string[]> {
  return (await readBack(entries)).map(({ type, path }) => `${type} ${path}`)
}

it('normalises names and takes a trailing slash for a directory', async () => {
  expect(
    await names([
      { name: './', flag: '5' },
      { name: './usr/', flag: '5' },
      { name: '/etc//passwd' },
      { name: 'usr/./bin/', flag: '0' },
    ]),
  ).toEqual(['directory ', 'directory usr', 'file etc/passwd', 'directory usr/bin'])
})

it('recognises whiteouts and opaque markers, and leaves other AUFS names out', async () => {
  expect(
    await names([
      { name: '.wh.top' },
      { name: 'a/.wh.b' },
      { name: 'a/.wh..wh..opq' },
      { name: '.wh..wh..opq' },
      { name: '.wh..wh.plnk/', flag: '5' },
      { name: '.wh..wh.plnk/12.34' },
      { name: 'a/.wh..wh.aufs' },
      { name: 'a/x.wh.y' },
    ]),
  ).toEqual(['whiteout top', 'whiteout a/b', 'opaque a', 'opaque ', 'file a/x.wh.y'])
})

it('normalises the targets of hard links and leaves those of symlinks as they are', async () => {
  const entries = await readBack([
    { name: 'a' },
    { name: 'b', flag: '1', link: './a' },
    { name: 'c', flag: '2', link: '../..//x/' },
  ])
  expect(entries.map((entry) => entry.target)).toEqual([undefined, 'a', '../..//x/'])
})

it('gives extended attributes as base64 of their very bytes', async () => {
  // VFS_CAP_REVISION_2, effective, cap_net_raw: what `setcap cap_net_raw+ep` stores. No UTF-8.
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
  const odd = Buffer.from([0xff, 0xfe, 0x0a, 0x3d, 0x00, 0x80])
  const [entry] = await readBack([
    {
      name: 'ping',
      content: 'x',
      pax: { 'SCHILY.xattr.security.capability': capability, 'SCHILY.xattr.user.odd=': odd, comment: 'x' },
    },
  ])
  expect(entry?.xattrs?.['security.capability']).toBe(capability.toString('base64'))
  // A `=` in a key cannot be told from the one that ends it.
  expect(entry?.xattrs?.['user.odd']).toBe(Buffer.concat([Buffer.from('='), odd]).toString('base64'))
  expect(Object.keys(entry?.xattrs ?? {})).toHaveLength(2)
})

it('takes a name that PAX gives, also one that is a property of objects', async () => {
  const long = `${'d/'.repeat(120)}é-\u{1f600}`
  const [entry] = await readBack([
    {
      name: 'short',
      pax: { path: long, uid: '3000000', mtime: '-1.5', 'SCHILY.xattr.__proto__': 'p' },
    },
  ])
  expect(entry).toMatchObject({ path: long, uid: 3_000_000, mtime: -2 })
  expect(Object.keys(entry?.xattrs ?? {})).toEqual(['__proto__'])
})

it('reads contents in between, in part or not at all, wherever the chunks are cut', async () => {
  const big = Buffer.alloc(300_000, 'abcdefg')
  const tar = handMadeTar([
    { name: 'skipped', content: big },
    { name: 'begun', content: big },
    { name: 'read', content: big },
    { name: 'empty' },
    { name: 'last', content: 'end' },
  ])
  for (const size of [1000, 512, 65_536, tar.length]) {
    const seen: string[] = []
    for await (const { entry, content } of readLayer(chunked(tar, size), 'none')) {
      const chunks: Uint8Array[] = []
      if (entry.path !== 'skipped') {
        for await (const chunk of content) {
          chunks.push(chunk)
          if (entry.path === 'begun') break
        }
      }
      if (entry.path === 'read') expect(Buffer.concat(chunks).equals(big)).toBe(true)
      seen.push(`${entry.path} ${entry.size}`)
    }
    expect(seen).toEqual(['skipped 300000', 'begun 300000', 'read 300000', 'empty 0', 'last 3'])
  }
})

it('needs no end-of-archive marker, and ignores what follows one', async () => {
  const tar = handMadeTar([{ name: 'a', content: 'x' }], false)
  expect(await entriesOf(tar)).toHaveLength(1)
  const hidden = handMadeTar([{ name: 'hidden' }])
  expect(
    (await entriesOf(Buffer.concat([handMadeTar([{ name: 'a' }]), hidden]))).map((one) => one.path),
  ).toEqual(['a'])
  expect(await entriesOf(Buffer.alloc(1024))).toEqual([])
})

it.each(['none', 'gzip'] as const)(
  'stops at once when it is left early, and ends its source: %s',
  async (compression) => {
    const tar = handMadeTar([{ name: 'a', content: randomBytes(2_000_000) }, { name: 'b' }])
    const stored = compression === 'gzip' ? gzipSync(tar, { level: 1 }) : tar
    let ended = false
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* chunked(stored, 65_536)
      } finally {
        ended = true
      }
    }
    for await (const { entry } of readLayer(source(), compression)) {
      expect(entry.path).toBe('a')
      break
    }
    await vi.waitFor(() => expect(ended).toBe(true))
  },
)

it('passes on what its source throws, after all that came before it', async () => {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield handMadeTar([{ name: 'a', content: 'x' }])
    throw new Error('the line went dead')
  }
  await expect(drain(readLayer(source(), 'none'))).rejects.toThrow('the line went dead')
})

it('is interrupted by its signal', async () => {
  const signal = AbortSignal.abort()
  const reading = drain(readLayer(chunked(handMadeTar([{ name: 'a' }])), 'none', { signal }))
  await expect(reading).rejects.toMatchObject({ code: 'OCB-INTERRUPTED' })
})

it('says OCB-ARCHIVE-DAMAGED wherever an archive is cut within an entry', async () => {
  const tar = handMadeTar(
    [
      { name: 'a', content: 'x'.repeat(700), pax: { path: 'long' } },
      { name: 'b', content: 'y'.repeat(700) },
    ],
    false,
  )
  for (let cut = 1; cut < tar.length; cut += 97) {
    if (cut === 512 * 4) continue
    await expect(entriesOf(tar.subarray(0, cut)), `cut at ${cut}`).rejects.toMatchObject({
      code: 'OCB-ARCHIVE-DAMAGED',
    })
  }
  // Between a PAX header and its entry.
  await expect(entriesOf(tar.subarray(0, 1024))).rejects.toMatchObject({ code: 'OCB-ARCHIVE-DAMAGED' })
})

it('says so too to whoever is reading the contents when they end', async () => {
  const tar = handMadeTar([{ name: 'a', content: 'x'.repeat(200_000) }]).subarray(0, 100_000)
  const seen: unknown[] = []
  const reading = (async () => {
    for await (const { content } of readLayer(chunked(tar), 'none')) {
      await drain(content).catch((error: unknown) => seen.push(error))
    }
  })()
  await expect(reading).rejects.toMatchObject({ code: 'OCB-ARCHIVE-DAMAGED' })
  expect(seen).toMatchObject([{ code: 'OCB-ARCHIVE-DAMAGED' }])
})

it('is interrupted between chunks, also while contents are read', async () => {
  const controller = new AbortController()
  const tar = handMadeTar([{ name: 'a', content: 'x'.repeat(1_000_000) }])
  const reading = (async () => {
    for await (const { content } of readLayer(chunked(tar), 'none', { signal: controller.signal })) {
      for await (const chunk of content) if (chunk.length > 0) controller.abort()
    }
  })()
  await expect(reading).rejects.toMatchObject({ code: 'OCB-INTERRUPTED' })
})

it('says OCB-COMPRESSION-DAMAGED when the gzip is cut', async () => {
  const cut = gzipSync(handMadeTar([{ name: 'a', content: 'x'.repeat(5000) }])).subarray(0, -9)
  await expect(drain(readLayer(chunked(cut), 'gzip'))).rejects.toMatchObject({
    code: 'OCB-COMPRESSION-DAMAGED',
  })
})

describeWithPeers('layers that GNU tar wrote', ['tar'], ({ tar }) => {
  const tree = join(folder, 'tree')
  mkdirSync(join(tree, 'sub', 'x'.repeat(90), 'y'.repeat(90)), { recursive: true })
  writeFileSync(join(tree, 'plain'), 'hello')
  writeFileSync(join(tree, 'sub', 'x'.repeat(90), 'y'.repeat(90), 'deep'), 'deep')
  linkSync(join(tree, 'plain'), join(tree, 'second'))
  symlinkSync('t'.repeat(50), join(tree, 'link'))

  it.each(['pax', 'gnu', 'ustar', 'v7'])('come back as they are: %s', async (format) => {
    const file = join(folder, `${format}.tar`)
    const input = format === 'v7' ? ['./plain', './second', './link'] : ['.']
    execFileSync(tar, ['-cf', file, `--format=${format}`, '--sort=name', '-C', tree, ...input])
    const entries = await entriesOf(readFileSync(file))
    const listed = execFileSync(tar, ['-tf', file], { encoding: 'utf8' }).trim().split('\n')
    expect(entries.map((entry) => entry.path)).toEqual(
      listed.map((name) => name.replace(/^\.\//, '').replace(/\/$/, '')),
    )
    expect(entries.find((entry) => entry.path === 'link')?.target).toBe('t'.repeat(50))
    expect(entries.find((entry) => entry.type === 'hardlink')?.target).toMatch(/^(?:plain|second)$/)
  })

  it('come back with names and link targets that ustar cannot hold', async () => {
    const odd = join(folder, 'odd')
    const long = 'ü'.repeat(120)
    mkdirSync(join(odd, long), { recursive: true })
    writeFileSync(join(odd, long, long), 'x')
    symlinkSync('z'.repeat(300), join(odd, 'link'))
    for (const format of ['pax', 'gnu']) {
      const file = join(folder, `odd-${format}.tar`)
      execFileSync(tar, ['-cf', file, `--format=${format}`, '--sort=name', '-C', odd, '.'])
      const entries = await entriesOf(readFileSync(file))
      expect(entries.map((entry) => entry.path)).toEqual(['', 'link', long, `${long}/${long}`])
      expect(entries[1]?.target).toBe('z'.repeat(300))
    }
  })

  it('are refused when they hold sparse files', async () => {
    const file = join(folder, 'sparse')
    writeFileSync(file, '')
    truncateSync(file, 1024 * 1024)
    for (const format of ['gnu', 'pax']) {
      execFileSync(tar, ['-cSf', `${file}.tar`, `--format=${format}`, '-C', folder, 'sparse'])
      await expect(entriesOf(readFileSync(`${file}.tar`))).rejects.toMatchObject({
        code: 'OCB-ARCHIVE-UNSUPPORTED',
      })
    }
  })

  it('give the extended attributes that --xattrs stored', async ({ skip }) => {
    const file = join(folder, 'with-xattr')
    writeFileSync(file, 'x')
    try {
      execFileSync('python3', [
        '-c',
        `import os; os.setxattr(${JSON.stringify(file)}, 'user.raw', bytes([255, 0, 10, 61]))`,
      ])
    } catch {
      skip('this file system or host keeps no user xattrs')
    }
    execFileSync(tar, ['-cf', `${file}.tar`, '--xattrs', '--format=pax', '-C', folder, 'with-xattr'])
    const [entry] = await entriesOf(readFileSync(`${file}.tar`))
    expect(entry?.xattrs).toEqual({ 'user.raw': Buffer.from([255, 0, 10, 61]).toString('base64') })
  })
})

it('writes PAX records whose own length is right', () => {
  expect(paxRecords({ path: 'abc' }).toString()).toBe('12 path=abc\n')
})
