import { lstatSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { extract } from 'tar-stream'
import { afterAll, describe, expect, it } from 'vitest'
import { encodeHeader, paddingBytes, type TarEntry } from '../../src/tar/tar-header.ts'
import { patchTime } from '../../src/tar/ustar.ts'
import { extractTar, listTar } from '../helpers/gnu-tar.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { temporaryFolder } from '../helpers/unpack.ts'

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const plain = { mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0 }

function entry(path: string, more: Partial<TarEntry> = {}): TarEntry {
  return { type: 'file', path, ...plain, ...more }
}

function archiveOf(entries: readonly TarEntry[], content = Buffer.alloc(0)): Buffer {
  const parts = entries.flatMap((one) => {
    const bytes = content.subarray(0, one.size)
    return [encodeHeader(one), bytes, Buffer.alloc(paddingBytes(bytes.length))]
  })
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

function hasPax(one: TarEntry): boolean {
  return String.fromCharCode(encodeHeader(one)[156] ?? 0) === 'x'
}

/** The records of an entry's PAX header, by a reader of its own that believes no length. */
function paxRecords(one: TarEntry): Record<string, Buffer> {
  const header = encodeHeader(one)
  const size = Number.parseInt(header.toString('latin1', 124, 135), 8)
  const records: Record<string, Buffer> = {}
  for (let rest = header.subarray(512, 512 + size); rest.length > 0;) {
    const space = rest.indexOf(' ')
    const length = Number(rest.toString('latin1', 0, space))
    const record = rest.subarray(space + 1, length)
    expect(record.at(-1)).toBe(10)
    const equals = record.indexOf('=')
    records[record.toString('utf8', 0, equals)] = record.subarray(equals + 1, -1)
    rest = rest.subarray(length)
  }
  return records
}

async function readWithTarStream(archive: Buffer): Promise<{ name: string; type: string; size: number }[]> {
  const reader = extract()
  reader.end(archive)
  const found: { name: string; type: string; size: number }[] = []
  for await (const one of reader) {
    const { name, type, size } = one.header
    found.push({ name, type: String(type), size: Number(size) })
    one.resume()
  }
  return found
}

/** Names of exactly `length` bytes of several shapes. */
function namesOf(length: number): string[] {
  const at = (...slashes: number[]): string =>
    Array.from({ length }, (_, index) => (slashes.includes(index) ? '/' : 'n')).join('')
  const shapes = [
    at(),
    at(1),
    at(length - 2),
    at(Math.floor(length / 2)),
    at(length - 101),
    at(length - 102),
    at(99),
    at(100),
    at(154),
    at(155),
    at(156),
    'ab/'.repeat(length).slice(0, length),
  ]
  const usable = shapes.filter((name) => !name.startsWith('/') && !name.endsWith('/') && !name.includes('//'))
  return Array.from(new Set(usable))
}

const lengths = [1, 2, 98, 99, 100, 101, 102, 154, 155, 156, 157, 200, 254, 255, 256, 257, 258, 300, 600]
const names = lengths.flatMap(namesOf)

/** Whether ustar holds a name, by trying every split. */
function ustarHolds(name: string): boolean {
  if (name.length <= 100) return true
  return Array.from(name).some(
    (char, index) =>
      char === '/' &&
      index > 0 &&
      index <= 155 &&
      name.length - index - 1 >= 1 &&
      name.length - index - 1 <= 100,
  )
}

describe('a header', () => {
  it('has PAX records only for names that ustar cannot hold, at every length and split', () => {
    for (const name of names) {
      expect([name, hasPax(entry(name))]).toEqual([name, !ustarHolds(name)])
      expect([name, hasPax(entry(name, { type: 'directory' }))]).toEqual([name, !ustarHolds(`${name}/`)])
    }
  })

  it('is one record where ustar holds every value, up to the last that it holds', () => {
    const most = entry('a'.repeat(100), {
      mode: 0o7777,
      uid: 2 ** 21 - 1,
      gid: 2 ** 21 - 1,
      size: 8 * 2 ** 30 - 1,
      mtime: 8 * 2 ** 30 - 1,
    })
    expect(encodeHeader(most)).toHaveLength(512)
    expect(encodeHeader(entry('l', { type: 'symlink', target: 't'.repeat(100) }))).toHaveLength(512)
  })

  it('says exactly what ustar cannot hold in PAX, and nothing else', () => {
    const cases: [Partial<TarEntry>, Record<string, string>][] = [
      [{ uid: 2 ** 21 }, { uid: '2097152' }],
      [{ gid: 2 ** 32 - 2 }, { gid: '4294967294' }],
      [{ size: 8 * 2 ** 30 }, { size: '8589934592' }],
      [{ mtime: -1 }, { mtime: '-1' }],
      [{ mtime: 8 * 2 ** 30 }, { mtime: '8589934592' }],
      [{ type: 'symlink', target: 't'.repeat(101) }, { linkpath: 't'.repeat(101) }],
      [{ type: 'hardlink', target: 'ä' }, { linkpath: 'ä' }],
      [{ path: 'dätei' }, { path: 'dätei' }],
      [{ path: 'ordner-ä', type: 'directory' }, { path: 'ordner-ä/' }],
    ]
    for (const [more, records] of cases) {
      const found = paxRecords(entry('x', more))
      expect(
        Object.fromEntries(Object.entries(found).map(([key, value]) => [key, value.toString()])),
      ).toEqual(records)
    }
  })

  it('counts the length of a PAX record with its own digits, across every power of ten', () => {
    for (const length of [
      ...Array.from({ length: 120 }, (_, index) => index + 1),
      980,
      985,
      990,
      995,
      9985,
      9990,
    ]) {
      const target = 'ü'.repeat(length)
      expect(paxRecords(entry('x', { type: 'symlink', target }))['linkpath']?.toString()).toBe(target)
    }
  })

  it('keeps the bytes of extended attributes, sorted by name', () => {
    const value = Buffer.from([0, 10, 61, 255, 1])
    const directory = entry('d', {
      type: 'directory',
      xattrs: { 'user.b': value.toString('base64'), 'user.a': Buffer.from('1').toString('base64') },
    })
    const records = paxRecords(directory)
    expect(Object.keys(records)).toEqual(['SCHILY.xattr.user.a', 'SCHILY.xattr.user.b'])
    expect(records['SCHILY.xattr.user.b']).toEqual(value)
  })

  it('has no name of an owner, and a version that ustar readers know', () => {
    const header = encodeHeader(entry('x'))
    expect(header.toString('latin1', 257, 265)).toBe('ustar\u000000')
    expect(header.subarray(265, 329)).toEqual(Buffer.alloc(64))
  })

  it('takes another time in place, behind PAX records too, as if it had been made with it', () => {
    for (const path of ['x', 'ä'.repeat(300)]) {
      const header = encodeHeader(entry(path))
      patchTime(header, 946_684_800)
      expect(header).toEqual(encodeHeader(entry(path, { mtime: 946_684_800 })))
    }
  })

  it('is no directory to readers without PAX where the name is cut off after a slash', () => {
    const records = encodeHeader(entry(`${'n'.repeat(99)}/ä`))
    expect(records.subarray(-512).toString('latin1', 0, 100)).toBe(`${'n'.repeat(99)}\0`)
  })

  it('is read by tar-stream with the name, type and size that went in', async () => {
    const content = Buffer.from('some content')
    const files = names.map((name) => entry(`f${name}`, { size: content.length }))
    const found = await readWithTarStream(archiveOf(files, content))
    expect(found).toEqual(files.map(({ path, size }) => ({ name: path, type: 'file', size })))
  })
})

describeWithPeers('GNU tar', ['tar'], () => {
  it('lists files and directories of every length with the name that went in', () => {
    const entries = names.flatMap((name) => [entry(name), entry(name, { type: 'directory' })])
    const listed = listTar(archiveOf(entries)).map(({ name }) => name)
    expect(listed).toEqual(entries.map(({ path, type }) => (type === 'directory' ? `${path}/` : path)))
  })

  it('lists odd names: not ASCII, new lines, tabs, quotes, backslashes, spaces, leading dashes', () => {
    const odd = [
      'ä',
      'a\nb',
      'a\tb',
      `"'`,
      'a\\nb',
      ' a ',
      '-rf',
      '日本/語',
      '😀',
      'e\u0301',
      '\u0001',
      '\ufffd',
    ]
    expect(listTar(archiveOf(odd.map((name) => entry(name)))).map(({ name }) => name)).toEqual(odd)
  })

  it('lists owners, sizes and times beyond what ustar holds', () => {
    for (const more of [
      { uid: 2 ** 21 - 1, gid: 2 ** 21 },
      { uid: 2 ** 32 - 2, gid: 1 },
      { mtime: -86_400 },
      { mtime: 2 ** 33 },
      { mtime: 946_684_799 },
    ]) {
      expect(listTar(archiveOf([entry('x', more)]))).toMatchObject([more])
    }
    for (const size of [2 ** 33 - 1, 2 ** 33, 2 ** 40]) {
      expect(listTar(archiveOf([entry('x', { size })]), { cut: true })).toMatchObject([{ size }])
    }
  })

  it('lists link targets of every length', () => {
    const targets = [1, 99, 100, 101, 255, 256, 1000].map((length) => 't'.repeat(length))
    const links = [...targets, '/ä', 'a\nb', '../..'].flatMap((target) => [
      entry('l', { type: 'symlink', target }),
      entry('h', { type: 'hardlink', target }),
    ])
    const listed = listTar(archiveOf(links)).map(({ target }) => target)
    expect(listed).toEqual(links.map(({ target }) => target))
  })

  it('extracts what went in: names, modes, owners, times, contents, links', () => {
    const content = Buffer.from('the content of each')
    const holdable = names.filter((name) => name.split('/').every((part) => part.length <= 250))
    // A folder of its own each, so that no name stands in the way of another.
    const files = holdable.map((name, index) =>
      entry(`${index}/${name}`, {
        size: content.length,
        mode: 0o640,
        uid: 3_000_000,
        gid: 7,
        mtime: 315_532_801,
      }),
    )
    const target = files[0]?.path ?? ''
    const links = [
      entry('symlink', { type: 'symlink', target: 'ä'.repeat(120), mode: 0o777 }),
      entry('hardlink', { type: 'hardlink', target }),
    ]
    extractTar(archiveOf([...files, ...links], content), folder)
    for (const { path } of files) {
      expect(readFileSync(join(folder, path))).toEqual(content)
      const stats = lstatSync(join(folder, path))
      expect([stats.mode & 0o7777, stats.mtimeMs]).toEqual([0o640, 315_532_801_000])
      if (process.getuid?.() === 0) expect([stats.uid, stats.gid]).toEqual([3_000_000, 7])
    }
    expect(readlinkSync(join(folder, 'symlink'))).toBe('ä'.repeat(120))
    expect(lstatSync(join(folder, 'hardlink')).ino).toBe(lstatSync(join(folder, target)).ino)
  })
})
