/** The names in an image. */

import { describe, expect, it } from 'vitest'
import { listFiles, type ListOptions } from '../../src/inspect/list-files.ts'
import { isDigest } from '../../src/spec/digest.ts'
import { gzipLayer, makeImage, rawTar } from '../helpers/hand-made-image.ts'

const lower = gzipLayer(
  rawTar([
    { name: 'usr/', mode: 0o755 },
    { name: 'usr/bin/', mode: 0o755 },
    { name: 'usr/bin/x', content: 'abc', mode: 0o4755, uid: 1, gid: 2 },
    { name: 'usr/bin/y', flag: '1', target: 'usr/bin/x' },
    { name: 'bin', flag: '2', target: 'usr/bin' },
    { name: 'gone' },
  ]),
)
const upper = gzipLayer(
  rawTar([
    { name: '.wh.gone' },
    { name: 'usr/', mode: 0o755 },
    { name: 'usr/.wh..wh..opq' },
    { name: 'usr/b' },
    { name: 'dangling', flag: '2', target: 'nowhere' },
  ]),
)

async function paths(options: ListOptions = {}, layers = [lower, upper]): Promise<readonly string[]> {
  const { store, root } = await makeImage(layers)
  const { entries } = await listFiles(store, root, options)
  return entries.map(({ path, type }) => `${type} ${path}`)
}

describe('listFiles', () => {
  it('merges the layers as a container sees them', async () => {
    expect(await paths()).toEqual(['symlink /bin', 'symlink /dangling', 'directory /usr', 'file /usr/b'])
  })

  it('lists one layer in its own order, whiteouts too, by number, digest and diffID', async () => {
    const wanted = ['whiteout /gone', 'directory /usr', 'opaque /usr', 'file /usr/b', 'symlink /dangling']
    expect(await paths({ layer: 1 })).toEqual(wanted)
    const { layers } = await makeImage([lower, upper])
    for (const digest of [layers[1]?.digest, upper.diffId]) {
      if (digest === undefined || !isDigest(digest)) throw new Error('a digest')
      expect(await paths({ layer: digest })).toEqual(wanted)
    }
  })

  it('says all there is to know of a file', async () => {
    const { store, root } = await makeImage([lower])
    const { entries, platform, digest } = await listFiles(store, root, { path: '/usr/bin/x' })
    expect([platform, digest]).toEqual(['linux/amd64', root.digest])
    expect(entries).toEqual([
      {
        path: '/usr/bin/x',
        type: 'file',
        mode: '4755',
        uid: 1,
        gid: 2,
        size: 3,
        mtime: 0,
        target: null,
        layer: 0,
      },
    ])
    const links = await listFiles(store, root, { path: 'usr/bin/y' })
    expect(links.entries[0]).toMatchObject({ type: 'hardlink', target: '/usr/bin/x' })
  })

  it('follows links on the way to a path', async () => {
    expect(await paths({ path: '/bin/' }, [lower])).toEqual([
      'directory /usr/bin',
      'file /usr/bin/x',
      'hardlink /usr/bin/y',
    ])
    expect(await paths({ path: '/bin/x' }, [lower])).toEqual(['file /usr/bin/x'])
    expect(await paths({ path: '/dangling' })).toEqual(['symlink /dangling'])
  })

  it('refuses what is not there', async () => {
    await expect(paths({ path: '/gone' })).rejects.toMatchObject({ code: 'OCB-USAGE-PATH' })
    await expect(paths({ layer: 2 })).rejects.toMatchObject({ code: 'OCB-USAGE-LAYER' })
    await expect(paths({ platform: { os: 'linux', architecture: 's390x' } })).rejects.toMatchObject({
      code: 'OCB-USAGE-PLATFORM',
    })
  })
})
