import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sha256 } from '../../src/content/hash.ts'
import { namesFileOf, readLayerNames } from '../../src/rootfs/layer-names.ts'
import { openRootfs } from '../../src/rootfs/open-rootfs.ts'
import { handMadeTar } from '../helpers/hand-made-tar.ts'
import { layerStore } from '../helpers/layer-store.ts'

let cacheDir = ''
beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), 'ocibuild-names-'))
})
afterEach(() => rmSync(cacheDir, { recursive: true, force: true }))

const tar = handMadeTar([
  { name: './', flag: '5', mode: 0o755 },
  { name: 'usr/bin/', flag: '5', mode: 0o1777, uid: 7 },
  { name: 'usr/bin/é', content: 'abc', pax: { 'SCHILY.xattr.user.x': Buffer.from([255]), mtime: '-5' } },
  { name: 'usr/bin/hard', flag: '1', link: 'usr/bin/é' },
  { name: 'usr/bin/soft', flag: '2', link: '/x', pax: { 'SCHILY.xattr.__proto__': 'p' } },
  { name: 'usr/.wh.gone' },
  { name: 'usr/.wh..wh..opq' },
  { name: 'dev/null', flag: '3' },
])

async function only(): Promise<{
  names: () => ReturnType<typeof readLayerNames>
  file: string
  fetched: string[]
}> {
  const { store, layers, fetched } = layerStore([tar])
  const [layer] = layers
  if (!layer) throw new Error('no layer')
  return {
    names: () => readLayerNames(store, layer, { cacheDir }),
    file: namesFileOf(cacheDir, layer.digest),
    fetched,
  }
}

it('reads a layer once and its index after that', async () => {
  const { names, fetched, file } = await only()
  const first = await names()
  const second = await names()
  expect(fetched).toHaveLength(1)
  expect(second).toEqual(first)
  expect(first.map((one) => one.type)).toEqual([
    'directory',
    'directory',
    'file',
    'hardlink',
    'symlink',
    'whiteout',
    'opaque',
    'character',
  ])
  expect(readdirSync(cacheDir)).toEqual([file.slice(cacheDir.length + 1)])
})

it('reads the layer again when the index is damaged, of another layer or of another format', async () => {
  const { names, file, fetched } = await only()
  const first = await names()
  const good = readFileSync(file, 'utf8')
  const body = good.slice(good.indexOf('\n') + 1)
  const resealed = (changed: string): string =>
    `${good.slice(0, good.indexOf('\n')).replace(sha256(body), sha256(changed))}\n${changed}`
  const bad = [
    '',
    good.slice(0, -1),
    good.replace('ocibuild-names 1 ', 'ocibuild-names 0 '),
    good.replace(/sha256:./, 'sha256:x'),
    good.replace('"usr/bin"', '"usr/sbin"'),
    // As somebody would who also made the digest fit.
    resealed('[[0]]'),
    resealed('{}'),
    resealed('[[5,"x",0,420,0,0,0,0]]'),
    resealed('[[0,"x",99,420,0,0,0,0]]'),
    resealed('[[0,"x",2,420,0,0,0,0]]'),
    resealed('[[0,"x",3,420,0,0,0,0,"../x"]]'),
    resealed('[[0,"../x",0,420,0,0,0,0]]'),
    resealed('[[0,"x",0,420,-1,0,0,0]]'),
    resealed('[[0,"x",0,420,0,0,0,0,7]]'),
    resealed('[[0,"x",0,420,0,0,0,0,null,[["a"]]]]'),
  ]
  for (const [index, text] of bad.entries()) {
    writeFileSync(file, text)
    expect(await names(), text.slice(0, 300)).toEqual(first)
    expect(fetched).toHaveLength(index + 2)
    expect(readFileSync(file, 'utf8')).toBe(good)
  }
})

it('keeps nothing of a layer whose bytes are not its descriptor’s', async () => {
  const { store, layers } = layerStore([tar])
  const [layer] = layers
  if (!layer) throw new Error('no layer')
  const lying = { fetch: () => store.fetch({ ...layer, size: layer.size + 1 }) }
  await expect(readLayerNames(lying, layer, { cacheDir })).rejects.toMatchObject({
    code: 'OCB-CONTENT-MISMATCH',
  })
  expect(readdirSync(cacheDir)).toEqual([])
})

it('works in a folder that cannot be written to', async () => {
  const { store, layers } = layerStore([tar])
  const blocked = join(cacheDir, 'file')
  writeFileSync(blocked, '')
  const rootfs = await openRootfs(store, layers, { cacheDir: join(blocked, 'below') })
  expect(rootfs.tree.has('usr/bin/é')).toBe(true)
})

it('tells the compression of an unknown media type by the first bytes', async () => {
  const { store, layers } = layerStore([tar, tar])
  for (const layer of layers) {
    const names = await readLayerNames(store, { ...layer, mediaType: 'application/vnd.example.layer' })
    expect(names).toHaveLength(8)
  }
})

it('puts the layers of an image in their order', async () => {
  const tars = ['one', 'two', 'three', 'four'].map((name) => handMadeTar([{ name: 'same' }, { name }]))
  const { store, layers } = layerStore(tars)
  const { tree } = await openRootfs(store, layers)
  expect(tree.layers).toBe(4)
  expect(tree.get('same')?.layer).toBe(3)
  expect(tree.get('one')?.layer).toBe(0)
})
