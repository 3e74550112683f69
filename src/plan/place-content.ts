/** `file` and `append`: bytes that stand in the spec, or one host file after what is there. */

import { OciBuildError } from '../errors.ts'
import type { EntryOf } from '../config/resolved-spec.ts'
import { fileMode } from './entry-metadata.ts'
import { hostFileSource } from './host-file.ts'
import { imagePath } from './image-path.ts'
import { locate } from './locate.ts'
import type { Placement } from './placement.ts'

export function placeFile(entry: EntryOf<'file'>): readonly Placement[] {
  return [
    {
      type: 'file',
      path: fileImagePath(entry.file, `${entry.at}.file`),
      origin: entry.at,
      mode: entry.mode ?? fileMode,
      owner: entry.owner,
      mtime: 'content',
      source: { kind: 'bytes', bytes: entry.content },
    },
  ]
}

/** Throws `OCB-COPY-NO-MATCH` when the host file is missing, `OCB-SPEC-APPEND` when it is no regular file. */
export function placeAppend(entry: EntryOf<'append'>): readonly Placement[] {
  const path = fileImagePath(entry.append, `${entry.at}.append`)
  if (entry.copy === undefined) {
    const bytes = entry.content ?? new Uint8Array(0)
    return [{ type: 'append', path, origin: entry.at, source: { kind: 'bytes', bytes } }]
  }
  const found = locate(entry.root, entry.copy, `${entry.at}.copy`, true)
  if (found.type !== 'file') {
    throw new OciBuildError('OCB-SPEC-APPEND', {
      message: `${entry.at}.copy "${entry.copy}" is a ${found.type}; append wants one file`,
      hint: 'name a file, or give the bytes as content',
    })
  }
  return [{ type: 'append', path, origin: entry.at, source: hostFileSource(found.hostPath) }]
}

/** Throws `OCB-SPEC-IMAGE-PATH` for a path that can only be a directory. */
function fileImagePath(text: string, at: string): string {
  const path = imagePath(text, at)
  if (path !== '/' && !text.endsWith('/')) return path
  throw new OciBuildError('OCB-SPEC-IMAGE-PATH', {
    message: `${at} ${JSON.stringify(text)} is a directory; wanted the path of a file`,
    hint: 'add the file name to the path',
  })
}
