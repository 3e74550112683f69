/** The sha256 of a tar in blocks, and the crc32 of each where that is asked for: on a thread, or here. */

import type { Deflater, StreamHasher } from '../deflate/deflater.ts'
import { crc32Of } from './gzip-member.ts'
import { createDigester } from './hash.ts'

export interface StreamHasherOptions {
  /** No thread is worth it. */
  readonly here: boolean
  /** Without it each crc32 is 0. */
  readonly crc32: boolean
}

export function createStreamHasher(deflater: Deflater, { here, crc32 }: StreamHasherOptions): StreamHasher {
  return here ? hasherHere(crc32) : deflater.hasher(crc32)
}

function hasherHere(withCrc32: boolean): StreamHasher {
  const digester = createDigester()
  return {
    async add({ buffer, start, length }) {
      const bytes = new Uint8Array(buffer, start, length)
      digester.update(bytes)
      return withCrc32 ? crc32Of(bytes) : 0
    },
    end: async () => digester.digest().slice('sha256:'.length),
  }
}
