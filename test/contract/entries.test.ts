/** What the contract promises of entries (section 1), kept by the whole pipeline, as GNU tar sees it. */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { describeWithPeers } from '../helpers/peers.ts'
import { serve } from '../registry/loopback.ts'
import { openDesk, type Words } from './contract-kit.ts'

const tree = {
  'src/a.js': 'a',
  'src/a.js.map': 'm',
  'src/lib/b.js': 'b',
  'src/lib/link': { link: '../a.js' },
  'src/.dot': 'd',
  'src/empty': null,
}

describeWithPeers('a copy', ['tar'], () => {
  it.each<readonly [Words, readonly string[]]>([
    [{ copy: 'src/a.js', to: '/x' }, ['x']],
    [{ copy: 'src/a.js', to: '/x/' }, ['x/', 'x/a.js']],
    [{ copy: 'src/lib', to: '/x' }, ['x/', 'x/b.js', 'x/link -> ../a.js']],
    [{ copy: ['src/lib/b.js'], to: '/x' }, ['x/', 'x/src/', 'x/src/lib/', 'x/src/lib/b.js']],
    [{ copy: ['lib/b.js'], root: 'src', to: '/x' }, ['x/', 'x/lib/', 'x/lib/b.js']],
    [{ copy: 'src/**/*.js', to: '/x' }, ['x/', 'x/a.js', 'x/lib/', 'x/lib/b.js']],
    [{ copy: 'src/{.dot,empty}', to: '/x' }, ['x/', 'x/.dot', 'x/empty/']],
    [
      { copy: 'src', to: '/x', include: ['lib', '.dot'], exclude: ['**/link'] },
      ['x/', 'x/.dot', 'x/lib/', 'x/lib/b.js'],
    ],
    [{ copy: 'src/lib', to: '/x', follow: true }, ['x/', 'x/b.js', 'x/link']],
  ])('%j lands as the contract says', async (entry, names) => {
    expect((await openDesk(tree).build({ layers: [entry] })).names()).toEqual(names)
  })

  it('hides what .ociignore says from folders and globs, and nothing that is named outright', async () => {
    const files = {
      '.ociignore': 'src/lib\n**/*.map\n',
      '.dockerignore': 'src\n',
      '.gitignore': '*\n',
      ...tree,
    }
    const desk = openDesk(files)
    const hidden = ['x/', 'x/.dot', 'x/a.js', 'x/empty/']
    expect((await desk.build({ layers: [{ copy: 'src', to: '/x' }] })).names()).toEqual(hidden)
    expect((await desk.build({ layers: [{ copy: 'src/*', to: '/x' }] })).names()).toEqual(hidden)
    const named = [
      { copy: 'src/lib', to: '/x' },
      { copy: 'src/a.js.map', to: '/x/' },
    ]
    expect((await desk.build({ layers: [{ entries: named }] })).names()).toContain('x/a.js.map')
    const { images } = await desk.plan({ layers: [{ copy: 'src', to: '/x' }] })
    expect(images[0]?.platforms[0]?.layers[0]?.hidden.map(({ rule }) => rule).toSorted()).toEqual([
      '.ociignore:1 "src/lib"',
      '.ociignore:2 "**/*.map"',
    ])
  })

  it('reads .dockerignore for the root alone, and takes neither git, outputs nor cache', async () => {
    const desk = openDesk({ '.dockerignore': 'src/lib\n.dockerignore\n', '.git/HEAD': '', ...tree })
    const spec = { outputs: ['oci:.ocibuild/image', 'oci:src/out'] }
    await desk.build({ ...spec, layers: [{ copy: '.', to: '/x' }] })
    const names = (await desk.build({ ...spec, layers: [{ copy: '.', to: '/' }] })).names()
    expect(names).toEqual(['src/', 'src/.dot', 'src/a.js', 'src/a.js.map', 'src/empty/'])
    const folder = (await desk.build({ ...spec, layers: [{ copy: 'src', to: '/' }] })).names()
    expect(folder).toContain('lib/b.js')
    expect(folder).not.toContain('out/')
  })

  it('normalises modes, or keeps the host’s', async () => {
    const desk = openDesk({ 'd/tool': { text: '', mode: 0o4711 }, 'd/secret': { text: '', mode: 0o600 } })
    chmodSync(join(desk.folder, 'd'), 0o700)
    const entry = { copy: 'd', to: '/d' }
    const lines = async (rest: Words): Promise<readonly string[]> =>
      (await desk.build({ layers: [{ ...entry, ...rest }] })).lines()
    expect(await lines({})).toEqual(['drwxr-xr-x 0:0 d/', '-rw-r--r-- 0:0 d/secret', '-rwxr-xr-x 0:0 d/tool'])
    expect(await lines({ mode: 'preserve' })).toEqual([
      'drwx------ 0:0 d/',
      '-rw------- 0:0 d/secret',
      '-rws--x--x 0:0 d/tool',
    ])
    expect(await lines({ mode: '0640', dirMode: '2750', owner: 7 })).toEqual([
      'drwxr-s--- 7:7 d/',
      '-rw-r----- 7:7 d/secret',
      '-rw-r----- 7:7 d/tool',
    ])
  })

  it('gives a regular file the second of its content, and everything else 1970', async () => {
    const desk = openDesk({ 'd/f': 'content', 'd/l': { link: 'f' } })
    utimesSync(join(desk.folder, 'd/f'), 1e9, 1e9 + 0.5)
    const mtimes = async (mtime?: string | number): Promise<readonly number[]> =>
      (await desk.build({ layers: [{ copy: 'd', to: '/d', mtime }] })).layer(0).map((entry) => entry.mtime)
    const hash = createHash('sha256').update('content').digest('hex')
    const second = Number(315_532_800n + (BigInt(`0x${hash.slice(0, 12)}`) % 946_771_200n))
    expect(await mtimes()).toEqual([0, second, 0])
    expect(await mtimes('epoch')).toEqual([0, 0, 0])
    expect((await mtimes('preserve'))[1]).toBe(1e9)
    expect(await mtimes('2001-02-03T04:05:06+01:00')).toEqual([981_169_506, 981_169_506, 981_169_506])
    expect((await mtimes(99))[1]).toBe(99)
  })

  it('makes hard links files of their own, unless they are to be kept', async () => {
    const desk = openDesk({ 'd/one': 'x' })
    linkSync(join(desk.folder, 'd/one'), join(desk.folder, 'd/two'))
    const copy = { copy: 'd', to: '/d' }
    expect((await desk.build({ layers: [copy] })).names()).toEqual(['d/', 'd/one', 'd/two'])
    const kept = await desk.build({ layers: [{ ...copy, hardLinks: 'preserve' }] })
    expect(kept.names()).toEqual(['d/', 'd/one', 'd/two => d/one'])
  })

  it('refuses what an image cannot hold, by its path', async () => {
    const desk = openDesk({ 'white/.wh.x': '', 'bytes/x': '', 'pipe/x': '', 'out/link': { link: '/etc' } })
    writeFileSync(Buffer.concat([Buffer.from(`${desk.folder}/bytes/`), Buffer.from([0xff])]), '')
    // A fifo needs a tool to make; a socket only somebody who listens.
    const server = createServer()
    onTestFinished(() => void server.close())
    await new Promise<void>((done) => server.listen(join(desk.folder, 'pipe/socket'), done))
    for (const [copy, code, path] of [
      ['white', 'OCB-NAME-WHITEOUT', 'white/.wh.x'],
      ['bytes', 'OCB-NAME-NOT-UTF8', 'bytes/\\xff'],
      ['pipe', 'OCB-COPY-SPECIAL-FILE', 'pipe/socket'],
      ['out', 'OCB-COPY-OUTSIDE-ROOT', 'out/link'],
    ] as const) {
      const failure = await desk.failure({ layers: [{ copy, to: '/', follow: copy === 'out' }] })
      expect(failure.code).toBe(code)
      expect(failure.message).toContain(path)
    }
  })
})

describeWithPeers('entries of other verbs', ['tar', 'gzip', 'zstd'], ({ tar, zstd }) => {
  it('write what the spec says', async () => {
    const entries = [
      { file: '/etc/b64', content: 'aGk=', encoding: 'base64', mode: '4755', owner: '10:20' },
      { directory: '/etc/empty', mode: '1777', owner: 5 },
      { symlink: '/etc/link', target: '../x', owner: '3:4' },
      { hardlink: '/etc/a', target: '/etc/b64' },
      { file: '/etc/b64', content: 'replaced' },
    ]
    expect((await openDesk().build({ layers: [{ entries }] })).lines()).toEqual([
      'drwxr-xr-x 0:0 etc/',
      '-rw-r--r-- 0:0 etc/a',
      'hrw-r--r-- 0:0 etc/b64 => etc/a',
      'drwxrwxrwt 5:5 etc/empty/',
      'lrwxrwxrwx 3:4 etc/link -> ../x',
    ])
  })

  it('unpack an archive to one layer, however it is compressed, from disk or from a server', async () => {
    const desk = openDesk({
      'top/bin/run': { text: 'run', mode: 0o711 },
      'top/lib/x': 'x',
      'top/l': { link: 'lib/x' },
    })
    const at = (name: string): string => join(desk.folder, name)
    linkSync(at('top/lib/x'), at('top/twin'))
    execFileSync(tar, ['--owner=9', '--group=9', '-cf', at('a.tar'), '-C', desk.folder, 'top'])
    execFileSync(tar, ['-czf', at('a.tgz'), '-C', desk.folder, './top'])
    execFileSync(tar, ['--format=pax', '-cf', at('b.tar'), '-C', at('top'), '.'])
    execFileSync(zstd, ['-q', at('a.tar'), '-o', at('a.tzst')])
    const bytes = readFileSync(at('a.tgz'))
    const { origin } = await serve((_, response) => response.end(bytes))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const entries: readonly Words[] = [
      ...['a.tar', 'a.tgz', 'a.tzst'].map((archive) => ({ archive, to: '/opt', strip: 1 })),
      { archive: 'b.tar', to: '/opt' },
      { download: `${origin}/a.tgz`, sha256, to: '/opt', extract: true, strip: 1 },
    ]
    for (const entry of entries) {
      expect((await desk.build({ layers: [entry] })).lines()).toEqual([
        'drwxr-xr-x 0:0 opt/',
        'drwxr-xr-x 0:0 opt/bin/',
        '-rwxr-xr-x 0:0 opt/bin/run',
        'lrwxrwxrwx 0:0 opt/l -> lib/x',
        'drwxr-xr-x 0:0 opt/lib/',
        '-rw-r--r-- 0:0 opt/lib/x',
        'hrw-r--r-- 0:0 opt/twin => opt/lib/x',
      ])
    }
    const wrong = { download: `${origin}/other`, sha256: '0'.repeat(64), to: '/x' }
    const failure = await desk.failure({ layers: [wrong] })
    expect(failure.code).toBe('OCB-DOWNLOAD-CHECKSUM')
    expect(failure.message).toContain(sha256)
  })

  it('are only for their platforms, as layers are', async () => {
    const layers = [
      {
        name: 'all',
        entries: [
          { file: '/arm', content: '', platforms: ['linux/arm64'] },
          { file: '/all', content: '' },
        ],
      },
      { file: '/v7', content: '', platforms: ['linux/arm/v7'] },
    ]
    const image = await openDesk().build({
      layers,
      platforms: ['linux/amd64', 'linux/arm64', 'linux/arm/v7'],
    })
    expect(image.names('linux/amd64')).toEqual(['all'])
    expect(image.names('linux/arm64')).toEqual(['all', 'arm'])
    expect(image.names('linux/arm')).toEqual(['all', 'v7'])
    expect(image.config('linux/arm').variant).toBe('v7')
  })

  it('may be left out by conditions, and a layer without entries is dropped with a warning', async () => {
    const desk = openDesk()
    const layers = [
      undefined,
      null,
      false,
      '',
      { name: 'none', entries: [false] },
      { file: '/x', content: '' },
    ]
    const image = await desk.build({ layers })
    expect(image.names()).toEqual(['x'])
    expect(image.result.warnings.map(({ code }) => code)).toEqual(['OCB-LAYER-EMPTY'])
    expect((await desk.failure({ layers: [{ name: 'none', entries: [] }] })).code).toBe('OCB-IMAGE-EMPTY')
  })

  it('may go into a folder that the host lets nobody else read', async () => {
    const desk = openDesk()
    mkdirSync(join(desk.folder, 'private'), { mode: 0o700 })
    writeFileSync(join(desk.folder, 'private/x'), 'x', { mode: 0o400 })
    expect((await desk.build({ layers: [{ copy: 'private', to: '/p' }] })).lines()).toEqual([
      'drwxr-xr-x 0:0 p/',
      '-rw-r--r-- 0:0 p/x',
    ])
  })
})
