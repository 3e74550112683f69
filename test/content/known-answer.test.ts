import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { deflateBlock, windowBytes } from '../../src/content/deflate-block.ts'
import { answerFor, passesKnownAnswerTest } from '../../src/content/known-answer.ts'

describe('the known-answer test', () => {
  it('is passed at every level by this Node.js, an official build', async () => {
    for (let level = 1; level <= 9; level += 1) {
      expect([level, await passesKnownAnswerTest(level)]).toEqual([level, true])
    }
  })

  it('has another answer for every level, so that it tells them apart', async () => {
    const answers = await Promise.all(Array.from({ length: 9 }, (_, index) => answerFor(index + 1)))
    expect(new Set(answers).size).toBe(9)
  })

  it('is passed for no level that is none', async () => {
    expect(await passesKnownAnswerTest(0)).toBe(false)
  })
})

describe('a block', () => {
  const before = Buffer.from('the words of the block before. '.repeat(2000))
  const block = Buffer.from('the words of the block before. and its own'.repeat(3000))

  it('ends on a byte boundary with the marker of a sync flush, and inflates with what came before', async () => {
    const dictionary = before.subarray(-windowBytes)
    const bytes = Buffer.from(await deflateBlock(block, 5, dictionary))
    expect(bytes.subarray(-4).toString('hex')).toBe('0000ffff')
    const closed = Buffer.concat([bytes, Buffer.from([3, 0])])
    expect(inflateRawSync(closed, { dictionary }).equals(block)).toBe(true)
  })

  it('of bytes that do not compress is whole, whatever size its output has', async () => {
    let state = 1
    const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24
    // Around the first chunk of output (64 KiB): where it is just full, flushing goes on in the next.
    for (let size = 65_536 - 24; size <= 65_536; size += 1) {
      const noise = Buffer.from(Uint8Array.from({ length: size }, next))
      const bytes = Buffer.from(await deflateBlock(noise, 1, undefined))
      expect(inflateRawSync(Buffer.concat([bytes, Buffer.from([3, 0])])).equals(noise)).toBe(true)
      const inOneChunk = deflateRawSync(noise, {
        level: 1,
        memLevel: 9,
        finishFlush: constants.Z_SYNC_FLUSH,
        chunkSize: 1 << 20,
      })
      expect(bytes.equals(inOneChunk)).toBe(true)
    }
  })
})
