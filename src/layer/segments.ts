/**
 * The encoded blocks of a blob, remembered by what they were made of: a later layer that has the same block copies its
 * bytes instead of compressing it again.
 */

import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { writeMemory } from '../content/atomic-file.ts'
import { sha256Bytes } from '../content/hash.ts'
import type { Fetcher, FileBacked, StoreOptions } from '../content/store.ts'
import type { Deflater } from '../deflate/deflater.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { splitDigest, type Digest } from '../spec/digest.ts'

/** One encoded block of a blob, in the blob's order. */
export interface Segment {
  /** Of `segmentKey`, in hex. */
  readonly key: string
  /** The sha256 of the bytes before it that it was compressed with, in hex. */
  readonly dictionary: string
  /** Where its bytes lie in the blob. */
  readonly offset: number
  readonly length: number
  /** Of the block that it was made of; 0 where nobody asked for it. */
  readonly crc32: number
}

export interface KnownSegment {
  readonly bytes: Uint8Array
  /** Of the block. */
  readonly crc32: number
  /** The sha256 of what the blob's next block was compressed with, in hex; undefined after the last. */
  readonly nextDictionary: string | undefined
}

/** The segments of an earlier blob, for one pass. */
export interface KnownSegments {
  /** The encoded bytes of a block, read into `output` where it has the room. */
  find(key: string, output: SharedArrayBuffer): KnownSegment | undefined
  /** Whether the blob's bytes are still those that it was made of: nothing of it may be used where they are not. */
  isWhole(): Promise<boolean>
  close(): void
}

/** Thrown where segments of an earlier blob turn out not to fit: the layer has to be made without them. */
export class StaleSegments extends Error {
  constructor() {
    super('segments of an earlier layer are not what they were kept for')
  }
}

export interface SegmentMemory {
  keep(blob: Descriptor, segments: readonly Segment[]): void
  /** Has a thread look at the bytes of a large blob that `open` is most likely asked for soon. */
  expect(blob: Descriptor): Promise<void>
  /** Undefined where nothing is remembered of the blob, or its bytes are not there any more. */
  open(blob: Descriptor, options?: StoreOptions): Promise<KnownSegments | undefined>
}

/**
 * What decides a block's encoded bytes, as 64 hex digits: its `identity`, the sha256 of the bytes that it is compressed
 * with, and `settings`, which name compression, level and encoder.
 */
export function segmentKey(settings: string, dictionary: string, identity: string): string {
  return sha256Bytes(`${settings}\n${dictionary}\n${identity}`).toString('hex')
}

// A file a blob: format, checksum of the rows, rows of key, dictionary, offset, length and crc32.
const format = Buffer.from('ocibuild segments 3\n')
const keyBytes = 32
const numbersAt = 2 * keyBytes
const rowBytes = numbersAt + 16
const headBytes = format.length + 32
/** A smaller blob is hashed here before a thread would have started. */
const smallBytes = 4 * 1024 * 1024

export function createSegmentMemory(
  dir: string,
  blobs: Fetcher & FileBacked,
  deflater: Deflater,
): SegmentMemory {
  const pathOf = ({ digest }: Descriptor): string => join(dir, splitDigest(digest).encoded)
  const checks = new Map<Digest, Promise<boolean>>()
  const check = (path: string, blob: Descriptor): Promise<boolean> => {
    const isWhole = checks.get(blob.digest) ?? isHashedWhole(path, blob, deflater)
    checks.set(blob.digest, isWhole)
    // Met where it is asked for; here it only must not count as unhandled.
    isWhole.catch(() => {})
    return isWhole
  }
  return {
    async expect(blob) {
      if (blob.size < smallBytes || !existsSync(pathOf(blob))) return
      const file = await blobs.fileOf(blob)
      if (file !== undefined) void check(file.path, blob)
    },
    keep(blob, segments) {
      const rows = Buffer.alloc(segments.length * rowBytes)
      for (const [index, { key, dictionary, offset, length, crc32 }] of segments.entries()) {
        const at = index * rowBytes
        rows.write(key, at, 'hex')
        rows.write(dictionary, at + keyBytes, 'hex')
        rows.writeDoubleLE(offset, at + numbersAt)
        rows.writeUInt32LE(length, at + numbersAt + 8)
        rows.writeUInt32LE(crc32, at + numbersAt + 12)
      }
      writeMemory(pathOf(blob), Buffer.concat([format, sha256Bytes(rows), rows]))
    },
    async open(blob, options) {
      const segments = readSegments(pathOf(blob))
      const file = segments && (await blobs.fileOf(blob))
      if (segments === undefined || file === undefined) return undefined
      const descriptor = openSync(file.path, 'r')
      // Bytes that went bad would go into a new blob, whose digest says that they are right.
      const isWhole = blob.size < smallBytes ? isReadWhole(blobs, blob, options) : check(file.path, blob)
      // Met where it is asked for; here it only must not count as unhandled.
      isWhole.catch(() => {})
      return {
        find(key, output) {
          const segment = segments.get(key)
          if (segment === undefined) return undefined
          const { offset, length, crc32, nextDictionary } = segment
          const bytes =
            length <= output.byteLength ? new Uint8Array(output, 0, length) : Buffer.allocUnsafeSlow(length)
          return readSync(descriptor, bytes, 0, length, offset) === length
            ? { bytes, crc32, nextDictionary }
            : undefined
        },
        isWhole: () => isWhole,
        close: () => closeSync(descriptor),
      }
    },
  }
}

/** By a thread, while this one goes on. */
async function isHashedWhole(
  path: string,
  { digest, size }: Descriptor,
  deflater: Deflater,
): Promise<boolean> {
  const run = deflater.hashFiles([{ path, size }])
  await run.done
  const found = run.digest(0)
  if (found === undefined || run.seen(0).size !== size) return false
  return `sha256:${Buffer.from(found).toString('hex')}` === digest
}

async function isReadWhole(
  blobs: Fetcher,
  blob: Descriptor,
  options: StoreOptions | undefined,
): Promise<boolean> {
  try {
    for await (const chunk of await blobs.fetch(blob, options)) void chunk
    return true
  } catch (error) {
    options?.signal?.throwIfAborted()
    void error
    return false
  }
}

type ReadSegment = Pick<Segment, 'offset' | 'length' | 'crc32'> & Pick<KnownSegment, 'nextDictionary'>

function readSegments(path: string): ReadonlyMap<string, ReadSegment> | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    return undefined
  }
  const rows = bytes.subarray(headBytes)
  if (!bytes.subarray(0, format.length).equals(format)) return undefined
  if (!sha256Bytes(rows).equals(bytes.subarray(format.length, headBytes))) return undefined
  const segments = new Map<string, ReadSegment>()
  for (let at = 0; at < rows.length; at += rowBytes) {
    const key = rows.toString('hex', at, at + keyBytes)
    const offset = rows.readDoubleLE(at + numbersAt)
    const [length, crc32] = [rows.readUInt32LE(at + numbersAt + 8), rows.readUInt32LE(at + numbersAt + 12)]
    const next = at + rowBytes + keyBytes
    const nextDictionary = next < rows.length ? rows.toString('hex', next, next + keyBytes) : undefined
    segments.set(key, { offset, length, crc32, nextDictionary })
  }
  return segments
}
