/** The sha256 of a tar in blocks, and its crc32 where that is asked for: on a thread, or here. */

import type { Deflater, StreamHasher } from '../deflate/deflater.ts'
import { updateCrc32 } from './gzip-member.ts'
import { createDigester } from './hash.ts'

export interface StreamHasherOptions {
  /** No thread is worth it. */
  readonly here: boolean
  /** Without it the crc32 is 0. */
  readonly crc32: boolean
}

export function createStreamHasher(deflater: Deflater, { here, crc32 }: StreamHasherOptions): StreamHasher {
  return here ? hasherHere(crc32) : deflater.hasher(crc32)
}

function hasherHere(withCrc32: boolean): StreamHasher {
  const digester = createDigester()
  let crc = 0
  return {
    async add({ buffer, start, length }) {
      const bytes = new Uint8Array(buffer, start, length)
      digester.update(bytes)
      if (withCrc32) crc = updateCrc32(bytes, crc)
    },
    end: async () => ({ sha256: digester.digest().slice('sha256:'.length), crc32: crc }),
  }
}
