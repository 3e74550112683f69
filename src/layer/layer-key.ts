/** The key of a finished layer: everything that decides its bytes, and nothing of this machine. */

import type { Compression } from '../config/resolved-spec.ts'
import { createDigester } from '../content/hash.ts'
import type { Changeset } from './changeset.ts'
import { sourceSize } from './read-source.ts'

/** How entries are written and cut; another one is another key. */
export const formatVersion = 1

const encoder = new TextEncoder()

/** What can be known without reading contents, in hex: two layers of other shapes are never the same. */
export function shapeKey(changeset: Changeset, compression: Compression, encoderId: string): string {
  const digester = createDigester()
  const level = compression.type === 'none' ? '' : `:${compression.level}`
  let text = `ocibuild layer ${formatVersion} ${compression.type}${level} ${encoderId}\n`
  for (const entry of changeset.entries) {
    text += `${entry.type}\t${entry.path}\0${entry.mode} ${entry.uid} ${entry.gid} ${entry.mtime}`
    if (entry.type === 'file') text += ` ${sourceSize(entry.source)}`
    else if ('target' in entry) text += ` ${entry.target}`
    else if ('xattrs' in entry && entry.xattrs)
      text += ` ${JSON.stringify(Object.entries(entry.xattrs).toSorted())}`
    text += '\0\n'
    if (text.length > 1_000_000) {
      digester.update(encoder.encode(text))
      text = ''
    }
  }
  digester.update(encoder.encode(text))
  return digester.digest().slice('sha256:'.length)
}

/** The key itself, in hex: the shape and the sha256 (hex) of each file's content in order. */
export function layerKey(shape: string, contents: readonly string[]): string {
  const digester = createDigester()
  digester.update(encoder.encode(`${shape}\n${contents.join('\n')}`))
  return digester.digest().slice('sha256:'.length)
}
