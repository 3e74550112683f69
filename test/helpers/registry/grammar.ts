/** The grammars of distribution-spec v1.1.1, read strictly, and digests, independent of the code under test. */

import { createHash } from 'node:crypto'

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const name = new RegExp(`^${component}(?:/${component})*$`)
const tag = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const digest = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/

export function isName(text: string): boolean {
  return name.test(text) && text.length <= 255
}

export function isTag(text: string): boolean {
  return tag.test(text)
}

export function isDigest(text: string): boolean {
  return digest.test(text)
}

/** The digest of the bytes, by the algorithm of `like` (a digest), else sha256. */
export function digestOf(bytes: Uint8Array, like = 'sha256:'): string {
  const algorithm = like.startsWith('sha512:') ? 'sha512' : 'sha256'
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}
