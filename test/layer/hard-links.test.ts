import { describe, expect, it } from 'vitest'
import { contentTime } from '../../src/tar/content-time.ts'
import { sha256Bytes } from '../../src/content/hash.ts'
import { normalizeLayer } from '../../src/layer/normalize.ts'
import {
  directory,
  encodeBytes,
  file,
  hardlink,
  layerOf,
  lowerEntries,
  lowerOf,
  normalized,
  remove,
  symlink,
} from '../helpers/layers.ts'
import { listTar } from '../helpers/gnu-tar.ts'
import { describeWithPeers } from '../helpers/peers.ts'

describe('a hard link', () => {
  it('comes after the file it links to', async () => {
    expect(await normalized([hardlink('/b', '/a'), file('/a', 'x')])).toEqual([
      'f /a 0644 0:0 x',
      'h /b => /a',
    ])
  })

  it('that sorts before its file takes the content, and the file becomes the link', async () => {
    expect(await normalized([file('/b', 'x', { owner: '1:2', mode: 0o755 }), hardlink('/a', '/b')])).toEqual([
      'f /a 0755 1:2 x',
      'h /b => /a',
    ])
  })

  it('of a link is a link of the file, in chains and groups', async () => {
    const placements = [hardlink('/a', '/c'), hardlink('/d', '/a'), hardlink('/c', '/b'), file('/b', 'x')]
    expect(await normalized(placements)).toEqual([
      'f /a 0644 0:0 x',
      'h /b => /a',
      'h /c => /a',
      'h /d => /a',
    ])
  })

  it('is found through the links of lower layers', async () => {
    const lower = lowerOf(lowerEntries('l /bin usr/bin', 'd /usr', 'd /usr/bin'))
    expect(await normalized([file('/bin/a', 'x'), hardlink('/bin/b', '/bin/a')], lower)).toEqual([
      'd /usr 0755 0:0',
      'd /usr/bin 0755 0:0',
      'f /usr/bin/a 0644 0:0 x',
      'h /usr/bin/b => /usr/bin/a',
    ])
  })

  it.each([
    ['that is not there', [hardlink('/a', '/none')]],
    ['that only a lower layer has', [hardlink('/a', '/lower')]],
    ['that is a directory', [directory('/d'), hardlink('/a', '/d')]],
    ['that is a symlink', [symlink('/s', 'x'), hardlink('/a', '/s')]],
    ['that is itself', [hardlink('/a', '/a')]],
    ['that leads back to it', [hardlink('/a', '/b'), hardlink('/b', '/a')]],
    ['that the layer removed again', [file('/lower'), hardlink('/a', '/lower'), remove('/lower')]],
  ])('to a target %s is refused', async (_, placements) => {
    const lower = lowerOf(lowerEntries('f /lower'))
    await expect(normalized(placements, lower)).rejects.toMatchObject({ code: 'OCB-HARDLINK-TARGET' })
  })
})

describeWithPeers('GNU tar', ['tar'], () => {
  it('gives a link the time of its file: of the content, small or large, or the one that was set', async () => {
    const large = Buffer.alloc(3 * 1024 * 1024, 'large')
    const placements = [
      file('/a', 'small'),
      hardlink('/a2', '/a'),
      file('/b', large),
      hardlink('/b2', '/b'),
      file('/c', 'set', { mtime: 12 }),
      hardlink('/c2', '/c'),
    ]
    const { blob } = await encodeBytes(await normalizeLayer(layerOf(placements), lowerOf().open))
    const times = Object.fromEntries(listTar(blob).map(({ name, mtime }) => [name, mtime]))
    const small = contentTime(sha256Bytes('small'))
    const big = contentTime(sha256Bytes(large))
    expect(times).toEqual({ a: small, a2: small, b: big, b2: big, c: 12, c2: 12 })
  })
})
