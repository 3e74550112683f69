/**
 * The encoded blocks of a blob, remembered by what they were made of: a later layer that has the same block copies its
 * bytes instead of compressing it again.
 */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { writeMemory } from '../content/atomic-file.ts'
import { sha256Bytes } from '../content/hash.ts'
import type { Fetcher, FileBacked, StoreOptions } from '../content/store.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { splitDigest } from '../spec/digest.ts'

/** One encoded block of a blob, in the blob's order. */
export interface Segment {
  /** Of `segmentKey`, in hex. */
  readonly key: string
  /** Where its bytes lie in the blob. */
  readonly offset: number
  readonly length: number
}

/** The segments of an earlier blob, for one pass. */
export interface KnownSegments {
  /** The encoded bytes of a block. */
  find(key: string): Uint8Array | undefined
  close(): void
}

export interface SegmentMemory {
  keep(blob: Descriptor, segments: readonly Segment[]): void
  /** Undefined where nothing is remembered of the blob, or its bytes are not there or not whole any more. */
  open(blob: Descriptor, options?: StoreOptions): Promise<KnownSegments | undefined>
}

/**
 * What decides a block's encoded bytes, as 64 hex digits: its `identity`, that of what its dictionary was taken from,
 * and `settings`, which name compression, level and encoder.
 */
export function segmentKey(settings: string, before: string, identity: string): string {
  return sha256Bytes(`${settings}\n${before}\n${identity}`).toString('hex')
}

// A file a blob: format, checksum of the rows, rows of key, offset and length.
const format = Buffer.from('ocibuild segments 1\n')
const keyBytes = 32
const rowBytes = keyBytes + 12
const headBytes = format.length + 32

export function createSegmentMemory(dir: string, blobs: Fetcher & FileBacked): SegmentMemory {
  const pathOf = ({ digest }: Descriptor): string => join(dir, splitDigest(digest).encoded)
  return {
    keep(blob, segments) {
      const rows = Buffer.alloc(segments.length * rowBytes)
      for (const [index, { key, offset, length }] of segments.entries()) {
        const at = index * rowBytes
        rows.write(key, at, 'hex')
        rows.writeDoubleLE(offset, at + keyBytes)
        rows.writeUInt32LE(length, at + keyBytes + 8)
      }
      writeMemory(pathOf(blob), Buffer.concat([format, sha256Bytes(rows), rows]))
    },
    async open(blob, options) {
      const segments = readSegments(pathOf(blob))
      const file = segments && (await blobs.fileOf(blob))
      if (segments === undefined || file === undefined) return undefined
      // Bytes that went bad would go into a new blob, whose digest says that they are right.
      if (!(await isWhole(blobs, blob, options))) return undefined
      const descriptor = openSync(file.path, 'r')
      return {
        find(key) {
          const segment = segments.get(key)
          if (segment === undefined) return undefined
          const bytes = Buffer.allocUnsafeSlow(segment.length)
          return readSync(descriptor, bytes, 0, segment.length, segment.offset) === segment.length
            ? bytes
            : undefined
        },
        close: () => closeSync(descriptor),
      }
    },
  }
}

async function isWhole(
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

function readSegments(path: string): ReadonlyMap<string, Segment> | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    return undefined
  }
  const rows = bytes.subarray(headBytes)
  if (!bytes.subarray(0, format.length).equals(format)) return undefined
  if (!sha256Bytes(rows).equals(bytes.subarray(format.length, headBytes))) return undefined
  const segments = new Map<string, Segment>()
  for (let at = 0; at < rows.length; at += rowBytes) {
    const key = rows.toString('hex', at, at + keyBytes)
    const offset = rows.readDoubleLE(at + keyBytes)
    segments.set(key, { key, offset, length: rows.readUInt32LE(at + keyBytes + 8) })
  }
  return segments
}
