/** Downloads as entries: checked, kept, placed or unpacked. */

import { execFileSync } from 'node:child_process'
import { linkSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EntryOf } from '../../src/config/resolved-spec.ts'
import { sha256 } from '../../src/content/hash.ts'
import { openLayout } from '../../src/layout/layout-store.ts'
import type { PlanContext } from '../../src/plan/plan-context.ts'
import { describeWithPeers, itWithPeers } from '../helpers/peers.ts'
import { serve } from '../registry/loopback.ts'
import { failureOf, lines, makeFolder, planContext, planEntries } from './plan-helpers.ts'

async function contextWithStore(overrides: Partial<PlanContext> = {}): Promise<PlanContext> {
  const root = makeFolder()
  const blobs = await openLayout(join(root, 'store'), { create: true })
  return planContext(root, { blobs, ...overrides })
}

function downloadEntry(
  download: string,
  bytes: string | Uint8Array,
  rest: Partial<EntryOf<'download'>> = {},
): EntryOf<'download'> {
  return {
    at: 'layers[0].entries[0]',
    verb: 'download',
    download,
    sha256: sha256(bytes).slice(7),
    to: '/opt/tool',
    mode: undefined,
    owner: undefined,
    extract: false,
    strip: 0,
    ...rest,
  }
}

describe('download', () => {
  it('is placed with its digest known, and fetched only once', async () => {
    const { origin, requests } = await serve((_, response) => response.end('tool'))
    const context = await contextWithStore()
    const entry = downloadEntry(`${origin}/tool`, 'tool', { mode: 0o755, owner: '1:1' })
    for (const offline of [false, false, true]) {
      const { placements } = await planEntries([entry], { ...context, offline })
      expect(placements).toMatchObject([
        { type: 'file', path: '/opt/tool', mode: 0o755, owner: '1:1', mtime: 'content' },
      ])
      const [placement] = placements
      if (placement?.type !== 'file' || placement.source.kind !== 'host') throw new Error('no file')
      expect(placement.source).toMatchObject({ size: 4, digest: sha256('tool') })
      expect(readFileSync(placement.source.path, 'utf8')).toBe('tool')
    }
    expect(requests).toHaveLength(1)
  })

  it.each([
    ['/a/b%20c.bin?x=1', '/opt/', '/opt/b c.bin'],
    ['/a/tool', '/', '/tool'],
  ])('%s lands in a folder %s as %s', async (path, to, lands) => {
    const { origin } = await serve((_, response) => response.end('x'))
    const { placements } = await planEntries(
      [downloadEntry(origin + path, 'x', { to })],
      await contextWithStore(),
    )
    expect(lines(placements)).toEqual([lands])
  })

  it('says seen and wanted when the checksum differs, keeps nothing and does not try again', async () => {
    const { origin, requests } = await serve((_, response) => response.end('evil'))
    const context = await contextWithStore()
    const failure = await failureOf(planEntries([downloadEntry(`${origin}/tool`, 'good')], context))
    expect(failure.code).toBe('OCB-DOWNLOAD-CHECKSUM')
    expect(failure.message).toContain(sha256('evil'))
    expect(failure.message).toContain(sha256('good'))
    expect(requests).toHaveLength(1)
    expect(await context.blobs.find(sha256('evil'))).toBeUndefined()
  })

  it('is refused offline when it is not kept, without its credentials in the message', async () => {
    const context = await contextWithStore({ offline: true })
    const failure = await failureOf(
      planEntries([downloadEntry('https://me:secret@host.invalid/x', '')], context),
    )
    expect(failure.code).toBe('OCB-NETWORK-OFFLINE')
    expect(failure.message).toContain('https://host.invalid/x')
    expect(failure.message).not.toContain('secret')
  })
})

describeWithPeers('archives made by GNU tar', ['tar', 'gzip'], ({ tar }) => {
  const makeArchive = (...parameters: string[]): string => {
    const root = makeFolder({
      'top/bin/run': { text: '#!/bin/sh\n', mode: 0o700 },
      'top/readme': { text: 'hi', mode: 0o600 },
      'top/link': { link: 'bin/run' },
      'top/docs/a.md': 'a',
    })
    linkSync(join(root, 'top/readme'), join(root, 'top/same'))
    execFileSync(tar, [
      '--sort=name',
      '--owner=7',
      '--group=8',
      ...parameters,
      '-cf',
      join(root, 'a.tar'),
      '-C',
      root,
      'top',
    ])
    return root
  }
  const archiveEntry = (root: string, rest: Partial<EntryOf<'archive'>> = {}): EntryOf<'archive'> => ({
    at: 'layers[0].entries[0]',
    verb: 'archive',
    archive: 'a.tar',
    to: '/opt/x',
    strip: 1,
    include: undefined,
    exclude: [],
    owner: undefined,
    root,
    ...rest,
  })

  it('are normalised like everything that is copied', async () => {
    const root = makeArchive('-z')
    const { placements } = await planEntries([archiveEntry(root)], planContext(root))
    expect(lines(placements)).toEqual([
      '/opt/x/bin/',
      '/opt/x/bin/run',
      '/opt/x/docs/',
      '/opt/x/docs/a.md',
      '/opt/x/link -> bin/run',
      '/opt/x/readme',
      '/opt/x/same => /opt/x/readme',
    ])
    expect(placements).toMatchObject([
      { owner: undefined, mode: undefined },
      { mode: 0o755, mtime: 'content', owner: undefined },
      {},
      { mode: 0o644 },
      {},
      { mode: 0o644, mtime: 'content' },
      { type: 'hardlink' },
    ])
  })

  it('take owner, include and exclude of the entry, and say when nothing is left', async () => {
    const root = makeArchive()
    const { placements } = await planEntries(
      [archiveEntry(root, { owner: '5:5', include: ['bin', 'docs/**'], exclude: ['**/*.md'] })],
      planContext(root),
    )
    expect(lines(placements)).toContain('/opt/x/bin/run')
    expect(lines(placements)).not.toContain('/opt/x/docs/a.md')
    expect(placements[0]).toMatchObject({ owner: '5:5' })
    const failure = await failureOf(planEntries([archiveEntry(root, { strip: 9 })], planContext(root)))
    expect(failure.code).toBe('OCB-COPY-NO-MATCH')
    const missing = await failureOf(
      planEntries([archiveEntry(root, { archive: 'b.tar' })], planContext(root)),
    )
    expect(missing.code).toBe('OCB-COPY-NO-MATCH')
    const folder = await failureOf(planEntries([archiveEntry(root, { archive: 'top' })], planContext(root)))
    expect(folder.code).toBe('OCB-SPEC-ARCHIVE')
  })

  it('are unpacked from a download', async () => {
    const bytes = readFileSync(join(makeArchive('-z'), 'a.tar'))
    const { origin } = await serve((_, response) => response.end(bytes))
    const entry = downloadEntry(`${origin}/a.tgz`, bytes, { extract: true, strip: 1, to: '/opt/y' })
    const { placements } = await planEntries([entry], await contextWithStore())
    expect(lines(placements)).toContain('/opt/y/bin/run')
  })

  it('that are cut are named by the entry, or by the URL that they came from', async () => {
    const root = makeArchive('-z')
    const cut = readFileSync(join(root, 'a.tar')).subarray(0, -20)
    writeFileSync(join(root, 'a.tar'), cut)
    const failure = await failureOf(planEntries([archiveEntry(root)], planContext(root)))
    expect(failure.code).toBe('OCB-COMPRESSION-DAMAGED')
    expect(failure.message).toContain('layers[0].entries[0].archive "a.tar"')
    const { origin } = await serve((_, response) => response.end(cut))
    const entry = downloadEntry(`${origin}/a.tgz`, cut, { extract: true })
    const download = await failureOf(planEntries([entry], await contextWithStore()))
    expect(download.message).toContain(`${origin}/a.tgz`)
  })

  itWithPeers('that hold a fifo are refused, by its name', ['mkfifo'], async () => {
    const root = makeFolder({ 'top/a': '' })
    execFileSync('mkfifo', [join(root, 'top/pipe')])
    execFileSync(tar, ['-cf', join(root, 'a.tar'), '-C', root, 'top'])
    const failure = await failureOf(planEntries([archiveEntry(root)], planContext(root)))
    expect(failure.message).toContain('entry "top/pipe" is refused: a fifo does not belong in an image')
  })

  it('may not smuggle in a whiteout', async () => {
    const root = makeFolder({ 'top/.wh.x': '' })
    execFileSync(tar, ['-cf', join(root, 'a.tar'), '-C', root, 'top'])
    const failure = await failureOf(planEntries([archiveEntry(root)], planContext(root)))
    expect(['OCB-NAME-WHITEOUT', 'OCB-ARCHIVE-UNSAFE']).toContain(failure.code)
    expect(failure.message).toContain('.wh.x')
  })
})
