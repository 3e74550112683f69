/** What is uploaded, in a form that can be read again for another attempt. */

import { closeSync, createReadStream, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { temporaryPath } from '../content/atomic-file.ts'
import { verifyStream } from '../content/hash.ts'
import type { BlobFile, ByteStream } from '../content/store.ts'
import type { Descriptor } from '../spec/descriptor.ts'

export interface UploadSource {
  readonly descriptor: Descriptor
  /**
   * The bytes from `offset` (default 0) up to `end` (exclusive; default the whole size). Read as a whole they are
   * verified, where that is not done, and the last piece is held back until they are. One reader at a time.
   */
  open(offset?: number, end?: number): ByteStream
  /** Why the source itself cannot be read, if that happened: no other attempt helps. */
  failure(): unknown
  dispose(): Promise<void>
}

/** Larger pieces are no faster, and several wait in the queues of every upload. */
const pieceBytes = 256 * 1024

/** A file on disk; one that is `checked` is not hashed again. */
export function fileSource(descriptor: Descriptor, { path, checked }: BlobFile): UploadSource {
  let failure: unknown
  return {
    descriptor,
    open(offset = 0, end = descriptor.size) {
      const whole = offset === 0 && end === descriptor.size
      const bytes = readFile(path, offset, whole ? undefined : end)
      const verified = whole && !checked ? heldBack(verifyStream(descriptor, bytes)) : bytes
      return noting(verified, (error) => (failure ??= error))
    },
    failure: () => failure,
    dispose: async () => undefined,
  }
}

/**
 * A stream: up to `memoryBytes` it is read and verified at once, a larger one is written to a temporary file below
 * `tempDir` while it is sent.
 */
export async function streamSource(
  descriptor: Descriptor,
  content: ByteStream,
  options: { readonly memoryBytes: number; readonly tempDir: string },
): Promise<UploadSource> {
  if (descriptor.size > options.memoryBytes) return spooledSource(descriptor, content, options.tempDir)
  const chunks: Uint8Array[] = []
  for await (const chunk of verifyStream(descriptor, content)) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  return {
    descriptor,
    async *open(offset = 0, end = descriptor.size) {
      if (end > offset) yield bytes.subarray(offset, end)
    },
    failure: () => undefined,
    dispose: async () => undefined,
  }
}

function spooledSource(descriptor: Descriptor, content: ByteStream, tempDir: string): UploadSource {
  const path = temporaryPath(tempDir)
  const rest = heldBack(verifyStream(descriptor, content))
  let file: number | undefined
  let spooled = 0
  let failure: unknown

  const take = async (): Promise<Uint8Array | undefined> => {
    const next = await rest.next()
    if (next.done === true) return undefined
    file ??= openSync(path, 'wx+', 0o600)
    for (let at = 0; at < next.value.length;) at += writeSync(file, next.value, at, undefined, spooled + at)
    spooled += next.value.length
    return next.value
  }
  async function* read(offset: number, end: number): AsyncGenerator<Uint8Array> {
    let at = offset
    while (at < end) {
      if (at < spooled && file !== undefined) {
        const piece = Buffer.allocUnsafe(Math.min(pieceBytes, spooled - at, end - at))
        const length = readSync(file, piece, 0, piece.length, at)
        at += length
        yield piece.subarray(0, length)
        continue
      }
      const startsAt = spooled
      const piece = await take()
      if (piece === undefined) return
      const fresh = piece.subarray(Math.max(0, at - startsAt), end - startsAt)
      at += fresh.length
      if (fresh.length > 0) yield fresh
    }
    // What comes after the wanted size is the source's fault, and the verification's to find.
    if (end === descriptor.size && spooled === end) await take()
  }
  return {
    descriptor,
    open: (offset = 0, end = descriptor.size) => noting(read(offset, end), (error) => (failure ??= error)),
    failure: () => failure,
    async dispose() {
      if (file !== undefined) closeSync(file)
      file = undefined
      rmSync(path, { force: true })
      await rest.return(undefined).catch(() => undefined)
    },
  }
}

async function* readFile(path: string, offset: number, end: number | undefined): AsyncGenerator<Uint8Array> {
  const range = end === undefined ? { start: offset } : { start: offset, end: end - 1 }
  for await (const chunk of createReadStream(path, { ...range, highWaterMark: pieceBytes })) {
    if (chunk instanceof Uint8Array) yield chunk
  }
}

/** Passes a stream on one piece late: nobody gets to see the end of what turns out to be wrong. */
async function* heldBack(content: ByteStream): AsyncGenerator<Uint8Array, undefined> {
  let held: Uint8Array | undefined
  for await (const chunk of content) {
    if (held !== undefined) yield held
    held = chunk
  }
  if (held !== undefined) yield held
  return undefined
}

async function* noting(content: ByteStream, note: (error: unknown) => void): AsyncGenerator<Uint8Array> {
  try {
    yield* content
  } catch (error) {
    note(error)
    throw error
  }
}
