/** Store 2, writing: an image layout as one tar, for `docker load` with a manifest.json beside it. */

import type { Writable } from 'node:stream'
import { verifyStream } from '../content/hash.ts'
import { refNameAnnotation } from '../content/image-names.ts'
import { contentNotFound, referenceNotFound } from '../content/not-found.ts'
import type { Target } from '../content/store.ts'
import { isParent } from '../content/successors.ts'
import { OciBuildError, throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { splitDigest, type Digest } from '../spec/digest.ts'
import { encodeJson } from '../spec/json.ts'
import { mediaTypes } from '../spec/media-type.ts'
import { maxDocumentBytes } from '../spec/read-value.ts'
import { encodeHeader, endOfArchiveBytes, paddingBytes } from '../tar/tar-header.ts'
import { readRange } from './archive-file.ts'
import { fileSink, streamSink, type ArchiveSink } from './archive-sink.ts'
import { dockerManifest, parseRepoTag } from './docker-manifest.ts'
import type { ArchiveKind } from './open-archive.ts'

export interface ArchiveTarget extends Target {
  /**
   * Writes the documents that make the images visible and puts the file in its place. Throws
   * `OCB-ARCHIVE-PLATFORMS` when a docker-archive was given an image of several platforms.
   */
  close(): Promise<void>
  /** Leaves no trace of the file; what went into a stream stays there. Harmless after `close`. */
  abort(): Promise<void>
}

export interface ArchiveTargetOptions {
  readonly format: ArchiveKind
  /** Milliseconds since the epoch; see `removeStaleTemporaries`. */
  readonly nowMs?: number | undefined
}

/**
 * Begins an archive in a file (there once it is closed) or a stream (never ended by us). Blobs are appended in the
 * order of the pushes, one at a time and each once; all times are 0, so the same pushes and tags give the same bytes.
 * In a docker-archive a reference is a RepoTag, `NAME:TAG`. Throws `OCB-ARCHIVE-INVALID`, `OCB-DISK-FULL`,
 * `OCB-FILE-DENIED`; pushes throw `OCB-OUTPUT-CLOSED` when the stream's reader has gone.
 */
export async function createArchiveTarget(
  destination: string | Writable,
  options: ArchiveTargetOptions,
): Promise<ArchiveTarget> {
  const sink =
    typeof destination === 'string' ? fileSink(destination, options.nowMs ?? 0) : streamSink(destination)
  const writer = tarWriter(sink)
  const stored = new Map<Digest, { readonly offset: number; readonly size: number }>()
  /** Documents by digest: `close` needs them, and a stream cannot be read back. */
  const documents = new Map<Digest, Uint8Array>()
  const tags = new Map<string, Descriptor>()
  let queue: Promise<unknown> = Promise.resolve()
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work)
    queue = turn.catch(() => undefined)
    return await turn
  }

  return {
    has: async (target) => stored.get(target.digest)?.size === target.size,

    async fetch(target, fetchOptions) {
      throwIfAborted(fetchOptions?.signal)
      const document = documents.get(target.digest)
      if (document !== undefined) return verifyStream(target, once(document))
      const range = stored.get(target.digest)
      if (range === undefined || sink.file === undefined) throw contentNotFound(target, sink.name)
      return verifyStream(target, readRange(sink.file, range))
    },

    async push(expected, content, pushOptions) {
      await inTurn(async () => {
        throwIfAborted(pushOptions?.signal)
        if (stored.has(expected.digest)) return await content[Symbol.asyncIterator]().return?.()
        const kept: Uint8Array[] | undefined =
          isParent(expected) && expected.size <= maxDocumentBytes ? [] : undefined
        const { algorithm, encoded } = splitDigest(expected.digest)
        const tapped = tap(verifyStream(expected, content), (chunk) => {
          throwIfAborted(pushOptions?.signal)
          kept?.push(chunk)
        })
        const offset = await writer.file(`blobs/${algorithm}/${encoded}`, expected.size, tapped)
        stored.set(expected.digest, { offset, size: expected.size })
        if (kept !== undefined) documents.set(expected.digest, Buffer.concat(kept))
        return undefined
      })
    },

    async resolve(reference) {
      const tagged = tags.get(reference)
      if (tagged === undefined) throw referenceNotFound(reference, sink.name, [...tags.keys()])
      return tagged
    },

    async tag(target, reference) {
      if (!stored.has(target.digest)) throw contentNotFound(target, sink.name)
      if (options.format === 'docker-archive') parseRepoTag(reference)
      tags.set(reference, target)
    },

    async close() {
      await inTurn(async () => {
        const images = [...tags].map(([reference, target]) => ({ target, reference }))
        const manifest =
          options.format === 'docker-archive' ? dockerManifest(sink.name, images, documents) : undefined
        const manifests = images.map(({ target, reference }) => {
          const name = options.format === 'docker-archive' ? parseRepoTag(reference).tag : reference
          return { ...target, annotations: { ...target.annotations, [refNameAnnotation]: name } }
        })
        await writer.bytes(
          'index.json',
          encodeJson({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }),
        )
        if (manifest !== undefined) await writer.bytes('manifest.json', encodeJson(manifest))
        await writer.bytes('oci-layout', encodeJson({ imageLayoutVersion: '1.0.0' }))
        await writer.end()
        await sink.commit()
      })
    },

    abort: async () => await inTurn(async () => sink.abort()),
  }
}

interface TarWriter {
  /** Appends a file and returns where its bytes begin. A failure takes it back, or ends the archive for good. */
  file(path: string, size: number, content: AsyncIterable<Uint8Array>): Promise<number>
  bytes(path: string, bytes: Uint8Array): Promise<void>
  end(): Promise<void>
}

function tarWriter(sink: ArchiveSink): TarWriter {
  let position = 0
  let broken = false
  const folders = new Set<string>()
  const write = async (bytes: Uint8Array): Promise<void> => {
    await sink.write(bytes)
    position += bytes.length
  }
  const header = async (path: string, type: 'file' | 'directory', size: number): Promise<void> => {
    const mode = type === 'file' ? 0o644 : 0o755
    await write(encodeHeader({ path, type, mode, uid: 0, gid: 0, size, mtime: 0 }))
  }
  const file: TarWriter['file'] = async (path, size, content) => {
    if (broken) throw brokenStream(sink.name)
    const before = position
    const made: string[] = []
    try {
      for (const folder of parentsOf(path)) {
        if (folders.has(folder)) continue
        await header(folder, 'directory', 0)
        made.push(folder)
      }
      await header(path, 'file', size)
      const offset = position
      for await (const chunk of content) await write(chunk)
      await write(Buffer.alloc(paddingBytes(size)))
      for (const folder of made) folders.add(folder)
      return offset
    } catch (error) {
      if (sink.rewind(before)) position = before
      else broken = position > before
      throw error
    }
  }
  return {
    file,
    bytes: async (path, bytes) => void (await file(path, bytes.length, once(bytes))),
    async end() {
      if (broken) throw brokenStream(sink.name)
      await write(Buffer.alloc(endOfArchiveBytes))
    },
  }
}

function brokenStream(name: string): OciBuildError {
  return new OciBuildError('OCB-ARCHIVE-DAMAGED', {
    message: `${name} already holds a part of a blob that failed; the archive cannot be finished`,
    hint: 'run the build again, or write to a file',
  })
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, position) => parts.slice(0, position + 1).join('/'))
}

async function* tap(
  content: AsyncIterable<Uint8Array>,
  see: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    see(chunk)
    yield chunk
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}
