/** Archives made to harm, or just broken. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { array, assert as assertProperty, asyncProperty, nat, tuple } from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openArchive, type ArchiveKind, type ArchiveStore } from '../../src/archive/open-archive.ts'
import { sha256 } from '../../src/content/hash.ts'
import { OciBuildError } from '../../src/errors.ts'
import { collectBytes, tarHeader, tarOf } from '../helpers/images.ts'

let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocibuild-hostile-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function open(bytes: Uint8Array, kind: ArchiveKind = 'docker-archive'): Promise<ArchiveStore> {
  writeFileSync(join(dir, 'x.tar'), bytes)
  return await openArchive(join(dir, 'x.tar'), kind, { spoolDir: join(dir, 'spool') })
}

const layer = tarOf({ a: '1' })
const config = JSON.stringify({
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [sha256(layer)] },
})
const savedManifest = (layers: readonly string[], name = 'c.json'): string =>
  JSON.stringify([{ Config: name, RepoTags: ['a:1'], Layers: layers }])
const refused = (code: string): object => ({ code: `OCB-${code}` })

describe('archives that are refused', () => {
  it.each([
    ['nothing', Buffer.alloc(0), 'ARCHIVE-DAMAGED'],
    ['two records of zeros', Buffer.alloc(1024), 'ARCHIVE-INVALID'],
    ['no tar', Buffer.alloc(4096, 'x'), 'ARCHIVE-DAMAGED'],
    ['another tar', tarOf({ readme: 'x' }), 'ARCHIVE-INVALID'],
    ['one that is cut', tarOf({ 'index.json': 'x'.repeat(4000) }).subarray(0, 1024), 'ARCHIVE-DAMAGED'],
    ['a manifest that is no JSON', tarOf({ 'manifest.json': '{' }), 'DOCUMENT-INVALID'],
    ['a manifest that is no list', tarOf({ 'manifest.json': '{}' }), 'DOCUMENT-INVALID'],
    ['an index that is no index', tarOf({ 'index.json': '[]' }), 'DOCUMENT-INVALID'],
    ['a document of 5 MiB', tarOf({ 'manifest.json': ' '.repeat(5 << 20) }), 'DOCUMENT-TOO-LARGE'],
    ['a missing config', tarOf({ 'manifest.json': savedManifest([]) }), 'ARCHIVE-INVALID'],
    [
      'a missing layer',
      tarOf({ 'c.json': config, 'manifest.json': savedManifest(['l.tar']) }),
      'ARCHIVE-INVALID',
    ],
    [
      'fewer layers than diffIDs',
      tarOf({ 'c.json': config, 'manifest.json': savedManifest([]) }),
      'ARCHIVE-INVALID',
    ],
    [
      'a path out of the archive',
      tarOf({ 'c.json': config, 'manifest.json': savedManifest(['../../../../etc/passwd']) }),
      'ARCHIVE-INVALID',
    ],
  ])('%s', async (_title, bytes, code) => {
    await expect(open(bytes)).rejects.toMatchObject(refused(code))
  })

  it('links that lead out of the archive, or in a circle, lead nowhere', async () => {
    for (const target of ['/etc/passwd', '../../../../etc/passwd', 'l.tar', '../l.tar']) {
      const link = tarHeader({ name: 'l.tar', size: 0, type: '2', target })
      const rest = tarOf({ 'c.json': config, 'manifest.json': savedManifest(['l.tar']) })
      await expect(open(Buffer.concat([link, rest]))).rejects.toMatchObject(refused('ARCHIVE-INVALID'))
    }
  })

  it('a layer that is not what its diffID says is noticed when it is read', async () => {
    const entries = {
      'l.tar': tarOf({ a: '2' }),
      'c.json': config,
      'manifest.json': savedManifest(['l.tar']),
    }
    const store = await open(tarOf(entries))
    const wanted = { mediaType: 'x', digest: sha256(layer), size: layer.length }
    await expect(collectBytes(await store.fetch(wanted))).rejects.toMatchObject(refused('CONTENT-MISMATCH'))
  })

  it('sizes and names beyond all bounds', async () => {
    const header = tarHeader({ name: 'index.json', size: 0, type: '0' })
    const huge = Buffer.from(header)
    huge.fill(0xff, 125, 136)
    huge[124] = 0x80
    const negative = Buffer.from(header)
    negative.fill(0xff, 124, 136)
    for (const record of [huge, negative, tarHeader({ name: 'x', size: 2 ** 32, type: 'L' })]) {
      writeChecksum(record)
      await expect(open(Buffer.concat([record, Buffer.alloc(1024)]))).rejects.toMatchObject(
        refused('ARCHIVE-DAMAGED'),
      )
    }
    for (const records of ['99999 path=x\n', '0 path=x\n', '-5 path=x\n', 'x path=x\n', '12 size=-1x\n']) {
      const pax = tarHeader({ name: 'pax', size: records.length, type: 'x' })
      const body = Buffer.alloc(512)
      body.write(records)
      await expect(open(Buffer.concat([pax, body, tarOf({ a: '' })]))).rejects.toMatchObject(
        refused('ARCHIVE-DAMAGED'),
      )
    }
  })

  it('any damage to any byte is an error of ours or does no harm', async () => {
    const whole = tarOf({ 'l.tar': layer, 'c.json': config, 'manifest.json': savedManifest(['l.tar']) })
    await assertProperty(
      asyncProperty(
        array(tuple(nat(whole.length - 1), nat(255)), { minLength: 1, maxLength: 6 }),
        async (changes) => {
          const bytes = Buffer.from(whole)
          for (const [at, value] of changes) bytes[at] = value
          try {
            await open(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(OciBuildError)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

function writeChecksum(record: Buffer): void {
  record.fill(0x20, 148, 156)
  const sum = record.reduce((total, byte) => total + byte, 0)
  record.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
}
