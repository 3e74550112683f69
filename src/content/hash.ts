/** The only user of node:crypto: digests of bytes. */

import { createHash, hash as hashOnce } from 'node:crypto'
import { OciBuildError } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { splitDigest, type Digest } from '../spec/digest.ts'
import type { ByteStream } from './store.ts'

/** The sha256 of bytes, or of a string's UTF-8. */
export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${hashOnce('sha256', bytes, 'hex')}`
}

/** The raw 32 bytes of a sha256. */
export function sha256Bytes(bytes: Uint8Array | string): Buffer {
  return hashOnce('sha256', bytes, 'buffer')
}

/** Hashes of package managers: of their lockfiles' integrity, and of names that are too long. */
export type IntegrityAlgorithm = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/** A hash over bytes that come in pieces; `digest` may be called once. */
export interface IntegrityHash {
  update(bytes: Uint8Array): void
  digest(): Buffer
}

export function createIntegrityHash(algorithm: IntegrityAlgorithm): IntegrityHash {
  const hash = createHash(algorithm)
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() }
}

/** The raw 16 bytes of an md5: never for trust. */
export function md5Bytes(text: string): Buffer {
  return hashOnce('md5', text, 'buffer')
}

/** A digest over bytes that come in pieces, or strings' UTF-8. */
export interface Digester {
  update(bytes: Uint8Array | string): void
  /** Ends it; may be called once. */
  digest(): Digest
}

export function createDigester(algorithm: 'sha256' | 'sha512' = 'sha256'): Digester {
  const hash = createHash(algorithm)
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => `${algorithm}:${hash.digest('hex')}`,
  }
}

/** Passes a stream on, and throws `OCB-CONTENT-MISMATCH` when its bytes are not those of the descriptor. */
export async function* verifyStream(expected: Descriptor, content: ByteStream): AsyncGenerator<Uint8Array> {
  const digester = createDigester(splitDigest(expected.digest).algorithm)
  let size = 0
  for await (const chunk of content) {
    size += chunk.length
    if (size > expected.size) throw mismatch(expected, `more than ${expected.size} bytes`)
    digester.update(chunk)
    yield chunk
  }
  if (size !== expected.size) throw mismatch(expected, `${size} bytes`)
  const digest = digester.digest()
  if (digest !== expected.digest) throw mismatch(expected, digest)
}

/** Checks bytes at hand as `verifyStream` does. */
export function verifyBytes(expected: Descriptor, bytes: Uint8Array): void {
  if (bytes.length !== expected.size) throw mismatch(expected, `${bytes.length} bytes`)
  const digester = createDigester(splitDigest(expected.digest).algorithm)
  digester.update(bytes)
  const digest = digester.digest()
  if (digest !== expected.digest) throw mismatch(expected, digest)
}

function mismatch(expected: Descriptor, seen: string): OciBuildError {
  return new OciBuildError('OCB-CONTENT-MISMATCH', {
    message: `content is not what its descriptor says: wanted ${expected.digest} of ${expected.size} bytes, got ${seen}`,
    hint: 'fetch or build it again; the copy at hand is damaged',
  })
}
