import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/content/hash.ts'
import { cutsBefore, standardLimits } from '../../src/layer/block-cutter.ts'

const KiB = 1024
const MiB = 1024 * KiB
const paths = Array.from({ length: 200 }, (_, index) => `/app/file-${index}`)
const cutting = paths.find((path) => (sha256Bytes(path)[0] ?? 1) % 16 === 0) ?? ''
const other = paths.find((path) => (sha256Bytes(path)[0] ?? 0) % 16 !== 0) ?? ''

describe('a cut falls before a unit', () => {
  it.each([
    ['never at the start of a block', 0, 2 * MiB, cutting, false],
    ['from 256 KiB on, where the path says so', 256 * KiB, 512, cutting, true],
    ['not 512 bytes earlier', 256 * KiB - 512, 512, cutting, false],
    ['not where the path does not say so', 256 * KiB, 512, other, false],
    ['where the block would be longer than 1 MiB', MiB - 512, 1024, other, true],
    ['not where it would be 1 MiB long', MiB - 1024, 1024, other, false],
    ['after 512 bytes, where the unit is 1 MiB long', 512, MiB, other, true],
    ['before the end of the archive only for its length', 512 * KiB, 1024, undefined, false],
    ['before the end of the archive where there is no room', MiB - 512, 1024, undefined, true],
  ])('%s', (_, filled, unitBytes, path, cuts) => {
    expect(cutsBefore(standardLimits, filled, unitBytes, path)).toBe(cuts)
  })

  it('for one path in sixteen', () => {
    const many = Array.from({ length: 4096 }, (_, index) => `/${index}`)
    const count = many.filter((path) => cutsBefore(standardLimits, 300 * KiB, 512, path)).length
    expect(count).toBeGreaterThan(200)
    expect(count).toBeLessThan(312)
  })
})
