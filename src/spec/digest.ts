/** Digests: `algorithm:encoded` (image-spec v1.1.1 descriptor.md, Digests). */

import { OciBuildError } from '../errors.ts'

/** A digest of a registered algorithm, lower-case hex. Says nothing about which bytes: the holder's name does. */
export type Digest = `sha256:${string}` | `sha512:${string}`

const digestPattern = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/

export function isDigest(text: string): text is Digest {
  return digestPattern.test(text)
}

/** Parses a digest of a registered algorithm. Throws `OCB-DIGEST-INVALID`. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new OciBuildError('OCB-DIGEST-INVALID', {
    message: `"${text.slice(0, 160)}" is not a digest; wanted sha256: and 64 hex digits, or sha512: and 128`,
  })
}

/** The algorithm and the hex of a digest; together the path of a blob in a layout. */
export function splitDigest(digest: Digest): {
  readonly algorithm: 'sha256' | 'sha512'
  readonly encoded: string
} {
  const encoded = digest.slice(7)
  return { algorithm: digest.startsWith('sha256:') ? 'sha256' : 'sha512', encoded }
}
