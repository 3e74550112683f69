/** What the contract promises of parents, whiteouts, owners and bases (sections 1 and 2), kept by the whole pipeline. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeWithPeers } from '../helpers/peers.ts'
import { openDesk, type Desk, type Image, type Words } from './contract-kit.ts'

const users = {
  passwd: 'root:x:0:0::/:\nnode:x:1000:1001::/:\n',
  group: 'root:x:0:\nstaff:x:50:\n',
}

const base = {
  name: 'base',
  layers: [
    {
      entries: [
        { directory: '/opt/app', mode: '2775', owner: '3000000:50' },
        { file: '/opt/app/old', content: 'old\n' },
        { file: '/usr/bin/sh', content: 'sh' },
        { symlink: '/bin', target: 'usr/bin' },
        { symlink: '/var/run', target: '/run' },
        { directory: '/tmp', mode: '1777' },
        { file: '/etc/passwd', content: users.passwd },
        { file: '/etc/group', content: users.group },
      ],
    },
  ],
  config: { entrypoint: ['/ep'], cmd: ['c'], env: { A: '1', B: '2' }, labels: { a: 'b' } },
  metadata: 'none',
}

async function deskWithBase(): Promise<Desk> {
  const desk = openDesk()
  await desk.build({ ...base, outputs: ['oci:base', 'oci-archive:base.tar', 'docker-archive:base.docker'] })
  return desk
}

/** What a layer of these entries holds on the base; the base's own layer is left out. */
async function above(desk: Desk, entries: readonly Words[], from = 'oci:base'): Promise<readonly string[]> {
  const image = await desk.build({ base: from, layers: [{ name: 'top', entries }] })
  return linesOf(image, 1)
}

function linesOf(image: Image, position: number): readonly string[] {
  return image
    .layer(position)
    .map(({ mode, uid, gid, name, size }) => `${mode} ${uid}:${gid} ${size} ${name}`)
}

describeWithPeers('above a base', ['tar'], () => {
  it('parents are as the base has them, and paths go through its links', async () => {
    const entries = ['/opt/app/x', '/bin/y', '/var/run/z', '/tmp/t', '/new/n'].map((file) => ({
      file,
      content: '',
    }))
    expect(await above(await deskWithBase(), entries)).toEqual([
      'drwxr-xr-x 0:0 0 new/',
      '-rw-r--r-- 0:0 0 new/n',
      'drwxr-xr-x 0:0 0 opt/',
      'drwxrwsr-x 3000000:50 0 opt/app/',
      '-rw-r--r-- 0:0 0 opt/app/x',
      'drwxr-xr-x 0:0 0 run/',
      '-rw-r--r-- 0:0 0 run/z',
      'drwxrwxrwt 0:0 0 tmp/',
      '-rw-r--r-- 0:0 0 tmp/t',
      'drwxr-xr-x 0:0 0 usr/',
      'drwxr-xr-x 0:0 0 usr/bin/',
      '-rw-r--r-- 0:0 0 usr/bin/y',
    ])
  })

  it('a directory of the spec is where the spec says, whatever other entries stand beside it', async () => {
    const desk = await deskWithBase()
    const entries = [
      { directory: '/bin', mode: '0700' },
      { file: '/bin/x', content: '' },
    ]
    const alone = await above(desk, entries)
    expect(alone).toEqual(['drwx------ 0:0 0 bin/', '-rw-r--r-- 0:0 0 bin/x'])
    // What makes the build look at the base may refuse it; it may not move it to usr/bin.
    const failure = await desk.failure({
      base: 'oci:base',
      layers: [{ entries: [...entries, { file: '/opt/q', content: '' }] }],
    })
    expect(failure.message).toContain(
      'puts a directory at /bin, where a lower layer has a symlink to /usr/bin',
    )
  })

  it('owners are found by name in the image', async () => {
    const desk = await deskWithBase()
    const owned = (file: string, owner: string): Words => ({ file, content: '', owner })
    const entries = [
      owned('/a', 'node'),
      owned('/b', 'node:staff'),
      owned('/c', '7:staff'),
      owned('/d', 'root:9'),
    ]
    expect(await above(desk, entries)).toEqual([
      '-rw-r--r-- 1000:1001 0 a',
      '-rw-r--r-- 1000:50 0 b',
      '-rw-r--r-- 7:50 0 c',
      '-rw-r--r-- 0:9 0 d',
    ])
    const failure = await desk.failure({ base: 'oci:base', layers: [owned('/x', 'nobody')] })
    expect(failure.message).toContain('layers[0]: owner "nobody": the image knows no user "nobody"')
  })

  it('what is removed is a whiteout, an opaque directory when it is made again, a file when it is one', async () => {
    const desk = await deskWithBase()
    const parents = ['drwxr-xr-x 0:0 0 opt/', 'drwxrwsr-x 3000000:50 0 opt/app/']
    expect(await above(desk, [{ remove: '/opt/app/old' }])).toEqual([
      ...parents,
      '-rw-r--r-- 0:0 0 opt/app/.wh.old',
    ])
    expect(await above(desk, [{ remove: '/opt/app' }, { file: '/opt/app/x', content: '' }])).toEqual([
      'drwxr-xr-x 0:0 0 opt/',
      'drwxr-xr-x 0:0 0 opt/app/',
      '-rw-r--r-- 0:0 0 opt/app/.wh..wh..opq',
      '-rw-r--r-- 0:0 0 opt/app/x',
    ])
    expect(await above(desk, [{ remove: '/opt/app' }, { file: '/opt/app', content: 'f' }])).toEqual([
      'drwxr-xr-x 0:0 0 opt/',
      '-rw-r--r-- 0:0 1 opt/app',
    ])
    expect(await above(desk, [{ opaque: '/opt/app' }])).toEqual([
      ...parents,
      '-rw-r--r-- 0:0 0 opt/app/.wh..wh..opq',
    ])
    expect((await desk.failure({ base: 'oci:base', layers: [{ remove: '/nope' }] })).code).toBe(
      'OCB-REMOVE-MISSING',
    )
  })

  it('an append keeps the file’s mode and owner, of the base and of a layer of the spec', async () => {
    const desk = await deskWithBase()
    const image = await desk.build({
      base: 'oci:base',
      layers: [
        { file: '/bin/own', content: 'one', mode: '0750', owner: '5:6' },
        {
          entries: [
            { append: '/bin/own', content: ' two' },
            { append: '/opt/app/old', content: 'new\n' },
          ],
        },
      ],
    })
    expect(linesOf(image, 2)).toContain('-rwxr-x--- 5:6 7 usr/bin/own')
    expect(linesOf(image, 2)).toContain('-rw-r--r-- 0:0 8 opt/app/old')
  })

  it('the order is that of components as bytes', async () => {
    const files = ['/d/a', '/d.x', '/d-x', '/D', '/dé', '/d/a.b', '/d/a/b'].filter((file) => file !== '/d/a')
    const image = await openDesk().build({
      layers: [{ entries: files.map((file) => ({ file, content: '' })) }],
    })
    expect(image.names()).toEqual(['D', 'd/', 'd/a/', 'd/a/b', 'd/a.b', 'd-x', 'd.x', 'dé'])
  })
})

describeWithPeers('a base', ['tar', 'gzip', 'skopeo'], ({ skopeo }) => {
  it('gives one image, from a layout or an archive, ours or another tool’s', async () => {
    const desk = await deskWithBase()
    const copyTo = (target: string): void => {
      execFileSync(skopeo, ['copy', '-q', 'oci:base:latest', target], { cwd: desk.folder, stdio: 'pipe' })
    }
    copyTo('oci-archive:theirs.tar:v1')
    copyTo('docker-archive:theirs.docker:ex.com/base:v1')
    execFileSync('gzip', ['-k', 'theirs.tar'], { cwd: desk.folder })
    const entries = [{ file: '/opt/app/x', content: '' }]
    const expected = await above(desk, entries)
    for (const from of [
      './base',
      join(desk.folder, 'base'),
      'oci:base:latest',
      'oci-archive:base.tar',
      'docker-archive:base.docker:base:latest',
      'oci-archive:theirs.tar:v1',
      'oci-archive:theirs.tar.gz',
      'docker-archive:theirs.docker',
      'docker-archive:theirs.docker:ex.com/base:v1',
    ]) {
      const image = await desk.build({ base: from, layers: [{ entries }] })
      expect(linesOf(image, 1)).toEqual(expected)
      expect(image.config().config).toMatchObject({ Entrypoint: ['/ep'], Cmd: ['c'], Env: ['A=1', 'B=2'] })
      expect(image.config().history).toHaveLength(2)
    }
  })

  it('that is not there, or not for the platform, or one of several is refused with what there is', async () => {
    const desk = await deskWithBase()
    await desk.build({ ...base, tags: ['v2'], created: 7, outputs: ['oci:base'] })
    const message = async (spec: Words): Promise<string> =>
      (await desk.failure({ layers: [{ file: '/x', content: '' }], ...spec })).message
    expect(await message({ base: 'oci:base' })).toMatch(/holds 2 images .* latest sha256:.*; v2 sha256:/)
    expect(await message({ base: 'oci:base:v3' })).toContain('no image "v3"; it has latest, v2')
    expect(await message({ base: 'oci:base:v2', platforms: ['linux/arm64'] })).toContain(
      'the base "oci:base:v2" has no image for linux/arm64; it has linux/amd64',
    )
    const copy = { copy: '/etc', from: 'oci:base:v2', to: '/etc' }
    expect(await message({ layers: [copy], platforms: ['linux/arm64'] })).toContain(
      'layers[0].from: the image "oci:base:v2" has no image for linux/arm64',
    )
  })

  it('gives its variant, and does not make one image of two platforms', async () => {
    const desk = openDesk()
    await desk.build({ ...base, platforms: ['linux/arm/v6'], outputs: ['oci:v6'] })
    const spec = { base: 'oci:v6', layers: [{ file: '/x', content: '' }] }
    const image = await desk.build({ ...spec, platforms: ['linux/arm/v7'] })
    expect(image.config()).toMatchObject({ architecture: 'arm', variant: 'v6' })
    const failure = await desk.failure({ ...spec, platforms: ['linux/arm/v6', 'linux/arm/v7'] })
    expect(failure.message).toContain('makes linux/arm/v6 of both linux/arm/v6 and linux/arm/v7')
  })

  it('env, labels, ports and commands are inherited, replaced and cleared', async () => {
    const desk = await deskWithBase()
    const config = async (words: Words): Promise<unknown> =>
      (
        await desk.build({
          base: 'oci:base',
          metadata: 'none',
          layers: [{ file: '/x', content: '' }],
          config: words,
        })
      ).config().config
    expect(await config({ entrypoint: ['/new'] })).toEqual({
      Entrypoint: ['/new'],
      Env: ['A=1', 'B=2'],
      Labels: { a: 'b' },
    })
    expect(
      await config({
        cmd: ['x'],
        env: { B: null, A: { append: '!' }, C: '3' },
        exposedPorts: [80, '53/udp'],
      }),
    ).toEqual({
      Entrypoint: ['/ep'],
      Cmd: ['x'],
      Env: ['A=1!', 'C=3'],
      ExposedPorts: { '53/udp': {}, '80/tcp': {} },
      Labels: { a: 'b' },
    })
    expect(await config({ entrypoint: [], cmd: null, env: null, labels: null })).toBeUndefined()
  })
})

describeWithPeers('a copy from another image', ['tar'], () => {
  it('lands as one from the host: links stay, are followed or kept as hard links', async () => {
    const desk = openDesk()
    const entries = [
      { file: '/lib/x.so.1', content: 'x', mode: '0755', owner: '9:9' },
      { symlink: '/lib/x.so', target: 'x.so.1' },
      { hardlink: '/lib/twin', target: '/lib/x.so.1' },
      { symlink: '/lib64', target: 'lib' },
    ]
    await desk.build({ name: 'other', layers: [{ entries }], outputs: ['oci:other'] })
    const names = async (copy: Words): Promise<readonly string[]> =>
      (await desk.build({ layers: [{ from: 'oci:other', ...copy }] })).names()
    expect(await names({ copy: '/lib64/x.so', to: '/l/' })).toEqual(['l/', 'l/x.so -> x.so.1'])
    expect(await names({ copy: '/lib64/x.so', to: '/l/', follow: true })).toEqual(['l/', 'l/x.so'])
    expect(await names({ copy: '/lib', to: '/l', hardLinks: 'preserve' })).toEqual([
      'l/',
      'l/twin',
      'l/x.so -> x.so.1',
      'l/x.so.1 => l/twin',
    ])
    expect(await names({ copy: '/lib64', to: '/l', follow: true, exclude: ['twin'] })).toEqual([
      'l/',
      'l/x.so',
      'l/x.so.1',
    ])
    expect(await names({ copy: ['/lib64/x.so', '/lib/*.1'], to: '/l' })).toEqual([
      'l/',
      'l/lib64/',
      'l/lib64/x.so -> x.so.1',
      'l/x.so.1',
    ])
    const image = await desk.build({
      layers: [{ copy: '/lib/twin', from: 'oci:other', to: '/t', owner: '1:2' }],
    })
    expect(image.lines()).toEqual(['-rwxr-xr-x 1:2 t'])
  })
})
