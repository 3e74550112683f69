/** The seam: layout, archive, registry and memory are stores behind these interfaces and never know of each other. */

import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { MediaType } from '../spec/media-type.ts'

/** Bytes in order; chunks are not reused by the producer after they were yielded. */
export type ByteStream = AsyncIterable<Uint8Array>

export interface StoreOptions {
  readonly signal?: AbortSignal | undefined
}

export interface Fetcher {
  /**
   * Opens content. Throws `OCB-CONTENT-NOT-FOUND`; the stream throws `OCB-CONTENT-MISMATCH` at its end, or as
   * soon as it is too long, when size or digest differ from the descriptor's.
   */
  fetch(target: Descriptor, options?: StoreOptions): Promise<ByteStream>
}

export interface Pusher {
  /**
   * Stores content under its descriptor. Idempotent and atomic: success means that it is stored whole; on any
   * failure nothing is. Throws `OCB-CONTENT-MISMATCH` when the bytes are not those of the descriptor.
   */
  push(expected: Descriptor, content: ByteStream, options?: StoreOptions): Promise<void>
}

export interface ContentStore extends Fetcher, Pusher {
  has(target: Descriptor, options?: StoreOptions): Promise<boolean>
}

export interface Tagger {
  /** The descriptor that a ref name, tag or digest names. Throws `OCB-REFERENCE-NOT-FOUND`. */
  resolve(reference: string, options?: StoreOptions): Promise<Descriptor>
  /** Makes stored content visible under a reference, atomically; the same reference is replaced, others are kept. */
  tag(target: Descriptor, reference: string, options?: StoreOptions): Promise<void>
}

export interface Target extends ContentStore, Tagger {}

/**
 * Local stores: takes bytes whose digest is not yet known. Their producer may use a chunk again once the next was asked
 * for.
 */
export interface Ingester {
  ingest(mediaType: MediaType, content: ByteStream, options?: StoreOptions): Promise<Descriptor>
}

/** Registries: content of another repository of the same registry, without sending it. */
export interface Mounter {
  /** False means "send the bytes". */
  mount(target: Descriptor, fromRepository: string, options?: StoreOptions): Promise<boolean>
  /** The repositories in which the content may be, the likeliest first; few, since each costs a request. */
  mountSources(target: Descriptor): readonly string[]
}

/** A blob as a file of this machine, to be read and never written. */
export interface BlobFile {
  readonly path: string
  /**
   * True: the store hashed these bytes itself as it wrote them, and nobody has written there since; a copy made now
   * need not be hashed again. False of all that earlier runs and others left, which may have gone bad.
   */
  readonly checked: boolean
}

/** Stores on this machine's disk: where a blob lies; undefined where it does not. */
export interface FileBacked {
  fileOf(target: Descriptor): Promise<BlobFile | undefined>
}

/** Local stores: what is stored under a digest whose size nobody told; undefined where nothing is. */
export interface DigestFinder {
  find(digest: Digest): Promise<Descriptor | undefined>
}

/** Stores that can copy a blob from a file faster than from a stream (reflinks). As `push` in all else. */
export interface FileReceiver {
  pushFile(expected: Descriptor, file: BlobFile, options?: StoreOptions): Promise<void>
}
