/** Fingerprints of planned layers: equal for the same input, another for any other. */

import { describe, expect, it } from 'vitest'
import { baseFingerprint, fingerprintOf, type FingerprintOptions } from '../../src/layer/fingerprint.ts'
import type { Placement } from '../../src/plan/placement.ts'

type File = Extract<Placement, { readonly type: 'file' }>
type HostFile = Extract<File['source'], { readonly kind: 'host' }>

const host: HostFile = { kind: 'host', path: '/h/a', size: 3, mtimeMs: 1000.5, ctimeMs: 2000.5, ino: 7 }
const file: File = {
  type: 'file',
  path: '/a',
  origin: 'layers[0].entries[0]',
  mode: 0o644,
  owner: undefined,
  mtime: 'content',
  source: host,
}
const options: FingerprintOptions = {
  compression: { type: 'gzip', level: 5 },
  lower: baseFingerprint(['sha256:1']),
  encoderId: '',
  startedMs: 10_000,
}

function of(placements: readonly Placement[], changed: Partial<FingerprintOptions> = {}): string | undefined {
  const layer = { name: 'app', at: 'layers[0]', compression: options.compression, placements }
  return fingerprintOf(layer, { ...options, ...changed })
}

const fileWith = (source: Partial<HostFile>): File => ({ ...file, source: { ...host, ...source } })
const folder: Placement = {
  type: 'directory',
  path: '/d',
  origin: '',
  mode: undefined,
  owner: undefined,
  mtime: 0,
  explicit: false,
}
const link: Placement = { type: 'symlink', path: '/l', origin: '', target: 'a', owner: undefined, mtime: 0 }

describe('the fingerprint of a planned layer', () => {
  it('is the same for the same placements, whichever entry placed them', () => {
    expect(of([file, folder, link])).toBeDefined()
    expect(of([{ ...file, origin: 'elsewhere' }, { ...folder }, { ...link }])).toBe(of([file, folder, link]))
  })

  it.each<readonly [string, readonly Placement[]]>([
    ['path in the image', [{ ...file, path: '/b' }]],
    ['mode', [{ ...file, mode: 0o755 }]],
    ['owner', [{ ...file, owner: '1:1' }]],
    ['time', [{ ...file, mtime: 5 }]],
    ['path on the host', [fileWith({ path: '/h/b' })]],
    ['place in a file of many', [fileWith({ offset: 512 })]],
    ['size', [fileWith({ size: 4 })]],
    ['time on the host', [fileWith({ mtimeMs: 1000.25 })]],
    ['change time on the host', [fileWith({ ctimeMs: 2001 })]],
    ['inode', [fileWith({ ino: 8 })]],
    ['known digest', [fileWith({ digest: 'sha256:aa' })]],
    ['bytes', [{ ...file, source: { kind: 'bytes', bytes: Uint8Array.of(1) } }]],
    ['neighbours', [file, file]],
  ])('is another where a file has another %s', (_, placements) => {
    expect(of(placements)).toBeDefined()
    expect(of(placements)).not.toBe(of([file]))
  })

  it.each<readonly [string, Placement, Placement]>([
    ['a folder has another mode', folder, { ...folder, mode: 0o700 }],
    ['a folder is the spec’s own', folder, { ...folder, explicit: true }],
    ['a link leads elsewhere', link, { ...link, target: 'b' }],
    [
      'a path is hidden, not removed',
      { type: 'remove', path: '/x', origin: '' },
      { type: 'opaque', path: '/x', origin: '' },
    ],
    [
      'a hard link leads elsewhere',
      { type: 'hardlink', path: '/x', origin: '', target: '/a' },
      { type: 'hardlink', path: '/x', origin: '', target: '/b' },
    ],
    [
      'other bytes are appended',
      { type: 'append', path: '/x', origin: '', source: { kind: 'bytes', bytes: Uint8Array.of(1) } },
      { type: 'append', path: '/x', origin: '', source: { kind: 'bytes', bytes: Uint8Array.of(2) } },
    ],
  ])('is another where %s', (_, one, other) => {
    expect(of([one])).not.toBe(of([other]))
  })

  it('is another over another base, compression or encoder', () => {
    const seen = [
      of([file]),
      of([file], { lower: baseFingerprint(['sha256:2']) }),
      of([file], { lower: baseFingerprint(['sha256:1', 'sha256:2']) }),
      of([file], { compression: { type: 'gzip', level: 6 } }),
      of([file], { encoderId: 'zlib x' }),
    ]
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('tells files apart beyond what is digested at once', () => {
    const many = Array.from({ length: 40_000 }, (_, index) => fileWith({ path: `/h/${index}`, ino: index }))
    const last = many.at(-1)
    expect(of(many)).toBe(of([...many]))
    expect(of(many)).not.toBe(of([...many.slice(0, -1), { ...(last ?? file), mode: 0o755 }]))
    expect(of(many)).not.toBe(of([fileWith({ path: '/h/0', ino: 99_999 }), ...many.slice(1)]))
  })

  it('is none where a file was written just now, whose times need not move with its bytes', () => {
    expect(of([fileWith({ mtimeMs: 8500 })])).toBeUndefined()
    expect(of([fileWith({ ctimeMs: 8500 })])).toBeUndefined()
    expect(of([fileWith({ ctimeMs: 7500 })])).toBeDefined()
  })

  it('is none for a copy of this build that has no digest, and does not look at the path of one that has', () => {
    const copy = { temporary: true, digest: 'sha256:aa' } as const
    expect(of([fileWith({ temporary: true })])).toBeUndefined()
    expect(of([fileWith({ ...copy, path: '/tmp/1', mtimeMs: 9999 })])).toBe(
      of([fileWith({ ...copy, path: '/tmp/2' })]),
    )
  })
})
