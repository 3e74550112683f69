/** A changeset as tar, in the blocks it is compressed in: one synchronous pass over headers and contents. */

import { setImmediate } from 'node:timers/promises'
import { createDigester, sha256Bytes } from '../content/hash.ts'
import { contentTime } from '../tar/content-time.ts'
import { encodeHeader, endOfArchiveBytes, paddingBytes } from '../tar/tar-header.ts'
import { patchTime, recordBytes } from '../tar/ustar.ts'
import { cutsBefore, type BlockLimits } from './block-cutter.ts'
import type { Changeset, ChangesetEntry } from './changeset.ts'
import type { BelievedContent } from './believed-contents.ts'
import type { ComingDigest } from './long-files.ts'
import { changed, hashInPieces, openPieces, readWhole, sourceSize, type PieceReader } from './read-source.ts'
import { tarEntry, tarPath } from './tar-entry.ts'

/** Stands for the records that end a tar. */
const endOfArchive = Buffer.from('end')

export type FileEntry = Extract<ChangesetEntry, { readonly type: 'file' }>

/**
 * The sha256 of contents, 32 bytes: those that are known before, and those that the pass finds. `index` counts the
 * changeset's files.
 */
export interface ContentDigests {
  known(entry: FileEntry, index: number): Uint8Array | undefined
  found(entry: FileEntry, index: number, digest: Uint8Array): void
  /** The digest that somebody else is finding; it is undefined where that fails. */
  readonly coming?: ((entry: FileEntry) => ComingDigest | undefined) | undefined
  /** Whether another writing of the file would show in its times. */
  isSettled(entry: FileEntry): boolean
}

export interface TarBlockOptions {
  readonly limits: BlockLimits
  readonly digests: ContentDigests
  /** Gives a buffer of `limits.maxBytes` and `endOfArchiveBytes`; the consumer of a block may hand it out again once it is done. */
  readonly takeBuffer: () => Buffer
  /** Whether files whose digests are known are left to be read, and to be checked, by whoever takes the block: default false. */
  readonly believes?: boolean | undefined
}

export interface TarBlock {
  /** A view of a buffer from `takeBuffer`. */
  readonly bytes: Buffer
  /** What the bytes are made of, as hex: equal for equal bytes made of the same entries. */
  readonly identity: string
  /** What is still to be read into it. */
  readonly believed: readonly BelievedContent[]
}

/** Yields the blocks of a layer's tar in order; while there is none yet, what to wait for before the next is asked for. */
export function* tarBlocks(
  changeset: Changeset,
  options: TarBlockOptions,
): Generator<TarBlock | Promise<void>, void> {
  const { limits, takeBuffer } = options
  const facts = createBlockFacts(limits)
  const times = linkedFiles(changeset)
  const scratch = Buffer.alloc(recordBytes)
  let buffer = takeBuffer()
  let filled = 0
  let files = 0
  let believed: BelievedContent[] = []
  const takeBlock = (bytes: Buffer): TarBlock => {
    const contents = believed
    believed = []
    return { bytes, identity: facts.take(), believed: contents }
  }
  const believedDigest = (entry: FileEntry, size: number, start: number): Uint8Array | undefined => {
    const { source } = entry
    if (options.believes !== true || source.kind === 'bytes') return undefined
    const digest = options.digests.known(entry, files)
    if (digest !== undefined) believed.push({ source, digest, start: 0, length: size, at: start })
    return digest
  }
  const readDigest = (entry: FileEntry, size: number, start: number): Uint8Array => {
    readWhole(entry.source, buffer, start)
    const { buffer: bytes, byteOffset, length } = sha256Bytes(buffer.subarray(start, start + size))
    // Of the class that remembered ones have: what is compiled for one of them holds for all.
    const digest = new Uint8Array(bytes, byteOffset, length)
    options.digests.found(entry, files, digest)
    return digest
  }
  // Apart from the loop, which is left and entered again at every block: it is compiled for itself, and once.
  const add = (entry: ChangesetEntry, header: Buffer, size: number): void => {
    const start = filled + header.length
    if (entry.type === 'file') {
      const digest = believedDigest(entry, size, start) ?? readDigest(entry, size, start)
      files += 1
      setContentTime(entry, digest, header, times)
      facts.add(digest)
    }
    facts.add(header)
    buffer.set(header, filled)
    filled = start + size
    for (const end = filled + paddingBytes(size); filled < end; filled += 1) buffer[filled] = 0
  }
  for (const entry of changeset.entries) {
    const header = encodeHeader(tarEntry(entry, knownTime(entry, times)), scratch)
    const size = entry.type === 'file' ? sourceSize(entry.source) : 0
    const unitBytes = header.length + size + paddingBytes(size)
    if (cutsBefore(limits, filled, unitBytes, `/${tarPath(entry)}`)) {
      yield takeBlock(buffer.subarray(0, filled))
      buffer = takeBuffer()
      filled = 0
    }
    if (entry.type === 'file' && unitBytes > limits.maxBytes) {
      yield* largeFile(entry, files, header, buffer, options, times)
      files += 1
      buffer = takeBuffer()
      continue
    }
    add(entry, header, size)
  }
  if (cutsBefore(limits, filled, endOfArchiveBytes, undefined)) {
    yield takeBlock(buffer.subarray(0, filled))
    buffer = takeBuffer()
    filled = 0
  }
  buffer.fill(0, filled, filled + endOfArchiveBytes)
  facts.add(endOfArchive)
  yield takeBlock(buffer.subarray(0, filled + endOfArchiveBytes))
}

/** A unit over the longest block begins a block, is cut at every `maxBytes`, and ends one. */
function* largeFile(
  entry: FileEntry,
  index: number,
  header: Buffer,
  first: Buffer,
  options: TarBlockOptions,
  times: Map<string, number>,
): Generator<TarBlock | Promise<void>, void> {
  const { maxBytes } = options.limits
  const { digests } = options
  const known = digests.known(entry, index)
  // Its time stands before its bytes, so they are read twice where the digest is not known.
  const digest = known ?? (yield* comingDigest(entry, digests)) ?? (yield* hashWithPauses(entry, first))
  const hex = Buffer.from(digest).toString('hex')
  // Both readings look at the file's times, so that its bytes need no second digest where a writing would show there.
  const isBelieved = known !== undefined && options.believes === true
  const digester =
    isBelieved || (known === undefined && digests.isSettled(entry)) ? undefined : createDigester()
  setContentTime(entry, digest, header, times)
  const size = sourceSize(entry.source)
  let believed: BelievedContent[] = []
  const pieces = isBelieved
    ? believedPieces(entry, digest, (piece) => void believed.push(piece))
    : openPieces(entry.source)
  let buffer = first
  buffer.set(header)
  let filled = header.length
  try {
    for (let left = size; left > 0;) {
      if (filled === maxBytes) {
        yield { bytes: buffer.subarray(0, filled), identity: pieceIdentity(header, hex, left), believed }
        believed = []
        buffer = options.takeBuffer()
        filled = 0
      }
      const length = Math.min(left, maxBytes - filled)
      pieces.read(buffer, filled, length)
      digester?.update(buffer.subarray(filled, filled + length))
      filled += length
      left -= length
    }
    pieces.finish()
  } finally {
    pieces.close()
  }
  if (digester !== undefined && digester.digest() !== `sha256:${hex}`) {
    throw changed(entry.source, 'two readings gave different bytes')
  }
  if (known === undefined) digests.found(entry, index, digest)
  // Records divide `maxBytes`, so the padding never reaches over a cut.
  buffer.fill(0, filled, filled + paddingBytes(size))
  yield {
    bytes: buffer.subarray(0, filled + paddingBytes(size)),
    identity: pieceIdentity(header, hex, 0),
    believed,
  }
}

/** Notes what is to be read, and reads nothing. */
function believedPieces(
  { source }: FileEntry,
  digest: Uint8Array,
  note: (piece: BelievedContent) => void,
): PieceReader {
  if (source.kind === 'bytes') return openPieces(source)
  let start = 0
  return {
    read(_, at, length) {
      note({ source, digest, start, length, at })
      start += length
    },
    finish() {},
    close() {},
  }
}

/** A piece of a large file is told by what is left of the file after it. */
function pieceIdentity(header: Uint8Array, hex: string, leftBytes: number): string {
  return `${sha256Bytes(header).toString('hex')} ${hex} ${leftBytes}`
}

interface BlockFacts {
  add(bytes: Uint8Array): void
  /** The identity of what was added since the last time. */
  take(): string
}

/** Headers and the digests of contents stand for a block's bytes, which need not be hashed once more for it. */
function createBlockFacts({ maxBytes }: BlockLimits): BlockFacts {
  // Every unit has a header of 512 bytes at least, and a digest of 32.
  const facts = Buffer.allocUnsafeSlow(maxBytes + maxBytes / 16 + endOfArchive.length)
  let filled = 0
  return {
    add(bytes) {
      facts.set(bytes, filled)
      filled += bytes.length
    },
    take() {
      const identity = sha256Bytes(facts.subarray(0, filled)).toString('hex')
      filled = 0
      return identity
    },
  }
}

function* comingDigest(
  entry: FileEntry,
  digests: ContentDigests,
): Generator<Promise<void>, Uint8Array | undefined> {
  let found: Uint8Array | undefined
  const coming = digests.coming?.(entry)
  if (coming !== undefined) yield coming.then((digest) => void (found = digest))
  return found
}

function* hashWithPauses({ source }: FileEntry, scratch: Buffer): Generator<Promise<void>, Uint8Array> {
  const pieces = hashInPieces(source, scratch)
  try {
    for (;;) {
      const next = pieces.next()
      if (next.done === true) return Buffer.from(next.value, 'hex')
      yield setImmediate()
    }
  } finally {
    pieces.return('')
  }
}

/** The time that a header can be made with; 0 where the content's is still to be found. */
function knownTime(entry: ChangesetEntry, times: ReadonlyMap<string, number>): number {
  if (entry.mtime !== 'content') return entry.mtime
  return entry.type === 'hardlink' ? (times.get(entry.target) ?? 0) : 0
}

function setContentTime(
  entry: FileEntry,
  digest: Uint8Array,
  header: Buffer,
  times: Map<string, number>,
): void {
  const mtime = entry.mtime === 'content' ? contentTime(digest) : entry.mtime
  if (entry.mtime === 'content') patchTime(header, mtime)
  // A hard link says the time of the file it links to.
  if (times.has(entry.path)) times.set(entry.path, mtime)
}

/** The files that hard links name, by path. */
function linkedFiles({ entries }: Changeset): Map<string, number> {
  const times = new Map<string, number>()
  for (const entry of entries) if (entry.type === 'hardlink') times.set(entry.target, 0)
  return times
}
