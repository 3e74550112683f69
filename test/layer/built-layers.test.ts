/** What is remembered of built layers, and how two makings are compared. */

import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { sha256 } from '../../src/content/hash.ts'
import { openBuiltLayers, type LayerName } from '../../src/layer/built-layers.ts'
import type { Changeset, ChangesetEntry } from '../../src/layer/changeset.ts'
import { compareLayers } from '../../src/layer/compare-layers.ts'
import { changesetFacts, decodeFacts, encodeFacts } from '../../src/layer/encode-facts.ts'
import type { EntryFacts } from '../../src/layer/entry-facts.ts'
import { contentTimeOfHex } from '../../src/tar/content-time.ts'
import { temporaryFolder } from '../helpers/unpack.ts'

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const hexOf = (text: string): string => sha256(text).slice('sha256:'.length)
const origin = 'layers[0].entries[0]'

function file(path: string, text: string, more: Partial<EntryFacts> = {}): EntryFacts {
  const digest = hexOf(text)
  return {
    path,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: contentTimeOfHex(digest),
    target: undefined,
    xattrs: undefined,
    digest,
    origin,
    ...more,
  }
}

function other(path: string, type: EntryFacts['type'], more: Partial<EntryFacts> = {}): EntryFacts {
  return { ...file(path, ''), type, digest: undefined, mtime: 0, origin: undefined, ...more }
}

/** The bytes of a changeset that has these facts. */
function encode(facts: readonly EntryFacts[]): Buffer {
  const source = { kind: 'bytes', bytes: Buffer.alloc(0) } as const
  const entries = facts.map((entry): ChangesetEntry => {
    const { path, type, mode, uid, gid, mtime, target = '', xattrs, digest, origin: placed } = entry
    const base = { path, mode, uid, gid, mtime, origin: placed }
    switch (type) {
      case 'file': {
        const ofContent = digest !== undefined && mtime === contentTimeOfHex(digest)
        return { ...base, type, source, mtime: ofContent ? 'content' : mtime }
      }
      case 'symlink':
      case 'hardlink':
        return { ...base, type, target }
      case 'directory':
        return { ...base, type, xattrs: xattrs === undefined ? undefined : { 'user.a': 'AAE=' } }
      case 'whiteout':
      case 'opaque':
        return { ...base, type }
      default:
        throw new Error(`no changeset has a ${type}`)
    }
  })
  const contents = facts.flatMap(({ digest }) => digest ?? [])
  return encodeFacts({ name: 'x', entries }, Buffer.from(contents.join(''), 'hex'))
}

describe('facts as bytes', () => {
  const entry = fc
    .record({
      path: fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => text.replaceAll('\0', '/')),
      type: fc.constantFrom('file', 'directory', 'symlink', 'hardlink', 'whiteout', 'opaque'),
      mode: fc.integer({ min: 0, max: 0o7777 }),
      uid: fc.nat(70_000),
      mtime: fc.option(fc.nat(2_000_000_000)),
      text: fc.string(),
      target: fc.option(fc.string({ unit: 'grapheme', minLength: 1 })),
      origin: fc.option(fc.string()),
    })
    .map(({ path, type, mode, uid, mtime, text, target, origin: placed }): EntryFacts => {
      const digest = type === 'file' ? hexOf(text) : undefined
      const ofContent = digest === undefined ? 0 : contentTimeOfHex(digest)
      const isLink = type === 'symlink' || type === 'hardlink'
      return {
        path,
        type,
        mode,
        uid,
        gid: uid,
        mtime: mtime ?? ofContent,
        digest,
        target: isLink ? (target?.replaceAll('\0', '/') ?? 'x') : undefined,
        xattrs: type === 'directory' ? '[["user.a","AAE="]]' : undefined,
        origin: placed ?? undefined,
      }
    })

  it('come back as they went in, whatever the names', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), (entries) => {
        expect(decodeFacts(encode(entries))).toEqual(entries)
      }),
      { numRuns: 200 },
    )
  })

  it('are small: of many files in one folder little more than their digests', () => {
    const entries = Array.from({ length: 1000 }, (_, index) =>
      file(`app/node_modules/package/lib/file-${index}.js`, `${index}`),
    )
    expect(encode(entries).length).toBeLessThan(1000 * 55)
  })

  it('that are cut or altered are taken as none', () => {
    const bytes = encode([file('a', 'x'), file('b', 'y')])
    for (let at = 0; at < bytes.length; at += 1) {
      expect(decodeFacts(bytes.subarray(0, at))).toBeUndefined()
      const altered = Buffer.from(bytes)
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at)
      expect(decodeFacts(altered)).toBeUndefined()
    }
  })
})

describe('the facts of a changeset', () => {
  it('have the times that the tar will have', () => {
    const bytes = { kind: 'bytes', bytes: Buffer.from('x') } as const
    const base = { mode: 0o644, uid: 1, gid: 2 }
    const entries: readonly ChangesetEntry[] = [
      { ...base, type: 'directory', path: 'd', mtime: 0, xattrs: { 'user.b': 'Ag==', 'user.a': 'AQ==' } },
      { ...base, type: 'file', path: 'd/a', mtime: 'content', source: bytes, origin },
      { ...base, type: 'hardlink', path: 'd/b', mtime: 'content', target: 'd/a' },
      { ...base, type: 'file', path: 'd/c', mtime: 5, source: bytes },
      { ...base, type: 'symlink', path: 'd/l', mtime: 0, target: 'a' },
    ]
    const facts = changesetFacts({ name: 'x', entries }, Buffer.from(hexOf('x').repeat(2), 'hex'))
    const time = contentTimeOfHex(hexOf('x'))
    expect(facts.map(({ path, mtime }) => [path, mtime])).toEqual([
      ['d', 0],
      ['d/a', time],
      ['d/b', time],
      ['d/c', 5],
      ['d/l', 0],
    ])
    expect(facts[0]?.xattrs).toBe('[["user.a","AQ=="],["user.b","Ag=="]]')
    expect(facts[1]).toMatchObject({ digest: hexOf('x'), origin, uid: 1, gid: 2 })
    expect(facts[4]).toMatchObject({ target: 'a', digest: undefined })
  })
})

describe('two makings of a layer', () => {
  const was = [other('app', 'directory'), file('app/a', '1'), file('app/b', '2'), file('app/c', '3')]

  it('that are the same have no difference', () => {
    const moved = was.map((entry) => ({ ...entry, origin: 'layers[9].entries[9]' }))
    expect(compareLayers(was, moved)).toEqual({ added: 0, removed: 0, changed: 0, first: undefined })
  })

  it('are told by the first path in the order of the layer, with counts of all', () => {
    const now = [other('app', 'directory'), file('app/a', '1'), file('app/b', 'two'), file('app/d', '4')]
    const { first, ...counts } = compareLayers(was, now)
    expect(counts).toEqual({ added: 1, removed: 1, changed: 1 })
    expect(first).toEqual({ before: was[2], after: now[2], aspects: ['content'] })
  })

  it.each<[string, Partial<EntryFacts>, readonly string[]]>([
    ['mode', { mode: 0o755 }, ['mode']],
    ['owner', { gid: 1 }, ['owner']],
    ['time', { mtime: 9 }, ['mtime']],
    ['type', { type: 'symlink', target: 'x', digest: undefined, mtime: 0 }, ['type']],
    ['content, and with it its time', file('app/b', 'other'), ['content']],
    ['content and mode', file('app/b', 'other', { mode: 0o600 }), ['content', 'mode']],
    ['content and a time of its own', file('app/b', 'other', { mtime: 9 }), ['content', 'mtime']],
  ])('name what changed: %s', (_, more, aspects) => {
    const now = was.map((entry) => (entry.path === 'app/b' ? { ...entry, ...more } : entry))
    const { changed, first } = compareLayers(was, now)
    expect([changed, first?.aspects]).toEqual([1, aspects])
  })

  it('tell of what was removed or added first, in the order of path components', () => {
    expect(compareLayers(was, was.slice(2)).first).toMatchObject({ before: was[0], after: undefined })
    const inFolder = file('app/a/x', 'x')
    const beside = file('app/a-b', 'x')
    expect(compareLayers([], [beside, inFolder]).first?.after).toEqual(inFolder)
    const removed = other('app/b', 'whiteout')
    expect(compareLayers(was, [...was, removed])).toMatchObject({ added: 1, changed: 0 })
  })
})

describe('the memory of built layers', () => {
  const name: LayerName = { image: 'app', platform: 'linux/amd64', layer: 'deps' }
  const changeset = (text: string): Changeset => ({
    name: 'deps',
    entries: [
      {
        ...({ type: 'file', path: 'x', mode: 0o644, uid: 0, gid: 0, mtime: 'content', origin } as const),
        source: { kind: 'bytes', bytes: Buffer.from(text) },
      },
    ],
  })
  const made = (text: string) => ({
    changeset: changeset(text),
    contents: Buffer.from(hexOf(text), 'hex'),
    key: hexOf(`key of ${text}`),
    compression: { type: 'gzip', level: 5 } as const,
  })

  it('gives the last that was built, by image, platform and layer', () => {
    const dir = join(folder, 'one')
    const memory = openBuiltLayers(dir)
    expect(memory.recall(name)).toBeUndefined()
    memory.remember(name, made('1'))
    memory.remember({ ...name, platform: 'linux/arm64' }, made('2'))
    memory.remember(name, made('3'))
    expect(openBuiltLayers(dir).recall(name)).toEqual({
      key: hexOf('key of 3'),
      compression: 'gzip:5',
      entries: [file('x', '3')],
    })
    expect(readdirSync(dir)).toHaveLength(2)
  })

  it('writes nothing where the layer is the one it knows', () => {
    const dir = join(folder, 'two')
    openBuiltLayers(dir).remember(name, made('1'))
    const path = join(dir, readdirSync(dir)[0] ?? '')
    utimesSync(path, 1, 1)
    openBuiltLayers(dir).remember(name, made('1'))
    expect(statSync(path).mtimeMs).toBe(1000)
    openBuiltLayers(dir).remember(name, made('2'))
    expect(statSync(path).mtimeMs).toBeGreaterThan(1000)
  })

  it('takes a damaged record as none, and writes it anew', () => {
    const dir = join(folder, 'three')
    const memory = openBuiltLayers(dir)
    memory.remember(name, made('1'))
    const path = join(dir, readdirSync(dir)[0] ?? '')
    const whole = readFileSync(path)
    for (const bytes of [whole.subarray(0, -1), whole.subarray(0, 30), Buffer.from('{}'), Buffer.alloc(0)]) {
      writeFileSync(path, bytes)
      expect(memory.recall(name)).toBeUndefined()
    }
    memory.remember(name, made('1'))
    expect(memory.recall(name)?.entries).toEqual([file('x', '1')])
  })
})
