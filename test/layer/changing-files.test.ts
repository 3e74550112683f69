import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/content/hash.ts'
import type { Changeset, ChangesetEntry } from '../../src/layer/changeset.ts'
import { encodeLayer } from '../../src/layer/encode-layer.ts'
import type { ContentDigests } from '../../src/layer/tar-blocks.ts'
import { hostFileSource } from '../../src/plan/host-file.ts'
import { collectBytes } from '../helpers/images.ts'
import type { Deflater } from '../../src/deflate/deflater.ts'
import { encoding, passDigests } from '../helpers/layers.ts'
import { temporaryFolder } from '../helpers/unpack.ts'

const folder = temporaryFolder()
const work = join(folder, 'work')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeEach(() => {
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work)
})

const MiB = 1024 * 1024
const gzip = { type: 'gzip', level: 1 } as const

function hostEntry(name: string, bytes: Uint8Array): ChangesetEntry {
  const path = join(work, name)
  writeFileSync(path, bytes)
  const common = { mode: 0o644, uid: 0, gid: 0, mtime: 'content' } as const
  return { type: 'file', path: name, ...common, source: hostFileSource(path) }
}

function changesetOf(...entries: readonly ChangesetEntry[]): Changeset {
  return { name: 'test', entries }
}

/** Files of this process that are open in the folder; none where the system does not tell. */
function openFiles(): string[] {
  if (!existsSync('/proc/self/fd')) return []
  return readdirSync('/proc/self/fd').filter((fd) => {
    const stats = statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false })
    return (
      stats !== undefined && readdirSync(work).some((name) => statSync(join(work, name)).ino === stats.ino)
    )
  })
}

const sizes: [title: string, size: number][] = [
  ['an empty file', 0],
  ['a small file', 1000],
  ['a file of exactly one block', MiB - 512],
  ['a large file', 3 * MiB],
]

describe.each(sizes)('%s', (_, size) => {
  const changes: [title: string, change: (path: string) => void][] = [
    ['grew', (path) => appendFileSync(path, 'more')],
    ['has other times', (path) => utimesSync(path, 1, 1)],
    [
      'was replaced by one of the same size',
      (path) => {
        writeFileSync(`${path}.new`, Buffer.alloc(size, 1))
        renameSync(`${path}.new`, path)
      },
    ],
    ...(size > 0 ? [['shrank', (path) => truncateSync(path, 1)] as [string, (path: string) => void]] : []),
  ]
  it.each(changes)('that %s since it was selected is refused', async (__, change) => {
    const changeset = changesetOf(hostEntry('a', Buffer.alloc(10)), hostEntry('b', Buffer.alloc(size)))
    change(join(work, 'b'))
    const { blob } = encodeLayer(changeset, { compression: gzip, ...encoding, digests: passDigests() })
    await expect(collectBytes(blob)).rejects.toMatchObject({ code: 'OCB-FILE-CHANGED' })
    expect(openFiles()).toEqual([])
  })

  it('that went away is refused', async () => {
    const changeset = changesetOf(hostEntry('b', Buffer.alloc(size)))
    rmSync(join(work, 'b'))
    const { blob } = encodeLayer(changeset, { compression: gzip, ...encoding, digests: passDigests() })
    await expect(collectBytes(blob)).rejects.toMatchObject({ code: 'OCB-FILE-UNREADABLE' })
  })
})

it('a large file that is not the one whose digest is remembered is refused', async () => {
  const changeset = changesetOf(hostEntry('b', Buffer.alloc(2 * MiB)))
  const digests: ContentDigests = {
    known: () => new Uint8Array(32),
    found: () => {},
    isSettled: () => true,
  }
  const { blob } = encodeLayer(changeset, { compression: gzip, ...encoding, digests })
  await expect(collectBytes(blob)).rejects.toMatchObject({ code: 'OCB-FILE-CHANGED' })
  expect(openFiles()).toEqual([])
})

it.each([false, true])(
  'a large file that is written between its two readings is refused, settled before: %s',
  async (settled) => {
    const changeset = changesetOf(hostEntry('b', Buffer.alloc(24 * MiB)))
    const digests: ContentDigests = { ...passDigests(), isSettled: () => settled }
    const reader = encodeLayer(changeset, { compression: gzip, ...encoding, digests }).blob[
      Symbol.asyncIterator
    ]()
    // The header's chunk, then the first block: the second reading has begun.
    for (let read = 0; read < 2; read += 1) await reader.next()
    writeFileSync(join(work, 'b'), Buffer.alloc(24 * MiB, 1))
    const rest = (async () => {
      for (;;) if ((await reader.next()).done === true) return
    })()
    await expect(rest).rejects.toMatchObject({ code: 'OCB-FILE-CHANGED' })
    expect(openFiles()).toEqual([])
  },
)

it('a reader that stops early leaves no file open, wherever it stops', async () => {
  for (let chunks = 0; chunks < 12; chunks += 1) {
    const changeset = changesetOf(
      hostEntry('a', Buffer.alloc(2 * MiB, 'x')),
      hostEntry('b', Buffer.alloc(9 * MiB, 'y')),
    )
    const { blob } = encodeLayer(changeset, { compression: gzip, ...encoding, digests: passDigests() })
    const reader = blob[Symbol.asyncIterator]()
    for (let read = 0; read < chunks; read += 1) await reader.next()
    await reader.return?.()
    expect(openFiles()).toEqual([])
  }
})

it('an error in mid-stream reaches the reader while other blocks are being compressed', async () => {
  const files = Array.from({ length: 6 }, (_, index) =>
    hostEntry(`f${index}`, Buffer.alloc(MiB - 512, `${index}`)),
  )
  appendFileSync(join(work, 'f5'), 'more')
  const { blob } = encodeLayer(changesetOf(...files), {
    compression: gzip,
    ...encoding,
    digests: passDigests(),
  })
  await expect(collectBytes(blob)).rejects.toMatchObject({ code: 'OCB-FILE-CHANGED' })
})

it('an error of the compressor reaches the reader', async () => {
  const files = Array.from({ length: 8 }, (_, index) => hostEntry(`f${index}`, Buffer.alloc(MiB)))
  const deflater: Deflater = {
    ...encoding.deflater,
    deflate: () => Promise.reject(new RangeError('no')),
  }
  const options = { compression: gzip, encoderId: '', deflater, digests: passDigests() }
  await expect(collectBytes(encodeLayer(changesetOf(...files), options).blob)).rejects.toThrow(RangeError)
  expect(openFiles()).toEqual([])
})

it('an abort ends a layer between blocks, also while a large file is hashed', async () => {
  for (const abortAfter of [0, 1, 3]) {
    const changeset = changesetOf(hostEntry('large', Buffer.alloc(24 * MiB)))
    const controller = new AbortController()
    const options = { compression: gzip, ...encoding, digests: passDigests(), signal: controller.signal }
    const reader = encodeLayer(changeset, options).blob[Symbol.asyncIterator]()
    for (let read = 0; read < abortAfter; read += 1) await reader.next()
    setTimeout(() => controller.abort(), 0)
    const rest = (async () => {
      for (;;) if ((await reader.next()).done === true) return
    })()
    await expect(rest).rejects.toMatchObject({ code: 'OCB-INTERRUPTED' })
    expect(openFiles()).toEqual([])
  }
})

it('timers run while a layer without compression is written', async () => {
  const files = Array.from({ length: 20 }, (_, index) => hostEntry(`f${index}`, Buffer.alloc(MiB)))
  let turns = 0
  const timer = setInterval(() => (turns += 1), 0)
  const options = { compression: { type: 'none' }, ...encoding, digests: passDigests() } as const
  await collectBytes(encodeLayer(changesetOf(...files), options).blob)
  clearInterval(timer)
  expect(turns).toBeGreaterThan(0)
})

describe('a large file whose digest somebody else finds', () => {
  const bytes = Buffer.alloc(3 * MiB, 'abc')
  const encode = async (coming: ContentDigests['coming']): Promise<readonly [string, number]> => {
    const digests = passDigests()
    let found = 0
    const encoded = encodeLayer(changesetOf(hostEntry('a', bytes), hostEntry('b', Buffer.alloc(10))), {
      compression: gzip,
      ...encoding,
      digests: {
        ...digests,
        coming,
        isSettled: () => true,
        found(...told) {
          found += 1
          digests.found(...told)
        },
      },
    })
    await collectBytes(encoded.blob)
    return [encoded.diffId(), found]
  }

  it('becomes the same layer, and is waited for', async () => {
    const late = async (): Promise<Uint8Array> => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return sha256Bytes(bytes)
    }
    const alone = await encode(undefined)
    expect(await encode(() => undefined)).toEqual(alone)
    expect(await encode(({ path }) => (path === 'a' ? late() : undefined))).toEqual(alone)
    expect(await encode(async () => undefined)).toEqual(alone)
  })

  it('says what is wrong with it where nobody found one', async () => {
    const changeset = changesetOf(hostEntry('a', bytes))
    appendFileSync(join(work, 'a'), 'more')
    const digests: ContentDigests = { ...passDigests(), coming: async () => undefined }
    const { blob } = encodeLayer(changeset, { compression: gzip, ...encoding, digests })
    await expect(collectBytes(blob)).rejects.toMatchObject({ code: 'OCB-FILE-CHANGED' })
  })

  it('fails with whoever looks for it', async () => {
    await expect(encode(() => Promise.reject(new Error('a thread ended')))).rejects.toThrow('a thread ended')
  })
})
