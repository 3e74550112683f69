/** The checksums of lockfiles: `sha512-…` words (w3.org/TR/SRI), of which the strongest counts. */

import { createIntegrityHash, type IntegrityAlgorithm } from '../../content/hash.ts'

export interface Integrity {
  readonly algorithm: IntegrityAlgorithm
  /** Any of these, in hex. */
  readonly digests: readonly string[]
}

const byStrength: readonly IntegrityAlgorithm[] = ['sha512', 'sha384', 'sha256', 'sha1']
const lengths: Readonly<Record<IntegrityAlgorithm, number>> = { sha512: 64, sha384: 48, sha256: 32, sha1: 20 }

/** Undefined where none of the words is a checksum of a known kind. */
export function parseIntegrity(text: string): Integrity | undefined {
  const words = text.split(/\s+/).map((word) => /^([a-z0-9]+)-([A-Za-z0-9+/]+={0,2})(?:\?.*)?$/.exec(word))
  for (const algorithm of byStrength) {
    const digests = words
      .filter((word) => word?.[1] === algorithm)
      .map((word) => Buffer.from(word?.[2] ?? '', 'base64'))
      .filter((bytes) => bytes.length === lengths[algorithm])
      .map((bytes) => bytes.toString('hex'))
    if (digests.length > 0) return { algorithm, digests }
  }
  return undefined
}

/** The name under which something of that integrity is kept. */
export function integrityName({ algorithm, digests }: Integrity): string {
  return `${algorithm}-${digests[0] ?? ''}`
}

/** Undefined where the bytes are the wanted ones, else what they are: `sha512-…`. */
export function integrityFault(bytes: Uint8Array, { algorithm, digests }: Integrity): string | undefined {
  const hash = createIntegrityHash(algorithm)
  hash.update(bytes)
  const digest = hash.digest()
  return digests.includes(digest.toString('hex')) ? undefined : `${algorithm}-${digest.toString('base64')}`
}
