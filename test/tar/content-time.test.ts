import { describe, expect, it } from 'vitest'
import { contentTime, contentTimeOfHex } from '../../src/tar/content-time.ts'

describe('the time of content', () => {
  it('lies from 1980 to the end of 2009, made of the first 48 bits of the digest alone', () => {
    const of = (...bytes: number[]): number => {
      const digest = Uint8Array.from({ length: 32 }, (_, index) => bytes[index] ?? 0)
      expect(contentTimeOfHex(Buffer.from(digest).toString('hex'))).toBe(contentTime(digest))
      return contentTime(digest)
    }
    expect(of(0, 0, 0, 0, 0, 0)).toBe(315_532_800)
    expect(of(0, 0, 0, 0, 0, 1)).toBe(315_532_801)
    expect(of(0, 0, 0, 0, 0, 0, 255)).toBe(315_532_800)
    expect(of(255, 255, 255, 255, 255, 255)).toBe(315_532_800 + Number((2n ** 48n - 1n) % 946_771_200n))
    expect(of(1, 2, 3, 4, 5, 6)).toBe(315_532_800 + Number(0x010203040506n % 946_771_200n))
    expect(new Date((315_532_800 + 946_771_199) * 1000).toISOString()).toBe('2009-12-31T23:59:59.000Z')
  })
})
