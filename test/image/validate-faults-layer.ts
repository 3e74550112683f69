/** Faults of layers: compression, tar, entries. */

import { sha256 } from '../../src/content/hash.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { plainLayer, rawEntry, rawTar } from '../helpers/hand-made-image.ts'
import { check, layerWith, sound, tarOf, type Case } from './validate-kit.ts'

export const layerFaults: readonly Case[] = [
  {
    fault: 'a gzip layer that says it is not compressed',
    find: layerWith((layer) => ({ ...layer, mediaType: mediaTypes.layer })),
    codes: ['OCB-VALIDATE-COMPRESSION'],
  },
  {
    fault: 'a gzip layer that says it is zstd',
    find: layerWith((layer) => ({ ...layer, mediaType: mediaTypes.layerZstd })),
    codes: ['OCB-VALIDATE-COMPRESSION'],
  },
  {
    fault: 'a gzip stream that is cut',
    find: async () => await check([{ ...sound, bytes: sound.bytes.subarray(0, sound.bytes.length - 12) }]),
    codes: ['OCB-VALIDATE-DECOMPRESS'],
  },
  {
    fault: 'a gzip stream with a wrong checksum',
    find: async () => {
      const bytes = Buffer.from(sound.bytes)
      bytes.writeUInt32LE(1, bytes.length - 8)
      return await check([{ ...sound, bytes }])
    },
    codes: ['OCB-VALIDATE-DECOMPRESS'],
  },
  {
    fault: 'bytes after the gzip stream',
    find: async () => await check([{ ...sound, bytes: Buffer.concat([sound.bytes, Buffer.alloc(9)]) }]),
    codes: ['OCB-VALIDATE-COMPRESSION-TRAILING'],
  },
  {
    fault: 'a diffID that is not of the layer',
    find: async () => await check([{ ...sound, diffId: sha256('other') }]),
    codes: ['OCB-VALIDATE-DIFF-ID'],
  },
  {
    fault: 'a layer that is no tar',
    find: async () => await check([plainLayer(Buffer.from('hello '.repeat(300)))]),
    codes: ['OCB-VALIDATE-TAR'],
  },
  {
    fault: 'a tar that is cut within a file',
    find: async () =>
      await check([plainLayer(rawEntry({ name: 'a', content: 'x'.repeat(9000) }).subarray(0, 2048))]),
    codes: ['OCB-VALIDATE-TAR'],
  },
  {
    fault: 'a tar without an end',
    find: async () => await check([plainLayer(rawEntry({ name: 'a', content: Buffer.alloc(4096) }))]),
    codes: ['OCB-VALIDATE-TAR-END'],
  },
  {
    fault: 'an empty layer',
    find: async () => await check([plainLayer(new Uint8Array(0))]),
    codes: ['OCB-VALIDATE-TAR-END'],
  },
  {
    fault: 'bytes after the end of the tar',
    find: async () =>
      await check([plainLayer(Buffer.concat([rawTar([{ name: 'a' }]), Buffer.alloc(700, 'x')]))]),
    codes: ['OCB-VALIDATE-TAR-TRAILING'],
  },
  {
    fault: 'entries after the end of the tar',
    find: async () =>
      await check([plainLayer(Buffer.concat([rawTar([{ name: 'a' }]), rawTar([{ name: 'b' }])]))]),
    codes: ['OCB-VALIDATE-TAR-HIDDEN'],
  },
  { fault: 'a name with ..', find: tarOf({ name: '../etc/passwd' }), codes: ['OCB-VALIDATE-NAME'] },
  { fault: 'an empty name', find: tarOf({ name: '' }), codes: ['OCB-VALIDATE-NAME'] },
  { fault: 'an absolute name', find: tarOf({ name: '/a' }), codes: ['OCB-VALIDATE-NAME-ABSOLUTE'] },
  { fault: 'a name with ./', find: tarOf({ name: './a' }), codes: ['OCB-VALIDATE-NAME-DOT'] },
  {
    fault: 'a name that is not UTF-8',
    find: tarOf({ name: Buffer.from('a\xff', 'latin1') }, { name: Buffer.from('a\xfe', 'latin1') }),
    codes: ['OCB-VALIDATE-NAME-ENCODING'],
  },
  {
    fault: 'a name that comes twice',
    find: tarOf({ name: 'a' }, { name: 'a', content: 'x' }),
    codes: ['OCB-VALIDATE-DUPLICATE-ENTRY'],
  },
  {
    fault: 'a folder that comes twice, written in two ways',
    find: tarOf({ name: 'a/' }, { name: 'a', flag: '5' }),
    codes: ['OCB-VALIDATE-DUPLICATE-ENTRY'],
  },
  {
    fault: 'a type that layers do not have',
    find: tarOf({ name: 'a', flag: 'V' }),
    codes: ['OCB-VALIDATE-ENTRY-TYPE'],
  },
  {
    fault: 'a symlink with content',
    find: tarOf({ name: 'a', flag: '2', target: 'b', content: 'x' }),
    codes: ['OCB-VALIDATE-ENTRY-SIZE'],
  },
  { fault: 'a file without its folder', find: tarOf({ name: 'a/b' }), codes: ['OCB-VALIDATE-PARENT'] },
  {
    fault: 'a folder after its file',
    find: tarOf({ name: 'a/b' }, { name: 'a/' }),
    codes: ['OCB-VALIDATE-PARENT-ORDER'],
  },
  {
    fault: 'a file below a file',
    find: tarOf({ name: 'a' }, { name: 'a/b' }),
    codes: ['OCB-VALIDATE-PARENT-TYPE'],
  },
  {
    fault: 'a file below a symlink',
    find: tarOf({ name: 'a', flag: '2', target: '/' }, { name: 'a/b' }),
    codes: ['OCB-VALIDATE-PARENT-LINK'],
  },
  { fault: 'a whiteout of nothing', find: tarOf({ name: '.wh.' }), codes: ['OCB-VALIDATE-WHITEOUT'] },
  { fault: 'a whiteout of ..', find: tarOf({ name: '.wh...' }), codes: ['OCB-VALIDATE-WHITEOUT'] },
  {
    fault: 'a folder that is named as a whiteout',
    find: tarOf({ name: '.wh.a', flag: '5' }, { name: '.wh.a/b' }),
    codes: ['OCB-VALIDATE-PARENT', 'OCB-VALIDATE-WHITEOUT', 'OCB-VALIDATE-WHITEOUT-CONTENT'],
  },
  {
    fault: 'bookkeeping of AUFS',
    find: tarOf({ name: '.wh..wh.aufs' }),
    codes: ['OCB-VALIDATE-WHITEOUT-RESERVED'],
  },
  {
    fault: 'a whiteout with content',
    find: tarOf({ name: '.wh.a', content: 'x' }),
    codes: ['OCB-VALIDATE-WHITEOUT-CONTENT'],
  },
  {
    fault: 'a whiteout beside its entry',
    find: tarOf({ name: '.wh.a' }, { name: 'a/' }, { name: 'a/b' }),
    codes: ['OCB-VALIDATE-WHITEOUT-BESIDE'],
  },
  {
    fault: 'a symlink to nothing',
    find: tarOf({ name: 'a', flag: '2' }),
    codes: ['OCB-VALIDATE-LINK-TARGET'],
  },
  {
    fault: 'a hard link before its target',
    find: tarOf({ name: 'a', flag: '1', target: 'b' }, { name: 'b' }),
    codes: ['OCB-VALIDATE-HARDLINK'],
  },
  {
    fault: 'a hard link to what no layer holds',
    find: tarOf({ name: 'a', flag: '1', target: 'b' }),
    codes: ['OCB-VALIDATE-HARDLINK'],
  },
  {
    fault: 'a hard link out of the root',
    find: tarOf({ name: 'a', flag: '1', target: '../b' }),
    codes: ['OCB-VALIDATE-HARDLINK'],
  },
  {
    fault: 'a hard link to a file of a lower layer',
    find: async () => await check([sound, plainLayer(rawTar([{ name: 'a', flag: '1', target: 'bin/sh' }]))]),
    codes: ['OCB-VALIDATE-HARDLINK-LOWER'],
    where: /layers\[1\]$/,
  },
]
