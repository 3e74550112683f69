/** The version of this package. */

import { readFileSync } from 'node:fs'

/** `version` of our own package.json. */
export function readVersion(): string {
  // src/cli and dist/cli lie equally deep.
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return known && typeof manifest.version === 'string' ? manifest.version : 'unknown'
}
