/** The entries of a layer, as an engine that applies it would understand them. */

import { decompress, type CompressionType } from '../content/decompress.ts'
import type { ByteStream } from '../content/store.ts'
import { normalizeEntryName, unsafeEntry } from './entry-name.ts'
import { readTar, type TarEntry, type TarOptions } from './tar-entries.ts'
import type { LayerEntry } from './tree-types.ts'

export interface LayerContent {
  readonly entry: LayerEntry
  /** A regular file's bytes; readable once, until the next entry is asked for; skipped when it is not read. */
  readonly content: ByteStream
}

const whiteoutPrefix = '.wh.'
const opaqueMarker = '.wh..wh..opq'
/** AUFS' own bookkeeping, which engines leave out. */
const metadataPrefix = '.wh..wh.'

/**
 * Reads a layer as it is stored (image-spec v1.1.1 layer.md). Names are normalised, hard link targets too;
 * whiteouts and opaque markers are recognised, other `.wh..wh.*` names left out. The order is the tar's, and a
 * name may come twice: the later one counts. Throws `OCB-ARCHIVE-UNSAFE`, `OCB-ARCHIVE-DAMAGED`,
 * `OCB-ARCHIVE-UNSUPPORTED`, `OCB-COMPRESSION-DAMAGED`, and what the content throws (it is read to its end).
 */
export async function* readLayer(
  content: ByteStream,
  compression: CompressionType,
  options: TarOptions = {},
): AsyncGenerator<LayerContent> {
  const archive = options.archive ?? 'the layer'
  for await (const tarEntry of readTar(decompress(content, compression), { ...options, archive })) {
    const entry = toLayerEntry(tarEntry, archive)
    if (entry) yield { entry, content: tarEntry.content }
  }
}

function toLayerEntry(entry: TarEntry, archive: string): LayerEntry | undefined {
  const path = normalizeEntryName(entry.name, archive)
  const slash = path.lastIndexOf('/')
  const base = path.slice(slash + 1)
  // `.wh..wh.plnk` and the like are folders: what lies in them goes too.
  if (base !== opaqueMarker && path.includes(metadataPrefix) && isMetadata(path)) return undefined
  const { mode, uid, gid, mtime } = entry
  if (base.startsWith(whiteoutPrefix)) {
    const directory = path.slice(0, Math.max(slash, 0))
    if (base === opaqueMarker) return { path: directory, type: 'opaque', mode, uid, gid, mtime, size: 0 }
    const hidden = base.slice(whiteoutPrefix.length)
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw unsafeEntry(entry.name, archive, 'it is a whiteout that names nothing')
    }
    const target = slash < 0 ? hidden : `${directory}/${hidden}`
    return { path: target, type: 'whiteout', mode, uid, gid, mtime, size: 0 }
  }
  if (path === '' && entry.type !== 'directory') {
    throw unsafeEntry(entry.name, archive, `it would put a ${entry.type} in place of the root directory`)
  }
  const target = linkTarget(entry, archive)
  return {
    path,
    type: entry.type,
    mode,
    uid,
    gid,
    mtime,
    size: entry.type === 'file' ? entry.size : 0,
    ...(target === undefined ? undefined : { target }),
    ...(entry.xattrs && { xattrs: entry.xattrs }),
  }
}

/** A symlink's target as it stands, a hard link's normalised; undefined for all else. */
export function linkTarget(entry: TarEntry, archive: string): string | undefined {
  if (entry.type === 'hardlink') {
    const target = normalizeEntryName(entry.linkName, archive, 'the hard link’s target')
    if (target === '') throw unsafeEntry(entry.name, archive, 'it is a hard link to the root directory')
    return target
  }
  if (entry.type !== 'symlink') return undefined
  const { linkName } = entry
  if (linkName === '' || linkName.includes('\0') || Buffer.byteLength(linkName) > 4095) {
    throw unsafeEntry(entry.name, archive, 'its target is empty, contains a NUL or is over 4095 bytes')
  }
  return linkName
}

function isMetadata(path: string): boolean {
  return path.split('/').some((part) => part.startsWith(metadataPrefix) && part !== opaqueMarker)
}
