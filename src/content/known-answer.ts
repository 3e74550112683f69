/** Whether this process's deflate writes the bytes that every official Node.js writes (contract, section 5). */

import { deflateBlock, windowBytes } from './deflate-block.ts'
import { sha256 } from './hash.ts'

/** First 20 digits of the sha256 of the sample's block at levels 1 to 9, as official builds of Node.js 20, 22, 24 and 26 write it. */
const knownAnswers: readonly string[] = [
  '24145a3f33e1da27516a',
  '560a7357f38785e0736f',
  '8e8cc73beb12e9babea7',
  'fc16c792aeca67fc3e59',
  'db2f6c7b11538a1f0146',
  '7c6f93d3e1c44b11485d',
  '901f0729cc7a31f97e76',
  '7eeb27e78b3d805ef048',
  '367731b1d01735a53040',
]

/** Compresses a sample at `level` and compares. Takes a few milliseconds. */
export async function passesKnownAnswerTest(level: number): Promise<boolean> {
  return (await answerFor(level)) === knownAnswers[level - 1]
}

/** What the test compares: for making the table. */
export async function answerFor(level: number): Promise<string> {
  const sample = makeSample()
  const block = sample.subarray(windowBytes)
  return sha256(await deflateBlock(block, level, sample.subarray(0, windowBytes))).slice('sha256:'.length, 27)
}

/**
 * 160 KiB that use all of deflate: words (matches near and far, which the levels search to other depths),
 * bytes without pattern, and long runs.
 */
function makeSample(): Buffer {
  const sample = Buffer.alloc(160 * 1024)
  let state = 0x9e3779b9
  const next = (bound: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
  const word = (): string =>
    Array.from({ length: 2 + next(9) }, () => String.fromCharCode(97 + next(26))).join('')
  const words = Array.from({ length: 48 }, word)
  for (let filled = 0; filled < sample.length;) {
    const kind = next(100)
    if (kind === 0) {
      for (let left = next(64); left > 0 && filled < sample.length; left -= 1) sample[filled++] = next(256)
    } else if (kind === 1) {
      const length = next(600)
      sample.fill(next(256), filled, filled + length)
      filled += length
    } else {
      filled += sample.write(`${words[Math.min(next(48), next(48))] ?? ''} `, filled, 'latin1')
    }
  }
  return sample
}
