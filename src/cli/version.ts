/** The version of this package. */

import { readFileSync } from 'node:fs'
import { packageFile } from '../package-file.ts'

/** `version` of our own package.json. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'))
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return known && typeof manifest.version === 'string' ? manifest.version : 'unknown'
}
