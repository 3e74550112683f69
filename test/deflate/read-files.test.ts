/** Files that a thread reads into a block, which it hashes. */

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { crc32Of } from '../../src/content/gzip-member.ts'
import { sha256 } from '../../src/content/hash.ts'
import { createDeflater, type Block, type ReadBlock, type StreamHasher } from '../../src/deflate/deflater.ts'

const dir = mkdtempSync(join(tmpdir(), 'ocibuild-read-files-'))
const threads = createDeflater(2)
afterAll(async () => {
  await threads.close()
  rmSync(dir, { recursive: true, force: true })
})

function fileOf(name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

/** Where in the buffer, where in the file, how much. */
type Part = readonly [path: string, at: number, start: number, length: number]

interface Read {
  readonly text: string
  readonly stats: number[]
}

/** Into a buffer of 24 bytes, of which the block is all but the first and the last; told is what the hasher made of it. */
async function read(parts: readonly Part[]): Promise<Read> {
  const buffer = new SharedArrayBuffer(24)
  new Uint8Array(buffer).fill(0x2e)
  const hasher = threads.hasher(true)
  await hasher.add(blockOf('before'))
  const { stats, crc32 } = await readAndAdd(hasher, { buffer, start: 1, length: 22 }, parts)
  const bytes = Buffer.from(new Uint8Array(buffer))
  const block = bytes.subarray(1, 23)
  expect(crc32).toBe(crc32Of(block))
  await hasher.add(blockOf('after'))
  expect(await hasher.end()).toBe(
    sha256(Buffer.concat([Buffer.from('before'), block, Buffer.from('after')])).slice('sha256:'.length),
  )
  return { text: bytes.toString(), stats: Array.from(stats) }
}

function blockOf(text: string): Block {
  const bytes = Uint8Array.from(Buffer.from(text))
  return { buffer: bytes.buffer, start: 0, length: bytes.length }
}

function readAndAdd(hasher: StreamHasher, block: Block, parts: readonly Part[]): Promise<ReadBlock> {
  const paths = parts.map(([path]) => path)
  const ranges = Float64Array.from(parts.flatMap(([, ...range]) => range))
  if (hasher.readAndAdd === undefined) throw new Error('a hasher without a thread')
  return hasher.readAndAdd(block, { paths, ranges })
}

function statsOf(path: string): number[] {
  const { size, mtimeMs, ino } = statSync(path)
  return [size, mtimeMs, ino]
}

describe('a thread that reads files', () => {
  it('puts each part where it belongs, and says what fstat said', async () => {
    const one = fileOf('one', 'abcdef')
    const other = fileOf('ö ther', 'ghijkl')
    const empty = fileOf('empty', '')
    const { text, stats } = await read([
      [other, 12, 0, 6],
      [one, 2, 1, 3],
      [empty, 20, 0, 0],
    ])
    expect(text).toBe('..bcd.......ghijkl......')
    expect(stats).toEqual([...statsOf(other), ...statsOf(one), ...statsOf(empty)])
  })

  it('says nothing of what is not there, or ends before its part does, and goes on', async () => {
    const one = fileOf('short', 'abc')
    const none = [Number.NaN, Number.NaN, Number.NaN]
    const { text, stats } = await read([
      [join(dir, 'missing'), 0, 0, 3],
      [one, 0, 0, 4],
      [dir, 0, 0, 3],
      [one, 8, 0, 3],
    ])
    expect(text.slice(4)).toBe('....abc.............')
    expect(stats).toEqual([...none, ...none, ...none, ...statsOf(one)])
  })

  it('fails once the threads are ended', async () => {
    const ended = createDeflater(1)
    const path = fileOf('late', 'abc')
    await ended.close()
    await expect(readAndAdd(ended.hasher(false), blockOf('...'), [[path, 0, 0, 3]])).rejects.toThrow('ended')
  })
})
