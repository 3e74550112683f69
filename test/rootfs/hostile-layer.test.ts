import { expect, it } from 'vitest'
import { readLayer } from '../../src/rootfs/read-layer.ts'
import { handMadeTar, paxRecords, type HandMadeEntry } from '../helpers/hand-made-tar.ts'
import { chunked, drain } from '../helpers/layer-store.ts'

async function read(entries: readonly HandMadeEntry[]): Promise<unknown> {
  return drain(readLayer(chunked(handMadeTar(entries)), 'none', { archive: 'layer X' }))
}

const unsafe: readonly (readonly [string, string, readonly HandMadeEntry[]])[] = [
  ['climbs out', '../evil', [{ name: '../evil' }]],
  ['climbs in its middle', 'a/../b', [{ name: 'a/../b' }]],
  ['climbs after a slash', '/../evil', [{ name: '/../evil' }]],
  ['climbs by PAX', 'x/../../evil', [{ name: 'ok', pax: { path: 'x/../../evil' } }]],
  ['holds a NUL by PAX', 'a\\u0000b', [{ name: 'ok', pax: { path: 'a\0b' } }]],
  ['is longer than a path can be', 'nnnn', [{ name: 'ok', pax: { path: 'n'.repeat(5000) } }]],
  [
    'is a hard link out of the root',
    '../../etc/passwd',
    [{ name: 'b', flag: '1', link: '../../etc/passwd' }],
  ],
  ['is a hard link to the root', 'evil', [{ name: 'evil', flag: '1', link: './' }]],
  ['is a symlink with a NUL', 'evil', [{ name: 'evil', flag: '2', link: 'x', pax: { linkpath: 'a\0b' } }]],
  ['is a symlink to nothing', 'evil', [{ name: 'evil', flag: '2' }]],
  ['is a file in place of the root', './', [{ name: '.', content: 'x' }]],
  ['is a whiteout of nothing', 'a/.wh.', [{ name: 'a/.wh.' }]],
  ['is a whiteout of its parent', 'a/.wh...', [{ name: 'a/.wh...' }]],
  ['is a link with contents', 'evil', [{ name: 'evil', flag: '2', link: 'x', content: 'hidden' }]],
  ['has a huge PAX header', 'pax', [{ name: 'pax', flag: 'x', size: 2 ** 21 }]],
  ['has a huge GNU name', '@LongLink', [{ name: '@LongLink', flag: 'L', size: 2 ** 21 }]],
  ['names every entry at once', 'path', [{ name: 'g', flag: 'g', content: paxRecords({ path: 'evil' }) }]],
]

it.each(unsafe)('refuses an entry that %s and names it', async (_title, name, entries) => {
  const error: unknown = await read(entries).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'OCB-ARCHIVE-UNSAFE' })
  expect(String(error)).toContain(name === './' ? '"."' : name)
  expect(String(error)).toContain('layer X')
})

const damaged: readonly (readonly [string, Buffer])[] = [
  ['no tar at all', Buffer.alloc(2048, 'no tar')],
  ['a checksum that is wrong', flip(handMadeTar([{ name: 'a' }]), 3)],
  ['a PAX length that lies', handMadeTar([{ name: 'p', flag: 'x', content: '99 path=a\n' }, { name: 'a' }])],
  [
    'a PAX record without a value',
    handMadeTar([{ name: 'p', flag: 'x', content: '7 path\n' }, { name: 'a' }]),
  ],
  ['a PAX size that is no number', handMadeTar([{ name: 'a', pax: { size: '-5' } }])],
  ['a PAX owner that is no number', handMadeTar([{ name: 'a', pax: { uid: 'root' } }])],
]

it.each(damaged)('says OCB-ARCHIVE-DAMAGED of %s', async (_title, tar) => {
  const reading = drain(readLayer(chunked(tar), 'none'))
  await expect(reading).rejects.toMatchObject({ code: 'OCB-ARCHIVE-DAMAGED' })
})

it('refuses types that no layer holds', async () => {
  await expect(read([{ name: 'odd', flag: 'M' }])).rejects.toMatchObject({ code: 'OCB-ARCHIVE-UNSUPPORTED' })
})

it('skips volume labels and global comments', async () => {
  const entries = await read([
    { name: 'label', flag: 'V' },
    { name: 'g', flag: 'g', content: paxRecords({ comment: 'a commit' }) },
    { name: 'a' },
  ])
  expect(entries).toHaveLength(1)
})

function flip(bytes: Buffer, at: number): Buffer {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  return bytes
}
