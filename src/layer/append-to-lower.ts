/** `append`: a lower layer's file with bytes after it. */

import { OciBuildError } from '../errors.ts'
import type { Placement } from '../plan/placement.ts'
import type { FileSource } from '../rootfs/file-source.ts'
import type { Draft } from './draft.ts'
import type { LowerFiles } from './lower.ts'
import type { LowerView } from './lower-view.ts'
import { readWhole, sourceSize } from './read-source.ts'

/** CA bundles are a few hundred KiB; a file beyond this was not meant. */
const maxBytes = 64 * 1024 * 1024

type Append = Extract<Placement, { readonly type: 'append' }>

/** Throws `OCB-APPEND-MISSING` where no layer has such a file. */
export async function appendToLower(
  draft: Draft,
  view: LowerView,
  lower: LowerFiles | undefined,
  placement: Append,
): Promise<void> {
  const path = view.resolve(placement.path, true)
  const { origin } = placement
  const earlier = draft.get(path)
  if (earlier?.type === 'file') {
    const source = joined(bytesOf(earlier.source), bytesOf(placement.source))
    draft.set(path, { ...earlier, origin, source })
    return
  }
  const below = earlier ? undefined : view.get(path)
  if (!lower || !below || (below.type !== 'file' && below.type !== 'hardlink')) {
    throw new OciBuildError('OCB-APPEND-MISSING', {
      message: `${origin} appends to /${path}, but ${below ? `a lower layer has a ${below.type} there` : 'no lower layer has that file'}`,
      hint: 'correct the path, or write the whole file with { file, content }',
    })
  }
  const source = joined(await lower.readFile(path, maxBytes), bytesOf(placement.source))
  const owner = { uid: below.uid, gid: below.gid }
  draft.set(path, { type: 'file', origin, mode: below.mode, owner, mtime: 'content', source })
}

function bytesOf(source: FileSource): Uint8Array {
  if (source.kind === 'bytes') return source.bytes
  const buffer = Buffer.alloc(sourceSize(source))
  readWhole(source, buffer, 0)
  return buffer
}

function joined(first: Uint8Array, second: Uint8Array): FileSource {
  return { kind: 'bytes', bytes: Buffer.concat([first, second]) }
}
