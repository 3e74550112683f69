/** The design's rule of blocks once more, slow and from the finished tar: what the one pass must agree with. */

import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { encodeBlock } from '../../src/deflate/encode-block.ts'

const MiB = 1024 * 1024

/** One entry of a tar: its name and the bytes of all that belongs to it. */
interface Unit {
  readonly name: string
  readonly length: number
}

/** Lengths of the blocks of a tar, by the rule of design.md, Blocks. */
export function slowBlockLengths(tar: Buffer): number[] {
  const lengths: number[] = []
  let since = 0
  const cut = (): void => {
    if (since > 0) lengths.push(since)
    since = 0
  }
  for (const unit of unitsOf(tar)) {
    const first = createHash('sha256').update(`/${unit.name}`).digest()[0] ?? 0
    if (since >= 256 * 1024 && first % 16 === 0) cut()
    else if (since + unit.length > MiB) cut()
    if (unit.length > MiB) {
      for (let left = unit.length; left > 0; left -= MiB) lengths.push(Math.min(left, MiB))
    } else {
      since += unit.length
    }
  }
  if (since + 1024 > MiB) cut()
  since += 1024
  cut()
  return lengths
}

/** The gzip member that the blocks of a tar make, one after another. */
export function slowGzip(tar: Buffer, level: number): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])]
  let start = 0
  for (const length of slowBlockLengths(tar)) {
    const dictionaryLength = Math.min(start, 32 * 1024)
    const { buffer } = Uint8Array.from(tar.subarray(start - dictionaryLength, start + length))
    parts.push(encodeBlock({ buffer, start: dictionaryLength, length, dictionaryLength, level }))
    start += length
  }
  const end = Buffer.alloc(10)
  end.set([3, 0])
  end.writeUInt32LE(crc32(tar), 2)
  end.writeUInt32LE(tar.length % 2 ** 32, 6)
  return Buffer.concat([...parts, end])
}

function unitsOf(tar: Buffer): Unit[] {
  const units: Unit[] = []
  const end = tar.length - 1024
  for (let at = 0; at < end;) {
    const start = at
    let paxPath: string | undefined
    if (tar[at + 156] === 'x'.charCodeAt(0)) {
      const size = sizeAt(tar, at)
      const records = tar.toString('utf8', at + 512, at + 512 + size)
      paxPath = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(records)?.[1]
      at += 512 + Math.ceil(size / 512) * 512
    }
    const prefix = textAt(tar, at + 345, 155)
    const name = paxPath ?? (prefix === '' ? '' : `${prefix}/`) + textAt(tar, at, 100)
    at += 512 + Math.ceil(sizeAt(tar, at) / 512) * 512
    units.push({ name: name.replace(/\/$/, ''), length: at - start })
  }
  return units
}

function sizeAt(tar: Buffer, header: number): number {
  return Number.parseInt(tar.toString('latin1', header + 124, header + 135), 8)
}

function textAt(tar: Buffer, start: number, width: number): string {
  return tar.toString('latin1', start, start + width).replace(/\0.*$/s, '')
}
