import { execFileSync } from 'node:child_process'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sha256 } from '../../src/content/hash.ts'
import type { FileSource } from '../../src/rootfs/file-source.ts'
import {
  readArchiveFile,
  type ArchiveMember,
  type ReadArchiveOptions,
} from '../../src/rootfs/unpack-archive.ts'
import { handMadeTar, type HandMadeEntry } from '../helpers/hand-made-tar.ts'
import { describeWithPeers } from '../helpers/peers.ts'

const folder = mkdtempSync(join(tmpdir(), 'ocibuild-archive-'))
const spoolDir = join(folder, 'spool')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
async function members(
  entries: readonly HandMadeEntry[],
  options: Partial<ReadArchiveOptions> = {},
): Promise<readonly ArchiveMember[]> {
  count += 1
  const file = join(folder, `made-${count}.tar.gz`)
  writeFileSync(file, gzipSync(handMadeTar(entries)))
  return readArchiveFile(file, { spoolDir, ...options })
}

function bytesOf(source: FileSource | undefined): string {
  if (!source) return '(none)'
  return source.kind === 'bytes' ? Buffer.from(source.bytes).toString() : readFileSync(source.path, 'utf8')
}

function view(list: readonly ArchiveMember[]): string[] {
  return list.map((one) => {
    if (one.type === 'file') return `file ${one.path} ${bytesOf(one.source)}`
    return one.target === undefined ? `${one.type} ${one.path}` : `${one.type} ${one.path} ${one.target}`
  })
}

const sample: readonly HandMadeEntry[] = [
  { name: './', flag: '5' },
  { name: 'top/', flag: '5' },
  { name: 'top/bin/', flag: '5', mode: 0o750 },
  { name: 'top/bin/a', content: 'A', mode: 0o4755, uid: 7 },
  { name: 'top/bin/b', flag: '1', link: 'top/bin/a' },
  { name: 'top/bin/c', flag: '2', link: '../lib/c' },
  { name: 'top/lib/.hidden/x', content: 'X' },
  { name: 'README', content: 'R' },
]

it('gives each member with what the archive says of it', async () => {
  const list = await members(sample)
  expect(view(list)).toEqual([
    'directory top',
    'directory top/bin',
    'file top/bin/a A',
    'hardlink top/bin/b top/bin/a',
    'symlink top/bin/c ../lib/c',
    'file top/lib/.hidden/x X',
    'file README R',
  ])
  expect(list[2]).toMatchObject({ mode: 0o4755, uid: 7, gid: 0, mtime: 1_000_000 })
})

it('takes leading components off, of hard links’ targets too', async () => {
  expect(view(await members(sample, { strip: 1 }))).toEqual([
    'directory bin',
    'file bin/a A',
    'hardlink bin/b bin/a',
    'symlink bin/c ../lib/c',
    'file lib/.hidden/x X',
  ])
  expect(await members(sample, { strip: 9 })).toEqual([])
})

it('includes and excludes by globs that match dot files and whole trees', async () => {
  const paths = async (options: Partial<ReadArchiveOptions>): Promise<string[]> =>
    (await members(sample, options)).map((one) => one.path)
  expect(await paths({ include: ['top/lib'] })).toEqual(['top/lib/.hidden/x'])
  expect(await paths({ include: ['**/x', './README'] })).toEqual(['top/lib/.hidden/x', 'README'])
  expect(await paths({ exclude: ['top/'] })).toEqual(['README'])
  expect(await paths({ include: ['top/**'], exclude: ['**/bin'] })).toEqual(['top', 'top/lib/.hidden/x'])
  expect(await paths({ include: ['readme'] })).toEqual([])
})

it('gives a hard link its bytes when the file itself is left out', async () => {
  expect(view(await members(sample, { include: ['top/bin/b'] }))).toEqual(['file top/bin/b A'])
  const chain = [...sample, { name: 'again', flag: '1', link: 'top/bin/b' }]
  expect(view(await members(chain, { include: ['again'] }))).toEqual(['file again A'])
})

it('lets the last of a name win, while hard links keep what they were made from', async () => {
  const list = await members([
    { name: 'a', content: 'old' },
    { name: 'b', flag: '1', link: 'a' },
    { name: 'a', content: 'new' },
    { name: 'd/', flag: '5' },
    { name: 'd', flag: '2', link: 'a' },
  ])
  expect(view(list)).toEqual(['file b old', 'file a new', 'symlink d a'])
})

it('keeps small files in memory and spools large ones under numbers, hashed', async () => {
  const large = 'x'.repeat(70_000)
  const list = await members([
    { name: 'small', content: 'y'.repeat(65_536) },
    { name: 'etc/large', content: large },
  ])
  expect(list.map((one) => one.source?.kind)).toEqual(['bytes', 'host'])
  const source = list[1]?.source
  if (source?.kind !== 'host') throw new Error('not spooled')
  expect(source).toMatchObject({ size: 70_000, digest: sha256(large), temporary: true })
  expect(readFileSync(source.path, 'utf8')).toBe(large)
  expect(source.path).toMatch(/\/1$/)
  expect(readdirSync(spoolDir).length).toBeGreaterThan(0)
})

const refused: readonly (readonly [string, string, readonly HandMadeEntry[]])[] = [
  ['an absolute name', '/etc/passwd', [{ name: '/etc/passwd' }]],
  ['a name that climbs', 'a/../../b', [{ name: 'a/../../b' }]],
  ['a name that is not UTF-8', 'caf', [{ name: Buffer.from([0x63, 0x61, 0x66, 0xe9]) }]],
  [
    'a name that is not UTF-8 by PAX',
    'caf',
    [{ name: 'x', pax: { path: Buffer.from([0x63, 0x61, 0x66, 0xe9]) } }],
  ],
  ['a symlink that climbs', 'd/evil', [{ name: 'd/evil', flag: '2', link: '../../etc' }]],
  ['a symlink that climbs on its way', 'evil', [{ name: 'evil', flag: '2', link: 'a/../../b' }]],
  ['an absolute hard link', 'passwd', [{ name: 'evil', flag: '1', link: '/etc/passwd' }]],
  ['a hard link that climbs', '../x', [{ name: 'evil', flag: '1', link: '../x' }]],
  ['a hard link to nothing', 'evil', [{ name: 'evil', flag: '1', link: 'nothing' }]],
  [
    'a hard link to a directory',
    'evil',
    [
      { name: 'd/', flag: '5' },
      { name: 'evil', flag: '1', link: 'd' },
    ],
  ],
  [
    'an entry below a symlink',
    'l/x',
    [
      { name: 'l', flag: '2', link: '/etc' },
      { name: 'l/x', content: 'evil' },
    ],
  ],
  [
    'an entry below a symlink that comes later',
    'l/x',
    [{ name: 'l/x' }, { name: 'l', flag: '2', link: 'm' }],
  ],
  ['an entry below a file', 'f/x', [{ name: 'f' }, { name: 'f/x' }]],
  ['a character device', 'null', [{ name: 'null', flag: '3' }]],
  ['a block device', 'sda', [{ name: 'sda', flag: '4' }]],
  ['a fifo', 'pipe', [{ name: 'pipe', flag: '6' }]],
]

it.each(refused)('refuses %s and names it', async (_title, name, entries) => {
  const error: unknown = await members(entries).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'OCB-ARCHIVE-UNSAFE' })
  expect(String(error)).toContain(name)
})

it('refuses a symlink that leads out only after components were taken off', async () => {
  const entries = [{ name: 'top/evil', flag: '2', link: '../top/x' }]
  expect(view(await members(entries))).toEqual(['symlink top/evil ../top/x'])
  await expect(members(entries, { strip: 1 })).rejects.toMatchObject({ code: 'OCB-ARCHIVE-UNSAFE' })
})

it('passes over devices that are excluded, and keeps absolute symlinks', async () => {
  const entries = [
    { name: 'dev/null', flag: '3' },
    { name: 'bin/sh', flag: '2', link: '/bin/busybox' },
  ]
  expect(view(await members(entries, { exclude: ['dev'] }))).toEqual(['symlink bin/sh /bin/busybox'])
})

it('says what is wrong with a file that is no archive it reads', async () => {
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['zip', Buffer.from('504b030414000000', 'hex'), 'OCB-ARCHIVE-UNSUPPORTED'],
    ['xz', Buffer.from('fd377a585a000000', 'hex'), 'OCB-ARCHIVE-UNSUPPORTED'],
    ['text', Buffer.alloc(600, 'hello'), 'OCB-ARCHIVE-DAMAGED'],
    ['empty', Buffer.alloc(0), 'OCB-ARCHIVE-DAMAGED'],
    ['cut', gzipSync(handMadeTar(sample)).subarray(0, 150), 'OCB-COMPRESSION-DAMAGED'],
    ['cut-tar', handMadeTar(sample).subarray(0, 700), 'OCB-ARCHIVE-DAMAGED'],
  ]
  for (const [name, bytes, code] of cases) {
    const file = join(folder, name)
    writeFileSync(file, bytes)
    await expect(readArchiveFile(file, { spoolDir }), name).rejects.toMatchObject({ code })
  }
  for (const path of [join(folder, 'missing'), folder]) {
    await expect(readArchiveFile(path, { spoolDir })).rejects.toMatchObject({
      code: 'OCB-ARCHIVE-UNREADABLE',
    })
  }
})

describeWithPeers('archives of GNU tar', ['tar', 'gzip', 'zstd'], ({ tar }) => {
  const tree = join(folder, 'tree')
  beforeAll(() => {
    mkdirSync(join(tree, 'sub', 'n'.repeat(150)), { recursive: true })
    writeFileSync(join(tree, 'sub', 'big'), Buffer.alloc(200_000, 'big'))
    linkSync(join(tree, 'sub', 'big'), join(tree, 'sub', 'second'))
    writeFileSync(join(tree, 'sub', 'n'.repeat(150), 'ü'), 'small')
    symlinkSync('sub/big', join(tree, 'link'))
  })

  it.each([
    ['pax', []],
    ['gnu', ['-z']],
    ['pax', ['--zstd']],
  ])('come back whole: %s %s', async (format, compress) => {
    const file = join(folder, `whole-${format}${compress.join('')}`)
    execFileSync(tar, ['-cf', file, `--format=${format}`, '--sort=name', ...compress, '-C', tree, '.'])
    const list = await readArchiveFile(file, { spoolDir })
    expect(list.map((one) => `${one.type} ${one.path} ${one.target ?? ''}`)).toEqual([
      'symlink link sub/big',
      'directory sub ',
      'file sub/big ',
      `directory sub/${'n'.repeat(150)} `,
      `file sub/${'n'.repeat(150)}/ü `,
      'hardlink sub/second sub/big',
    ])
    expect(bytesOf(list[2]?.source)).toBe('big'.repeat(66_666) + 'bi')
    expect(bytesOf(list[4]?.source)).toBe('small')
  })
})
