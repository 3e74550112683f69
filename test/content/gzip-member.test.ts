/** The checksum of a gzip member, put together of those of its parts. */

import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { crc32Of, joinCrc32 } from '../../src/content/gzip-member.ts'

it('the crc32 of two runs of bytes is that of both together', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.uint8Array({ maxLength: 3000 }), (first, second) => {
      const all = Buffer.concat([first, second])
      expect(joinCrc32(crc32Of(first), crc32Of(second), second.length)).toBe(crc32(all))
    }),
    { numRuns: 500 },
  )
})

it('also beyond 4 GiB: zeros after the bytes, a block at a time', () => {
  const block = Buffer.alloc(1024 * 1024)
  let stepwise = crc32(Buffer.from('start'))
  for (let blocks = 0; blocks < 5000; blocks += 1)
    stepwise = joinCrc32(stepwise, crc32Of(block), block.length)
  let zeros = 0
  for (let blocks = 0; blocks < 5000; blocks += 1) zeros = joinCrc32(zeros, crc32Of(block), block.length)
  expect(joinCrc32(crc32(Buffer.from('start')), zeros, 5000 * block.length)).toBe(stepwise)
})
