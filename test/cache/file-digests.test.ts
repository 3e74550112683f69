import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openFileDigests, type FileDigests } from '../../src/cache/file-digests.ts'
import type { FileSource } from '../../src/rootfs/file-source.ts'
import { freshFolder } from './fresh-folder.ts'

type HostSource = Extract<FileSource, { readonly kind: 'host' }>

const folder = freshFolder()

const digest = new Uint8Array(32).fill(0xab)
const other = new Uint8Array(32).fill(0xcd)
const now = 1_800_000_000_000

function host(path: string, more: Partial<HostSource> = {}): HostSource {
  return { kind: 'host', path, size: 5, mtimeMs: 1_000.25, ctimeMs: 2_000.5, ino: 77, ...more }
}

function memory(root = '/project', wallClockMs = now): FileDigests {
  return openFileDigests(folder, root, () => wallClockMs)
}

function remembered(...sources: readonly HostSource[]): void {
  const files = memory()
  for (const source of sources) files.remember(source, digest)
  files.save()
}

describe('the digests of files', () => {
  it('are remembered by the next run', () => {
    remembered(host('/a'), host('/b c é', { size: 6 }))
    expect(memory().lookup(host('/a'))).toEqual(digest)
    expect(memory().lookup(host('/b c é', { size: 6 }))).toEqual(digest)
  })

  it('are new until an earlier run remembered one', () => {
    expect(memory().isNew()).toBe(true)
    remembered(host('/a'))
    expect(memory().isNew()).toBe(false)
    expect(memory('/other').isNew()).toBe(true)
  })

  it.each([true, false])('are remembered many at once, beside earlier ones: %s', (hasEarlier) => {
    if (hasEarlier) remembered(host('/a', { size: 1 }), host('/earlier'))
    const files = memory()
    const sources = [host('/a'), host('/lost', { ino: 8 }), host('/c', { ino: 9 })]
    const digests = Buffer.concat([digest, other, other])
    files.rememberAll(sources, digests, Uint8Array.of(1, hasEarlier ? 0 : 1, 1))
    const check = (known: FileDigests): void => {
      expect(sources.map((source) => known.lookup(source))).toEqual([
        digest,
        hasEarlier ? undefined : other,
        other,
      ])
      expect(known.lookup(host('/earlier'))).toEqual(hasEarlier ? digest : undefined)
    }
    check(files)
    files.save()
    check(memory())
  })

  it('are known to all images of a run, unless the file changed since', () => {
    const files = memory()
    files.remember(host('/a'), digest)
    expect(files.lookup(host('/a'))).toEqual(digest)
    expect(files.lookup(host('/a', { mtimeMs: 1_001 }))).toBeUndefined()
    files.remember(host('/new', { mtimeMs: now - 1 }), digest)
    expect(files.lookup(host('/new', { mtimeMs: now - 1 }))).toBeUndefined()
  })

  it.each([
    { size: 50 },
    { size: 6 },
    { mtimeMs: 1_000 },
    { ctimeMs: 2_000 },
    { ino: 7 },
    { ino: 770 },
    { path: '/b' },
  ])('are forgotten where the file has another %o', (more) => {
    remembered(host('/a'))
    expect(memory().lookup(host('/a', more))).toBeUndefined()
  })

  it('are replaced when the file was hashed again', () => {
    remembered(host('/a'))
    const files = memory()
    files.remember(host('/a', { mtimeMs: 5 }), other)
    files.save()
    expect(memory().lookup(host('/a'))).toBeUndefined()
    expect(memory().lookup(host('/a', { mtimeMs: 5 }))).toEqual(other)
  })

  it.each([
    ['was written less than two seconds ago', { mtimeMs: now - 1_999 }],
    ['had its times set less than two seconds ago', { ctimeMs: now - 1_999 }],
    ['has a time to come', { mtimeMs: now + 100_000 }],
    ['is gone after the build', { temporary: true }],
  ])('are not remembered of a file that %s', (_, more) => {
    remembered(host('/a', more))
    expect(memory().lookup(host('/a', more))).toBeUndefined()
  })

  it('are remembered from two seconds on', () => {
    const source = host('/a', { mtimeMs: now - 2_000, ctimeMs: now - 2_000 })
    remembered(source)
    expect(memory().lookup(source)).toEqual(digest)
  })

  it('are remembered whatever stands in a name', () => {
    const sources = ['/a\nb', '/a\tb', '/a\r', '/é', '/\u{1f600}'].map((path) => host(path))
    remembered(...sources)
    expect(sources.map((source) => memory().lookup(source))).toEqual(sources.map(() => digest))
    expect(memory().lookup(host('/a'))).toBeUndefined()
  })

  it('are found in whatever order they are asked for, also those of many files', () => {
    const sources = Array.from({ length: 300 }, (_, index) => host(`/${index}`, { ino: index % 250 }))
    remembered(...sources)
    const wanted = (source: HostSource): Uint8Array => new Uint8Array(32).fill(Number(source.path.slice(1)))
    const files = memory()
    for (const source of sources.toReversed()) expect(files.lookup(source)).toEqual(digest)
    expect(files.lookup(host('/1', { ino: 2 }))).toBeUndefined()
    for (const source of sources.slice(100, 200)) files.remember({ ...source, size: 9 }, wanted(source))
    files.save()
    const again = memory()
    for (const source of sources.slice(0, 100)) expect(again.lookup(source)).toEqual(digest)
    for (const source of sources.slice(100, 200)) {
      expect(again.lookup(source)).toBeUndefined()
      expect(again.lookup({ ...source, size: 9 })).toEqual(wanted(source))
    }
    for (const source of sources.slice(200).toReversed()) expect(again.lookup(source)).toEqual(digest)
  })

  it('are not written again where a run found nothing that was not known', () => {
    remembered(host('/a'), host('/b'))
    const [name = ''] = readdirSync(folder)
    rmSync(join(folder, name))
    const files = memory()
    expect(files.lookup(host('/a'))).toBeUndefined()
    remembered(host('/a'), host('/b'))
    const known = memory()
    expect([known.lookup(host('/a')), known.lookup(host('/b'))]).toEqual([digest, digest])
    known.remember(host('/a'), digest)
    known.remember(host('/b'), digest)
    rmSync(join(folder, name))
    known.save()
    expect(readdirSync(folder)).toEqual([])
  })

  it('of files that a run does not ask for are kept for the next', () => {
    remembered(host('/a'))
    remembered(host('/b'))
    expect(memory().lookup(host('/a'))).toEqual(digest)
  })

  it('of one project are not those of another', () => {
    remembered(host('/a'))
    expect(memory('/elsewhere').lookup(host('/a'))).toBeUndefined()
  })

  it('are written only when there is something new', () => {
    remembered(host('/a'))
    const [name = ''] = readdirSync(folder)
    rmSync(join(folder, name))
    const files = memory()
    files.save()
    expect(readdirSync(folder)).toEqual([])
  })

  it('are all forgotten where the memory is damaged anywhere', () => {
    remembered(host('/a'), host('/b'))
    const [name = ''] = readdirSync(folder)
    const path = join(folder, name)
    const whole = readFileSync(path)
    const flipped = Array.from(whole.keys(), (index) => {
      const bytes = Buffer.from(whole)
      bytes[index] = (bytes[index] ?? 0) ^ 1
      return bytes
    })
    const damages = [
      Buffer.alloc(0),
      whole.subarray(0, -10),
      Buffer.concat([whole, Buffer.alloc(4)]),
      ...flipped,
    ]
    for (const damaged of damages) {
      writeFileSync(path, damaged)
      expect([memory().lookup(host('/a')), memory().lookup(host('/b'))]).toEqual([undefined, undefined])
    }
    rmSync(path)
    mkdirSync(path)
    expect(memory().lookup(host('/a'))).toBeUndefined()
  })
})
