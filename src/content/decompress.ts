/** Reading compressed streams: gzip by node:zlib, zstd by node:zlib where it has it, else by fzstd. */

import { Readable, type Duplex } from 'node:stream'
import zlib from 'node:zlib'
import { OciBuildError, messageOf } from '../errors.ts'
import type { ByteStream } from './store.ts'

export type CompressionType = 'gzip' | 'zstd' | 'none'

/**
 * Decompresses a stream. A damaged or cut one throws `OCB-COMPRESSION-DAMAGED`; what the source throws is passed on.
 * Bytes after the end of a gzip stream are ignored; `onConsumed` hears at its end how many bytes belonged to it.
 */
export async function* decompress(
  content: ByteStream,
  type: CompressionType,
  onConsumed?: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  if (type === 'none') {
    yield* content
    return
  }
  let sourceError: unknown
  const source = Readable.from(
    (async function* () {
      try {
        yield* content
      } catch (error) {
        sourceError = error
        throw error
      }
    })(),
    { objectMode: false },
  )
  try {
    if (type === 'gzip') {
      const gunzip = zlib.createGunzip({ chunkSize: 128 * 1024 })
      yield* pipe(source, gunzip)
      onConsumed?.(gunzip.bytesWritten)
    } else yield* readZstd(source)
  } catch (error) {
    if (sourceError !== undefined) throw sourceError
    if (error instanceof OciBuildError) throw error
    throw new OciBuildError('OCB-COMPRESSION-DAMAGED', {
      message: `cannot decompress as ${type}: ${messageOf(error)}`,
      hint: 'fetch or build it again; the copy at hand is damaged',
      cause: error,
    })
  } finally {
    // Left early it is only unpiped: what it reads from would stay open.
    source.destroy()
  }
}

/** What the first bytes of a file say about its compression. Needs at least 4 bytes to tell. */
export function detectCompression(head: Uint8Array): CompressionType {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return 'zstd'
  return 'none'
}

async function* pipe(source: Readable, transform: Duplex): AsyncGenerator<Uint8Array> {
  // `pipe` forwards no errors, and without it an error of the source would leave the reader waiting. Not `pipeline`: that
  // throws the transform's error into the source, where it would pass for one of the source's own.
  source.on('error', (error) => transform.destroy(error))
  source.pipe(transform)
  for await (const chunk of transform) if (chunk instanceof Uint8Array) yield chunk
}

async function* readZstd(source: Readable): AsyncGenerator<Uint8Array> {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress')
  nodeReadsZstd ??= readsWholeZstd()
  if (nodeReadsZstd && typeof create === 'function') {
    yield* pipe(source, Reflect.apply(create, zlib, []))
    return
  }
  const { Decompress } = await import('fzstd')
  let ready: Uint8Array[] = []
  let ended = false
  const decoder = new Decompress((chunk, final) => {
    if (chunk.length > 0) ready.push(chunk.slice())
    ended = final === true
  })
  for await (const chunk of source) {
    if (!(chunk instanceof Uint8Array)) continue
    decoder.push(chunk)
    const chunks = ready
    ready = []
    yield* chunks
  }
  decoder.push(new Uint8Array(0), true)
  yield* ready
  if (!ended) throw new Error('the zstd stream is cut')
}

let nodeReadsZstd: boolean | undefined

/** One frame, of the letter `a` (RFC 8878, section 3.1.1): magic, descriptor, size, a last raw block. */
const frame = Buffer.from('28b52ffd200109000061', 'hex')

/**
 * Whether this Node.js reads zstd to its end. Node.js 22 stops after the first frame, and takes a cut one for whole,
 * without an error; layers are many frames.
 */
function readsWholeZstd(): boolean {
  const decompressSync: unknown = Reflect.get(zlib, 'zstdDecompressSync')
  if (typeof decompressSync !== 'function') return false
  const read = (bytes: Buffer): string => String(Reflect.apply(decompressSync, zlib, [bytes]))
  try {
    if (read(Buffer.concat([frame, frame])) !== 'aa') return false
  } catch {
    return false
  }
  try {
    read(frame.subarray(0, -1))
    return false
  } catch {
    return true
  }
}
