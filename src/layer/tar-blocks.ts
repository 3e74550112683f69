/** A changeset as tar, in the blocks it is compressed in: one synchronous pass over headers and contents. */

import { createDigester, sha256Bytes } from '../content/hash.ts'
import { contentTime } from '../tar/content-time.ts'
import { encodeHeader, endOfArchiveBytes, paddingBytes } from '../tar/tar-header.ts'
import { patchTime, recordBytes } from '../tar/ustar.ts'
import { cutsBefore, type BlockLimits } from './block-cutter.ts'
import type { Changeset, ChangesetEntry } from './changeset.ts'
import { changed, hashInPieces, openPieces, readWhole, sourceSize } from './read-source.ts'
import { StaleSegments } from './segments.ts'
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
  /** Whether another writing of the file would show in its times. */
  isSettled(entry: FileEntry): boolean
}

export interface TarBlockOptions {
  readonly limits: BlockLimits
  readonly digests: ContentDigests
  /** Gives a buffer of `limits.maxBytes` and `endOfArchiveBytes`; the consumer of a block may hand it out again once it is done. */
  readonly takeBuffer: () => Buffer
  /** Whether digests that are known are taken without a look at the bytes, until `check` is called: default false. */
  readonly believes?: boolean | undefined
}

export interface TarBlock {
  /** A view of a buffer from `takeBuffer`. */
  readonly bytes: Buffer
  /** What the bytes are made of, as hex: equal for equal bytes made of the same entries. */
  readonly identity: string
  /**
   * Asks for the contents whose digests were believed to be hashed, where nothing else tells that the bytes are theirs:
   * at once, of a large file after its last piece. Throws `StaleSegments` where they are others.
   */
  check(): void
}

/** Yields the blocks of a layer's tar in order; undefined while there is none yet, so that a consumer can let others run. */
export function* tarBlocks(
  changeset: Changeset,
  options: TarBlockOptions,
): Generator<TarBlock | undefined, void> {
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
    return { bytes, identity: facts.take(), check: () => checkContents(bytes, contents) }
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
    if (entry.type === 'file') {
      const start = filled + header.length
      readWhole(entry.source, buffer, start)
      const known = options.believes === true ? options.digests.known(entry, files) : undefined
      if (known !== undefined) believed.push({ start, end: start + size, digest: known })
      const digest = known ?? sha256Bytes(buffer.subarray(start, start + size))
      options.digests.found(entry, files, digest)
      files += 1
      setContentTime(entry, digest, header, times)
      facts.add(digest)
    }
    facts.add(header)
    buffer.set(header, filled)
    buffer.fill(0, filled + header.length + size, filled + unitBytes)
    filled += unitBytes
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

/** A part of a block that is taken for the content of this digest. */
interface BelievedContent {
  readonly start: number
  readonly end: number
  readonly digest: Uint8Array
}

function checkContents(bytes: Buffer, contents: readonly BelievedContent[]): void {
  for (const { start, end, digest } of contents) {
    if (!sha256Bytes(bytes.subarray(start, end)).equals(digest)) throw new StaleSegments()
  }
}

/** A unit over the longest block begins a block, is cut at every `maxBytes`, and ends one. */
function* largeFile(
  entry: FileEntry,
  index: number,
  header: Buffer,
  first: Buffer,
  options: TarBlockOptions,
  times: Map<string, number>,
): Generator<TarBlock | undefined, void> {
  const { maxBytes } = options.limits
  const { digests } = options
  const known = digests.known(entry, index)
  // Its time stands before its bytes, so they are read twice where the digest is not known.
  const digest = known ?? Buffer.from(yield* hashWithPauses(entry, first), 'hex')
  const hex = Buffer.from(digest).toString('hex')
  // Both readings look at the file's times, so that its bytes need no second digest where a writing would show there.
  const isBelieved = known !== undefined && options.believes === true
  const digester =
    isBelieved || (known === undefined && digests.isSettled(entry)) ? undefined : createDigester()
  let isAsked = false
  const check = (): void => {
    isAsked = isBelieved
  }
  setContentTime(entry, digest, header, times)
  const size = sourceSize(entry.source)
  const pieces = openPieces(entry.source)
  let buffer = first
  buffer.set(header)
  let filled = header.length
  try {
    for (let left = size; left > 0;) {
      if (filled === maxBytes) {
        yield { bytes: buffer.subarray(0, filled), identity: pieceIdentity(header, hex, left), check }
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
  digests.found(entry, index, digest)
  // Records divide `maxBytes`, so the padding never reaches over a cut.
  buffer.fill(0, filled, filled + paddingBytes(size))
  yield {
    bytes: buffer.subarray(0, filled + paddingBytes(size)),
    identity: pieceIdentity(header, hex, 0),
    check,
  }
  if (!isAsked) return
  const seen = yield* hashWithPauses(entry, Buffer.allocUnsafeSlow(maxBytes))
  if (seen !== hex) throw new StaleSegments()
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

function* hashWithPauses({ source }: FileEntry, scratch: Buffer): Generator<undefined, string> {
  const pieces = hashInPieces(source, scratch)
  try {
    for (;;) {
      const next = pieces.next()
      if (next.done === true) return next.value
      yield undefined
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
