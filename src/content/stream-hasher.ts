/** The sha256 and crc32 of a tar in blocks: on a thread, or here where there is little of it. */

import type { Deflater, StreamHasher } from '../deflate/deflater.ts'
import { updateCrc32 } from './gzip-member.ts'
import { createDigester } from './hash.ts'

/** `small`: no thread is worth starting for it. */
export function createStreamHasher(deflater: Deflater, small: boolean): StreamHasher {
  return small ? hasherHere() : deflater.hasher()
}

function hasherHere(): StreamHasher {
  const digester = createDigester()
  let crc = 0
  return {
    async add({ buffer, start, length }) {
      const bytes = new Uint8Array(buffer, start, length)
      digester.update(bytes)
      crc = updateCrc32(bytes, crc)
    },
    end: async () => ({ sha256: digester.digest().slice('sha256:'.length), crc32: crc }),
  }
}
