/** The verbs that place what stands in the spec, and files of other images. */

import { describe, expect, it } from 'vitest'
import type { EntrySpec } from '../../src/config/resolved-spec.ts'
import { OciBuildError } from '../../src/errors.ts'
import type { Rootfs } from '../../src/rootfs/collect-files.ts'
import { createTree } from '../../src/rootfs/tree.ts'
import type { LayerEntry } from '../../src/rootfs/tree-types.ts'
import { copyEntry, failureOf, lines, makeFolder, planContext, planEntries } from './plan-helpers.ts'

const at = 'layers[0].entries[0]'
const bytes = new TextEncoder().encode('hello\n')
const none = { mode: undefined, owner: undefined }

async function place(entry: EntrySpec): Promise<unknown> {
  const { placements } = await planEntries([entry], planContext('/nowhere'))
  return placements[0]
}

describe('verbs', () => {
  it('file places bytes, 0644 unless told', async () => {
    const source = { kind: 'bytes', bytes }
    expect(await place({ at, verb: 'file', file: '/etc//motd', content: bytes, ...none })).toEqual({
      type: 'file',
      path: '/etc/motd',
      origin: at,
      mode: 0o644,
      owner: undefined,
      mtime: 'content',
      source,
    })
    expect(
      await place({ at, verb: 'file', file: '/run', content: bytes, mode: 0o755, owner: '1' }),
    ).toMatchObject({ mode: 0o755, owner: '1' })
  })

  it('append places bytes or one host file', async () => {
    const root = makeFolder({ 'certs/corp.pem': 'PEM', 'certs/link': { link: 'corp.pem' } })
    expect(
      await place({ at, verb: 'append', append: '/etc/passwd', content: bytes, copy: undefined, root }),
    ).toEqual({ type: 'append', path: '/etc/passwd', origin: at, source: { kind: 'bytes', bytes } })
    for (const copy of ['certs/corp.pem', 'certs/link']) {
      expect(
        await place({ at, verb: 'append', append: '/etc/ca.pem', content: undefined, copy, root }),
      ).toMatchObject({ type: 'append', source: { kind: 'host', path: `${root}/certs/corp.pem`, size: 3 } })
    }
    const append = { at, verb: 'append', append: '/a', content: undefined, root } as const
    expect((await failureOf(place({ ...append, copy: 'certs' }))).code).toBe('OCB-SPEC-APPEND')
    expect((await failureOf(place({ ...append, copy: 'gone' }))).code).toBe('OCB-COPY-NO-MATCH')
  })

  it('directory, symlink, hardlink, remove and opaque place themselves', async () => {
    const entries: readonly EntrySpec[] = [
      { at, verb: 'directory', directory: '/data/', mode: 0o1777, owner: 'node' },
      { at, verb: 'symlink', symlink: '/usr/bin/app', target: '../../app/cli.js', owner: undefined },
      { at, verb: 'hardlink', hardlink: '/b', target: '/a' },
      { at, verb: 'remove', remove: '/var/cache' },
      { at, verb: 'opaque', opaque: '/var/lib/' },
    ]
    const { placements } = await planEntries(entries, planContext('/nowhere'))
    expect(placements).toEqual([
      { type: 'directory', path: '/data', origin: at, mode: 0o1777, owner: 'node', mtime: 0, explicit: true },
      {
        type: 'symlink',
        path: '/usr/bin/app',
        origin: at,
        target: '../../app/cli.js',
        owner: undefined,
        mtime: 0,
      },
      { type: 'hardlink', path: '/b', origin: at, target: '/a' },
      { type: 'remove', path: '/var/cache', origin: at },
      { type: 'opaque', path: '/var/lib', origin: at },
    ])
  })

  it.each<readonly [string, EntrySpec]>([
    ['a file at a folder', { at, verb: 'file', file: '/a/', content: bytes, ...none }],
    ['a file at the root', { at, verb: 'file', file: '/', content: bytes, ...none }],
    ['a relative path', { at, verb: 'directory', directory: 'a', ...none }],
    ['removing the root', { at, verb: 'remove', remove: '/' }],
    ['a symlink at the root', { at, verb: 'symlink', symlink: '/', target: 'a', owner: undefined }],
  ])('%s is refused', async (_, entry) => {
    expect((await failureOf(place(entry))).code).toBe('OCB-SPEC-IMAGE-PATH')
  })

  it.each<readonly [string, EntrySpec]>([
    ['nothing', { at, verb: 'symlink', symlink: '/a', target: '', owner: undefined }],
    ['a NUL', { at, verb: 'symlink', symlink: '/a', target: 'b\0', owner: undefined }],
    ['itself', { at, verb: 'hardlink', hardlink: '/a', target: '//a' }],
  ])('a link to %s is refused', async (_, entry) => {
    expect((await failureOf(place(entry))).code).toBe('OCB-SPEC-LINK-TARGET')
  })

  it('stops between entries when the build is interrupted', async () => {
    const base = planContext('/nowhere')
    const context = { ...base, reporter: { ...base.reporter, signal: AbortSignal.abort() } }
    const entries: readonly EntrySpec[] = [{ at, verb: 'remove', remove: '/a' }]
    expect((await failureOf(planEntries(entries, context))).code).toBe('OCB-INTERRUPTED')
  })
})

describe('copy from another image', () => {
  const node = (path: string, type: LayerEntry['type'], rest: Partial<LayerEntry> = {}): LayerEntry => ({
    path,
    type,
    mode: 0o755,
    uid: 3,
    gid: 4,
    mtime: 99,
    size: 0,
    ...rest,
  })
  /** Links and folders only: their bytes need no layer. */
  const image: Rootfs = {
    store: { fetch: () => Promise.reject(new Error('no bytes in this test')) },
    layers: [],
    tree: createTree([
      [
        node('usr', 'directory'),
        node('usr/bin', 'directory', { mode: 0o2775 }),
        node('usr/bin/a', 'symlink', { target: 'b' }),
        node('usr/lib', 'directory'),
        node('usr/lib/x.so', 'symlink', { target: 'x.so.1' }),
        node('bin', 'symlink', { target: 'usr/bin' }),
      ],
    ]),
  }
  const from = { transport: 'oci', path: 'other' } as const
  const plan = async (
    copy: string | readonly string[],
    to: string,
    rest: Parameters<typeof copyEntry>[3] = {},
  ): ReturnType<typeof planEntries> =>
    await planEntries(
      [copyEntry('/nowhere', copy, to, { from, ...rest })],
      planContext('/nowhere', { openImage: () => Promise.resolve(image) }),
    )

  it.each<readonly [string | readonly string[], string, readonly string[]]>([
    ['/usr/bin', '/x', ['/x/', '/x/a -> b']],
    ['usr/bin/', '/x/', ['/x/', '/x/a -> b']],
    ['/usr/bin/a', '/x', ['/x -> b']],
    ['/usr/bin/a', '/x/', ['/x/a -> b']],
    ['/bin/a', '/x/', ['/x/a -> b']],
    ['/usr/lib', '/', ['/x.so -> x.so.1']],
    [['/usr/bin/a', '/usr/lib'], '/x', ['/x/usr/bin/a -> b', '/x/usr/lib/', '/x/usr/lib/x.so -> x.so.1']],
    ['/usr/*/x*', '/x', ['/x/lib/x.so -> x.so.1']],
  ])('%j to %s', async (copy, to, lands) => {
    expect(lines((await plan(copy, to)).placements)).toEqual(lands)
  })

  it('normalises modes and times, or keeps them', async () => {
    expect((await plan('/usr/bin', '/x', { owner: '1:2' })).placements[0]).toMatchObject({
      mode: undefined,
      mtime: 0,
      owner: '1:2',
    })
    expect(
      (await plan('/usr/bin', '/x', { mode: 'preserve', mtime: 'preserve' })).placements[0],
    ).toMatchObject({
      mode: 0o2775,
      mtime: 99,
    })
  })

  it('follows links inside the image when asked to', async () => {
    const followed = { follow: true, exclude: ['a'] }
    expect(lines((await plan('/bin', '/x', followed)).placements)).toEqual(['/x/'])
    expect((await failureOf(plan('/bin', '/x', { follow: true }))).code).toBe('OCB-COPY-LINK-BROKEN')
  })

  it('says what it copies from when that cannot be read', async () => {
    const broken = { ...from, path: 'missing' }
    const openImage = (): Promise<never> =>
      Promise.reject(new OciBuildError('OCB-LAYOUT-NOT-FOUND', { message: 'there is no image layout' }))
    const context = planContext('/nowhere', { openImage })
    const failure = await failureOf(planEntries([copyEntry('/', '/a', '/x', { from: broken })], context))
    expect(failure.message).toBe('layers[0].entries[0].from: there is no image layout')
  })

  it('says which path matched nothing', async () => {
    const failure = await failureOf(plan(['/usr/bin', '/gone'], '/x'))
    expect(failure.code).toBe('OCB-COPY-NO-MATCH')
    expect(failure.message).toContain('copy[1] "/gone"')
  })
})
