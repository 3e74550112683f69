/** Names of the host that no image may hold. */

import { readdirSync } from 'node:fs'
import { OciBuildError } from '../errors.ts'
import { unreadable } from './host-file.ts'
import { refuseWhiteoutName } from './image-path.ts'

const replacement = '\ufffd'

/**
 * Refuses a name found in `directory`. Throws `OCB-NAME-WHITEOUT` for `.wh.…`, `OCB-NAME-NOT-UTF8` for a name
 * whose bytes are not UTF-8 (layers are read as UTF-8: PAX, and image-spec v1.1.1 layer.md).
 */
export function checkName(directory: string, name: string): void {
  if (name.startsWith('.wh.')) refuseWhiteoutName(name, `${directory}/${name}`)
  // Node decodes names with replacement characters; only the bytes tell them from real ones.
  if (name.includes(replacement)) refuseUndecodable(directory, name)
}

function refuseUndecodable(directory: string, name: string): void {
  let raw: Buffer[]
  try {
    raw = readdirSync(directory, { encoding: 'buffer' })
  } catch (error) {
    throw unreadable(directory, error)
  }
  const culprit = raw.find((bytes) => bytes.toString() === name && !bytes.equals(Buffer.from(name)))
  if (culprit === undefined) return
  throw new OciBuildError('OCB-NAME-NOT-UTF8', {
    message: `${directory}/${printable(culprit)}: the name is not UTF-8`,
    hint: 'rename it, or exclude it',
  })
}

/** ASCII as it is, all else as `\xNN`. */
function printable(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('')
}
