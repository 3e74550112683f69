/** Files that a thread reads into a block. */

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createDeflater } from '../../src/deflate/deflater.ts'

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

async function read(parts: readonly Part[]): Promise<{ readonly text: string; readonly stats: number[] }> {
  const buffer = new SharedArrayBuffer(24)
  new Uint8Array(buffer).fill(0x2e)
  const stats = await threads.readFiles(buffer, {
    paths: parts.map(([path]) => path),
    ranges: Float64Array.from(parts.flatMap(([, ...range]) => range)),
  })
  return { text: Buffer.from(new Uint8Array(buffer)).toString(), stats: Array.from(stats) }
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
    const ranges = Float64Array.of(0, 0, 3)
    await expect(ended.readFiles(new SharedArrayBuffer(3), { paths: [path], ranges })).rejects.toThrow(
      'ended',
    )
  })
})
