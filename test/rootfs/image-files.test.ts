import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { selectImageFiles, type ImageMember } from '../../src/rootfs/image-files.ts'
import { openRootfs } from '../../src/rootfs/open-rootfs.ts'
import { readImageFile, readImageFiles, readImageUsers } from '../../src/rootfs/read-image-file.ts'
import { handMadeTar } from '../helpers/hand-made-tar.ts'
import { layerStore, type LayerStore } from '../helpers/layer-store.ts'

const tars = [
  handMadeTar([
    { name: 'etc/', flag: '5' },
    { name: 'etc/passwd', content: 'root:x:0:0:' },
    { name: 'etc/group', content: 'root:x:0:' },
    { name: 'usr/bin/', flag: '5' },
    { name: 'usr/bin/tool', content: 'tool', mode: 0o755 },
    { name: 'usr/bin/alias', flag: '1', link: 'usr/bin/tool' },
    { name: 'usr/bin/alias2', flag: '1', link: 'usr/bin/alias' },
    { name: 'bin', flag: '2', link: 'usr/bin' },
    { name: 'app/', flag: '5', mode: 0o750 },
    { name: 'app/old.js', content: 'old' },
    { name: 'app/gone.js', content: 'gone' },
    { name: 'app/[id].js', content: 'odd' },
  ]),
  handMadeTar([
    { name: 'usr/bin/tool', content: 'newer tool' },
    { name: 'app/.wh.gone.js' },
    { name: 'app/lib/', flag: '5' },
    { name: 'app/lib/a.js', content: 'a first' },
    { name: 'app/lib/a.js', content: 'a' },
    { name: 'app/lib/.dot', content: 'dot' },
    { name: 'app/lib/big.bin', content: 'b'.repeat(100_000) },
    { name: 'app/lib/empty/', flag: '5' },
    { name: 'app/main', flag: '2', link: 'lib/a.js' },
    { name: 'dev/null', flag: '3' },
    { name: 'up', flag: '1', link: 'etc/passwd' },
    { name: 'broken', flag: '1', link: 'nowhere' },
  ]),
]

let folder = ''
let made: LayerStore
let source: Awaited<ReturnType<typeof openRootfs>>
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ocibuild-image-files-'))
  made = layerStore(tars)
  source = await openRootfs(made.store, made.layers)
  made.fetched.length = 0
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function text(path: string): Promise<string> {
  return Buffer.from(await readImageFile(source, path, { maxBytes: 200_000 })).toString()
}

async function select(patterns: string[], include?: string[], exclude?: string[]): Promise<string[]> {
  const list = await selectImageFiles(source, patterns, { spoolDir: folder, include, exclude })
  return list.map((one) => `${one.found} ${one.path} ${contentOf(one)}`)
}

function contentOf({ type, target, source: bytes }: ImageMember): string {
  if (!bytes) return target ?? type
  const all = bytes.kind === 'bytes' ? Buffer.from(bytes.bytes) : readFileSync(bytes.path)
  return all.length > 100 ? `${all.length} bytes` : all.toString()
}

it('reads files from the layer that holds them', async () => {
  expect(await text('/etc/passwd')).toBe('root:x:0:0:')
  expect(await text('usr/bin/tool')).toBe('newer tool')
  expect(await text('/app/lib/a.js')).toBe('a')
})

it('follows symlinks, and hard links to what they were made from', async () => {
  expect(await text('/bin/tool')).toBe('newer tool')
  expect(await text('/app/main')).toBe('a')
  expect(await text('/bin/alias')).toBe('tool')
  expect(await text('/bin/alias2')).toBe('tool')
  expect(await text('/up')).toBe('root:x:0:0:')
})

it('says what is there in place of a file', async () => {
  const code = 'OCB-IMAGE-FILE-NOT-FOUND'
  await expect(text('/nope')).rejects.toMatchObject({
    code,
    message: expect.stringContaining('no layer has it'),
  })
  await expect(text('/app')).rejects.toMatchObject({ code, message: expect.stringContaining('a directory') })
  await expect(text('/app/gone.js')).rejects.toMatchObject({ code })
  await expect(text('/broken')).rejects.toMatchObject({ code })
})

it('reads no more than it may', async () => {
  const reading = readImageFile(source, '/app/lib/big.bin', { maxBytes: 99_999 })
  await expect(reading).rejects.toMatchObject({ code: 'OCB-IMAGE-FILE-TOO-LARGE' })
})

it('reads users and groups in one pass, and from the cache after that', async () => {
  const wanted = { passwd: 'root:x:0:0:', group: 'root:x:0:' }
  expect(await readImageUsers(source, { cacheDir: folder })).toEqual(wanted)
  expect(made.fetched).toHaveLength(1)
  expect(await readImageUsers(source, { cacheDir: folder })).toEqual(wanted)
  expect(made.fetched).toHaveLength(1)
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'damaged\nroot')
  expect(await readImageUsers(source, { cacheDir: folder })).toEqual(wanted)
  expect(made.fetched).toHaveLength(2)
  const scratch = await openRootfs(made.store, [])
  expect(await readImageUsers(scratch)).toEqual({ passwd: undefined, group: undefined })
})

it('reads several files with one look at each layer', async () => {
  const paths = ['/etc/passwd', '/app/lib/a.js', '/nope', '/usr/bin/tool', '/etc/passwd']
  const list = await readImageFiles(source, paths, { maxBytes: 1000 })
  expect(list.map((bytes) => bytes && Buffer.from(bytes).toString())).toEqual([
    'root:x:0:0:',
    'a',
    undefined,
    'newer tool',
    'root:x:0:0:',
  ])
  expect(made.fetched).toHaveLength(2)
})

it('selects a folder’s contents as the layers leave them', async () => {
  expect(await select(['/app'])).toEqual([
    'folder  directory',
    'folder [id].js odd',
    'folder lib directory',
    'folder lib/.dot dot',
    'folder lib/a.js a',
    'folder lib/big.bin 100000 bytes',
    'folder lib/empty directory',
    'folder main lib/a.js',
    'folder old.js old',
  ])
  expect(made.fetched).toHaveLength(2)
})

it('selects files, links and globs, each with where it lands', async () => {
  expect(await select(['/bin/alias', '/app/main', '/bin'])).toEqual([
    'file alias tool',
    'file main lib/a.js',
    'file bin usr/bin',
  ])
  expect(await select(['/bin/'])).toEqual([
    'folder  directory',
    'folder alias tool',
    'folder alias2 tool',
    'folder tool newer tool',
  ])
  expect(await select(['/app/**/*.js'])).toEqual(['glob [id].js odd', 'glob lib/a.js a', 'glob old.js old'])
  expect(await select(['/*/li?'], ['**/*.js'])).toEqual(['glob app/lib/a.js a'])
  expect(await select(['/app/[id].js'])).toEqual(['file [id].js odd'])
})

it('includes and excludes below a folder, and keeps the directories on the way', async () => {
  expect(await select(['/app'], ['**/a.js'])).toEqual([
    'folder  directory',
    'folder lib directory',
    'folder lib/a.js a',
  ])
  expect(await select(['/app'], undefined, ['lib', '*.js'])).toEqual([
    'folder  directory',
    'folder main lib/a.js',
  ])
})

it('gives the names that a pattern went by, with modes and owners', async () => {
  const list = await selectImageFiles(source, ['/bin/', '/bin/too*'], { spoolDir: folder })
  expect(list.map((one) => one.imagePath)).toEqual([
    '/bin',
    '/bin/alias',
    '/bin/alias2',
    '/bin/tool',
    '/bin/tool',
  ])
  const [app] = await selectImageFiles(source, ['/app'], { spoolDir: folder })
  expect(app).toMatchObject({ path: '', mode: 0o750, type: 'directory', pattern: '/app' })
})

it('finds nothing where there is nothing, without a look at any layer', async () => {
  expect(await select(['/nope', '/app/*.ts', '/etc/passwd/', '/app/gone.js'])).toEqual([])
  expect(await select(['/app'], ['*.ts'])).toEqual([])
  expect(made.fetched).toEqual([])
})

it('refuses devices and hard links to nothing, naming them', async () => {
  for (const path of ['/dev', '/dev/null', '/broken']) {
    await expect(select([path])).rejects.toMatchObject({ code: 'OCB-IMAGE-FILE-REFUSED' })
  }
})
