/** What a base of layers gives to native files: found in the index of its names, read once. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { BaseRuntime } from '../../src/node/base-runtime.ts'
import { imageBaseRuntime } from '../../src/node/image-provides.ts'
import { readNames } from '../../src/rootfs/open-rootfs.ts'
import { noMemory, type TextMemory } from '../../src/rootfs/text-memory.ts'
import { handMadeTar, type HandMadeEntry } from '../helpers/hand-made-tar.ts'
import { layerStore, type LayerStore } from '../helpers/layer-store.ts'
import { writeElf, type ElfShape } from '../helpers/write-elf.ts'

const folder = mkdtempSync(join(tmpdir(), 'ocibuild-provides-'))
afterAll(() => rmSync(folder, { recursive: true }))
let caches = 0
const newCache = (): string => join(folder, `cache-${(caches += 1)}`)

const elf = (shape: ElfShape): Buffer => writeElf(shape)
const library = (name: string, ...defines: readonly string[]): HandMadeEntry => ({
  name,
  content: elf({ defines }),
  mode: 0o755,
})
const symlink = (name: string, link: string): HandMadeEntry => ({ name, link, flag: '2' })
const node = (version: string, modules: number): string =>
  `${elf({}).toString('latin1')}\0v${version}\0"node_module_version": ${modules},`
const program = (name: string, content: string | Buffer): HandMadeEntry => ({
  name,
  content: typeof content === 'string' ? Buffer.from(content, 'latin1') : content,
  mode: 0o755,
})

interface Asked {
  readonly runtime: BaseRuntime
  readonly fetched: LayerStore['fetched']
}

interface More {
  readonly cacheDir?: string
  readonly env?: readonly string[]
  readonly architecture?: string
  readonly memory?: TextMemory
}

function over(layers: readonly (readonly HandMadeEntry[])[], more: More = {}): Asked {
  const { cacheDir = newCache(), env, architecture = 'amd64', memory = noMemory } = more
  const { store, layers: descriptors, fetched } = layerStore(layers.map((entries) => handMadeTar(entries)))
  const runtime = imageBaseRuntime({
    store,
    layers: descriptors,
    platform: { os: 'linux', architecture },
    env,
    readNames: () => readNames(store, descriptors, { cacheDir }),
    memory,
    cacheDir,
    signal: undefined,
  })
  return { runtime, fetched }
}

const debian: readonly (readonly HandMadeEntry[])[] = [
  [
    symlink('lib', 'usr/lib'),
    library('usr/lib/x86_64-linux-gnu/libc.so.6', 'GLIBC_2.2.5', 'GLIBC_2.36', 'GLIBC_PRIVATE'),
    library('usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2', 'GLIBC_2.36'),
    symlink('usr/lib/x86_64-linux-gnu/libstdc++.so.6', 'libstdc++.so.6.0.30'),
    library('usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30', 'GLIBCXX_3.4.30', 'CXXABI_1.3.13'),
    { name: 'usr/lib32/libc.so.6', content: elf({ machine: 3, defines: ['GLIBC_2.99'] }) },
  ],
  [{ name: 'etc/motd', content: 'hello' }],
]

describe('a library of a base', () => {
  it('is what the loader finds, links followed, whatever machines others are for', async () => {
    const { runtime } = over(debian)
    expect(await runtime.library('libc.so.6')).toBe('GLIBC_2.36 GLIBC_PRIVATE')
    expect(await runtime.library('libstdc++.so.6')).toBe('CXXABI_1.3.13 GLIBCXX_3.4.30')
    expect(await runtime.library('libssl.so.3')).toBeUndefined()
    const other = over(debian, { architecture: 'arm64' })
    expect(await other.runtime.library('libc.so.6')).toBeUndefined()
  })

  it('is that of the highest layer, and none that a layer has removed', async () => {
    const path = 'usr/lib/x86_64-linux-gnu/libc.so.6'
    const newer = over([...debian, [library(path, 'GLIBC_2.40')]])
    expect(await newer.runtime.library('libc.so.6')).toBe('GLIBC_2.40')
    const removed = over([...debian, [{ name: 'usr/lib/x86_64-linux-gnu/.wh.libc.so.6' }]])
    expect(await removed.runtime.library('libc.so.6')).toBeUndefined()
  })

  it('may lie anywhere, where LD_LIBRARY_PATH says first', async () => {
    const layers = [[library('opt/x/libx.so.1', 'X_1'), library('usr/lib/libx.so.1', 'X_2')]]
    expect(await over(layers).runtime.library('libx.so.1')).toBe('X_2')
    const { runtime } = over(layers, { env: ['LD_LIBRARY_PATH=/opt/x'] })
    expect(await runtime.library('libx.so.1')).toBe('X_1')
    expect(await over([layers[0]?.slice(0, 1) ?? []]).runtime.library('libx.so.1')).toBe('X_1')
  })

  it('is none where a text lies in its place', async () => {
    const { runtime } = over([[{ name: 'usr/lib/libc.so', content: 'GROUP ( libc.so.6 )' }]])
    expect(await runtime.library('libc.so')).toBeUndefined()
  })

  it('is read once, and never again with its layer in the cache', async () => {
    const cacheDir = newCache()
    const first = over(debian, { cacheDir })
    await Promise.all([first.runtime.library('libc.so.6'), first.runtime.library('libc.so.6')])
    expect(await first.runtime.library('libstdc++.so.6')).toBe('CXXABI_1.3.13 GLIBCXX_3.4.30')
    // Once for the names of both layers, once for the bytes of all libraries in one.
    expect(first.fetched).toHaveLength(3)
    const again = over(debian, { cacheDir })
    expect(await again.runtime.library('libc.so.6')).toBe('GLIBC_2.36 GLIBC_PRIVATE')
    expect(again.fetched).toEqual([])
    // Another base over the same layer.
    const other = over([...debian, [{ name: 'etc/issue', content: 'x' }]], { cacheDir })
    expect(await other.runtime.library('libc.so.6')).toBe('GLIBC_2.36 GLIBC_PRIVATE')
    expect(other.fetched).toHaveLength(1)
  })

  it('is what a memory says that knows it, and is told to one that does not', async () => {
    const told = new Map<string, string>()
    const memory: TextMemory = {
      get: (question) => (question === 'libknown.so.1' ? 'KNOWN_1' : undefined),
      keep: (question, answer) => void told.set(question, answer),
    }
    const { runtime } = over(debian, { memory })
    expect(await runtime.library('libknown.so.1')).toBe('KNOWN_1')
    await runtime.library('libc.so.6')
    await runtime.library('libnone.so.1')
    await runtime.libc()
    expect(Object.fromEntries(told)).toEqual({
      'libc.so.6': 'GLIBC_2.36 GLIBC_PRIVATE',
      'libnone.so.1': 'absent',
      libc: 'glibc',
    })
  })
})

describe('the C library of a base', () => {
  it.each<[string, readonly HandMadeEntry[], string | undefined]>([
    ['glibc', debian[0] ?? [], 'glibc'],
    [
      'musl',
      [library('lib/ld-musl-x86_64.so.1'), symlink('lib/libc.musl-x86_64.so.1', 'ld-musl-x86_64.so.1')],
      'musl',
    ],
    [
      'not known where there are both',
      [library('lib/ld-musl-x86_64.so.1'), library('lib64/ld-linux-x86-64.so.2')],
      undefined,
    ],
    ['not known where there is none', [{ name: 'etc/motd' }], undefined],
  ])('is %s', async (_title, entries, libc) => {
    expect(await over([entries]).runtime.libc()).toBe(libc)
  })
})

describe('the Node.js of a base', () => {
  it('is what NODE_VERSION says, and the base is not read', async () => {
    const { runtime, fetched } = over(debian, { env: ['NODE_VERSION=22.11.0'] })
    expect(await runtime.node()).toEqual({ version: '22.11.0', modules: 127 })
    expect(fetched).toEqual([])
  })

  it.each<[string, readonly HandMadeEntry[], readonly string[], object | undefined]>([
    [
      'the program that PATH leads to',
      [
        program('usr/bin/node', node('18.1.0', 108)),
        program('opt/node/bin/node', node('22.11.0', 127)),
        symlink('usr/local/bin/node', '/opt/node/bin/node'),
      ],
      ['PATH=/usr/local/bin:/usr/bin'],
      { version: '22.11.0', modules: 127 },
    ],
    [
      'a program elsewhere',
      [program('nodejs/bin/node', node('20.1.0', 115))],
      [],
      { version: '20.1.0', modules: 115 },
    ],
    [
      "a distribution's library",
      [program('usr/bin/node', elf({})), program('usr/lib/libnode.so.108', node('18.19.0', 108))],
      [],
      { version: '18.19.0', modules: 108 },
    ],
    [
      'of a release that this tool does not know',
      [program('usr/bin/node', node('99.1.0', 999))],
      ['NODE_VERSION=99.1.0'],
      { version: '99.1.0', modules: 999 },
    ],
    ['none where there is no program', debian[0] ?? [], [], undefined],
  ])('is %s', async (_title, entries, env, release) => {
    const { runtime } = over([entries], { env })
    expect(await runtime.node()).toEqual(release)
  })
})
