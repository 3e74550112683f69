import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decompress, detectCompression, type CompressionType } from '../../src/content/decompress.ts'
import { collectBytes } from '../helpers/images.ts'
import { chunked } from '../helpers/layer-store.ts'
import { describeWithPeers } from '../helpers/peers.ts'

const plain = Buffer.from(Array.from({ length: 40_000 }, (_, index) => `${index * index} `).join(''))

function zstdOf(bytes: Buffer): Buffer {
  return execFileSync('zstd', ['-c', '-q', '--check'], { input: bytes, maxBuffer: 1 << 28 })
}

/** A source that says whether whoever read it has let it go. */
function watched(bytes: Buffer): { content: AsyncGenerator<Uint8Array>; closed: () => boolean } {
  let closed = false
  async function* content(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield* chunked(bytes, 16 * 1024)
    } finally {
      closed = true
    }
  }
  return { content: content(), closed: () => closed }
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !condition(); turn += 1)
    await new Promise((resolve) => setImmediate(resolve))
}

function suite(type: CompressionType, compress: (bytes: Buffer) => Buffer): void {
  it('gives the bytes, in chunks of any size', async () => {
    const bytes = compress(plain)
    for (const size of [7, 1000, 100_000, bytes.length]) {
      expect((await collectBytes(decompress(chunked(bytes, size), type))).equals(plain)).toBe(true)
    }
  })

  it('reads one member or frame after another', async () => {
    const parts = [
      plain.subarray(0, 10),
      plain.subarray(10, 100_000),
      Buffer.alloc(0),
      plain.subarray(100_000),
    ]
    const bytes = Buffer.concat(parts.map(compress))
    expect((await collectBytes(decompress(chunked(bytes), type))).equals(plain)).toBe(true)
  })

  it('knows itself by its first bytes', () => {
    expect(detectCompression(compress(plain))).toBe(type)
  })

  it('refuses what is cut, damaged or something else', async () => {
    const bytes = compress(plain)
    for (const bad of [bytes.subarray(0, -1), bytes.subarray(0, 1000), Buffer.from('not compressed')]) {
      await expect(collectBytes(decompress(chunked(bad), type))).rejects.toMatchObject({
        code: 'OCB-COMPRESSION-DAMAGED',
      })
    }
  })

  it('passes on what its source throws', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield compress(plain).subarray(0, 5000)
      throw new RangeError('the source failed')
    }
    await expect(collectBytes(decompress(failing(), type))).rejects.toThrow(
      new RangeError('the source failed'),
    )
  })

  it('lets its source go when its reader stops early', async () => {
    const { content, closed } = watched(compress(plain))
    for await (const chunk of decompress(content, type)) if (chunk.length > 0) break
    await until(closed)
    expect(closed()).toBe(true)
  })

  it('lets its source go when its bytes are damaged', async () => {
    const { content, closed } = watched(
      Buffer.concat([compress(plain).subarray(0, 3000), Buffer.alloc(9000, 0xff)]),
    )
    await expect(collectBytes(decompress(content, type))).rejects.toThrow()
    await until(closed)
    expect(closed()).toBe(true)
  })
}

describe('gzip', () => {
  suite('gzip', (bytes) => gzipSync(bytes))

  // zstd's checksums are optional, and fzstd reads past them; layers have their digests.
  it('refuses bytes that are damaged on the way', async () => {
    const bytes = gzipSync(plain)
    bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 2000)
    await expect(collectBytes(decompress(chunked(bytes), 'gzip'))).rejects.toMatchObject({
      code: 'OCB-COMPRESSION-DAMAGED',
    })
  })
})
describeWithPeers('zstd', ['zstd'], () => suite('zstd', zstdOf))

it('bytes that are not compressed pass as they are', async () => {
  expect((await collectBytes(decompress(chunked(plain), 'none'))).equals(plain)).toBe(true)
  expect(detectCompression(plain)).toBe('none')
  expect(detectCompression(Buffer.alloc(0))).toBe('none')
})
