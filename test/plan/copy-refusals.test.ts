/** What a copy refuses, naming the path. */

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { imagePath } from '../../src/plan/image-path.ts'
import { itWithPeers } from '../helpers/peers.ts'
import { copyLines, failureOf, makeFolder } from './plan-helpers.ts'

const posix = process.platform !== 'win32'

describe('nothing there', () => {
  it('says which entry of the spec matched nothing, where, and what to do', async () => {
    const root = makeFolder()
    const failure = await failureOf(copyLines(root, 'dist', '/x'))
    expect(failure.code).toBe('OCB-COPY-NO-MATCH')
    expect(failure.message).toBe(`layers[0].entries[0].copy "dist" matched no files in ${root}`)
    expect(failure.hint).toBe('run your build first, or add it to prepare')
  })

  it.each([
    { copy: 'ditS', hint: 'did you mean "dist"?' },
    { copy: 'dist/mian.js', hint: 'did you mean "dist/main.js"?' },
    { copy: 'dist/lib/x', hint: 'run your build first' },
    { copy: 'dist/main.js/x', hint: 'run your build first' },
    { copy: 'build', hint: 'run your build first' },
  ])('tells of a name much like $copy, if there is one', async ({ copy, hint }) => {
    const failure = await failureOf(copyLines(makeFolder({ 'dist/main.js': '' }), copy, '/x'))
    expect(failure.hint?.startsWith(hint)).toBe(true)
  })

  it.each([
    { what: 'a path of a list', copy: ['a', 'gone'], at: 'copy[1] "gone"' },
    { what: 'a glob', copy: '*.js', at: 'copy "*.js"' },
    { what: 'a glob below a missing folder', copy: 'gone/*.js', at: 'copy "gone/*.js"' },
    { what: 'a path below a file', copy: 'a/b', at: 'copy "a/b"' },
  ])('names $what', async ({ copy, at }) => {
    const failure = await failureOf(copyLines(makeFolder({ a: '' }), copy, '/x'))
    expect(failure.code).toBe('OCB-COPY-NO-MATCH')
    expect(failure.message).toContain(at)
  })

  it('counts a folder of which include leaves nothing, but not an empty one', async () => {
    const root = makeFolder({ 'a/b.txt': '', empty: null })
    const failure = await failureOf(copyLines(root, 'a', '/x', { include: ['*.js'] }))
    expect(failure.code).toBe('OCB-COPY-NO-MATCH')
    expect(failure.hint).toBe('correct include: nothing there matches "*.js"')
    const hidden = await failureOf(copyLines(root, 'a', '/x', { exclude: ['*.txt'], include: ['*'] }))
    expect(hidden.hint).toBe('change the pattern that hides what is there: exclude "*.txt"')
    expect(await copyLines(root, 'empty', '/x', { include: ['*.js'] })).toEqual(['/x/'])
  })
})

describe('paths out of the root', () => {
  it.each(['../b', '/etc/passwd', 'sub/../../b', '../*.txt', 'sub/*/../../../b', 'out/secret', 'out/*'])(
    'refuses %s',
    async (copy) => {
      const outside = makeFolder({ b: '', secret: '' })
      const root = makeFolder({ 'sub/x/y': '' })
      symlinkSync(outside, join(root, 'out'))
      const failure = await failureOf(copyLines(root, copy, '/x'))
      expect(failure.code).toBe('OCB-COPY-OUTSIDE-ROOT')
      expect(failure.message).toContain(copy === 'out/*' ? '"out"' : copy)
    },
  )

  it('takes an absolute path that lies in the root, and a link to outside as a link', async () => {
    const root = makeFolder({ 'a.txt': '', out: { link: '/etc' } })
    expect(await copyLines(root, join(root, 'a.txt'), '/x/')).toEqual(['/x/a.txt'])
    expect(await copyLines(root, 'out', '/x')).toEqual(['/x -> /etc'])
  })

  it('looks through a link to a folder that is written with a slash at its end', async () => {
    const root = makeFolder({ 'sub/x': '', link: { link: 'sub' }, out: { link: '/etc' } })
    expect(await copyLines(root, 'link', '/x')).toEqual(['/x -> sub'])
    expect(await copyLines(root, 'link/', '/x')).toEqual(['/x/', '/x/x'])
    expect((await failureOf(copyLines(root, 'out/', '/x'))).code).toBe('OCB-COPY-OUTSIDE-ROOT')
  })
})

describe('followed links', () => {
  it('are copied as what they point at, folders with their trees', async () => {
    const root = makeFolder({
      'real/a.txt': '',
      'real/in/b.txt': '',
      'src/dir': { link: '../real' },
      'src/file': { link: '../real/a.txt' },
      'src/chain': { link: 'file' },
    })
    expect(await copyLines(root, 'src', '/x', { follow: true })).toEqual([
      '/x/',
      '/x/chain',
      '/x/dir/',
      '/x/dir/a.txt',
      '/x/dir/in/',
      '/x/dir/in/b.txt',
      '/x/file',
    ])
    expect(await copyLines(root, 'src/**/*.txt', '/x', { follow: true })).toEqual([
      '/x/dir/a.txt',
      '/x/dir/in/b.txt',
    ])
  })

  it.each([
    ['out of the root', '/etc', 'OCB-COPY-OUTSIDE-ROOT'],
    ['to nothing', 'gone', 'OCB-COPY-LINK-BROKEN'],
    ['to themselves', 'l', 'OCB-COPY-LINK-LOOP'],
    ['to a folder that holds them', '..', 'OCB-COPY-LINK-LOOP'],
  ])('are refused %s', async (_, link, code) => {
    const root = makeFolder({ 'a/b/l': { link } })
    const failure = await failureOf(copyLines(root, 'a', '/x', { follow: true }))
    expect(failure.code).toBe(code)
    expect(failure.message).toContain('b/l')
  })

  it('may point anywhere where they are filtered out', async () => {
    const root = makeFolder({ 'a/l': { link: '/etc' }, 'a/x': '' })
    expect(await copyLines(root, 'a', '/x', { follow: true, exclude: ['l'] })).toEqual(['/x/', '/x/x'])
  })
})

describe.runIf(posix)('names and files that no image may hold', () => {
  itWithPeers('refuses a fifo', ['mkfifo'], async () => {
    const root = makeFolder({ d: null })
    execFileSync('mkfifo', [join(root, 'd/pipe')])
    for (const copy of ['d', 'd/pipe', 'd/*']) {
      const failure = await failureOf(copyLines(root, copy, '/x'))
      expect(failure.code).toBe('OCB-COPY-SPECIAL-FILE')
      expect(failure.message).toContain(`${root}/d/pipe is a fifo`)
    }
    expect(
      await copyLines(root, 'd', '/x', { exclude: ['pipe'] }).catch((e: unknown) => String(e)),
    ).toContain('matched no files')
  })

  it('refuses a socket', async () => {
    const root = makeFolder({ d: null })
    const server = createServer()
    await new Promise<void>((done) => server.listen(join(root, 'd/s'), done))
    const failure = await failureOf(copyLines(root, 'd', '/x'))
    server.close()
    expect(failure.code).toBe('OCB-COPY-SPECIAL-FILE')
    expect(failure.message).toContain('d/s is a socket')
  })

  it.each(['file', 'folder'])('refuses a %s whose name begins with .wh.', async (what) => {
    const root = makeFolder({ [what === 'file' ? 'd/.wh.x' : 'd/.wh.x/y']: '' })
    for (const copy of ['d', 'd/*', 'd/.wh.x']) {
      const failure = await failureOf(copyLines(root, copy, '/x'))
      expect(failure.code).toBe('OCB-NAME-WHITEOUT')
      expect(failure.message).toContain('d/.wh.x')
    }
  })

  it('refuses names that are not UTF-8, and takes a real replacement character', async () => {
    const root = makeFolder({ 'd/good-\ufffd': '' })
    expect(await copyLines(root, 'd', '/x')).toEqual(['/x/', '/x/good-\ufffd'])
    for (const make of [(path: Buffer) => writeFileSync(path, ''), (path: Buffer) => mkdirSync(path)]) {
      const folder = makeFolder({ d: null })
      make(Buffer.from(`${folder}/d/b\xe4d`, 'latin1'))
      const failure = await failureOf(copyLines(folder, 'd', '/x'))
      expect(failure.code).toBe('OCB-NAME-NOT-UTF8')
      expect(failure.message).toContain('d/b\\xe4d')
    }
  })

  it('refuses a link whose target is not UTF-8', async () => {
    const root = makeFolder({ d: null })
    symlinkSync(Buffer.from('t\xe4', 'latin1'), join(root, 'd/l'))
    const failure = await failureOf(copyLines(root, 'd', '/x'))
    expect(failure.code).toBe('OCB-NAME-NOT-UTF8')
  })

  it.skipIf(process.getuid?.() === 0)('names a folder that cannot be read (root can read all)', async () => {
    const root = makeFolder({ 'd/closed/x': '' })
    chmodSync(join(root, 'd/closed'), 0)
    const failure = await failureOf(copyLines(root, 'd', '/x'))
    chmodSync(join(root, 'd/closed'), 0o755)
    expect(failure.code).toBe('OCB-COPY-UNREADABLE')
    expect(failure.message).toContain('d/closed')
  })
})

describe('image paths', () => {
  it.each([
    ['/', '/'],
    ['/a/', '/a'],
    ['//a/./b//', '/a/b'],
    ['/a/..b/c..', '/a/..b/c..'],
  ])('%s is %s', (text, wanted) => {
    expect(imagePath(text, 'to')).toBe(wanted)
  })

  it.each([
    ['a/b', 'OCB-SPEC-IMAGE-PATH'],
    ['', 'OCB-SPEC-IMAGE-PATH'],
    ['/a/../b', 'OCB-SPEC-IMAGE-PATH'],
    ['/a\0b', 'OCB-SPEC-IMAGE-PATH'],
    ['/a\ud800', 'OCB-SPEC-IMAGE-PATH'],
    ['/a/.wh.b/c', 'OCB-NAME-WHITEOUT'],
    ['/.wh..wh..opq', 'OCB-NAME-WHITEOUT'],
  ])('%j is refused', async (text, code) => {
    const failure = await failureOf((async () => imagePath(text, 'layers[0].to'))())
    expect(failure.code).toBe(code)
    expect(failure.message).toContain('layers[0].to')
  })
})
