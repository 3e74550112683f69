/** Removes what a replaced image leaves behind, and nothing that anything else could need. */

import { readFileSync, statSync } from 'node:fs'
import { removeFile } from '../content/atomic-file.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { isDigest, type Digest } from '../spec/digest.ts'
import { isIndexType, isManifestType, layerCompression, mediaTypes } from '../spec/media-type.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { parseImageManifest } from '../spec/parse-image-manifest.ts'
import { decodeDocument, maxDocumentBytes } from '../spec/read-value.ts'
import { blobPath } from './blob-files.ts'

/**
 * Removes the blobs that only `replaced` reach, given the entries that index.json still has. Documents first, so
 * that a document is never there without what it names. When a document that is kept cannot be understood, nothing
 * is removed. Never throws. Must run under the layout's lock, after index.json was written.
 */
export function removeUnreachable(
  dir: string,
  replaced: readonly Descriptor[],
  keptEntries: readonly unknown[],
): void {
  const candidates = reachedBy(dir, replaced)
  if (candidates.size === 0) return
  const kept = mentionedBy(dir, keptEntries)
  if (kept === undefined) return
  for (const digest of candidates) {
    if (kept.has(digest)) continue
    try {
      removeFile(blobPath(dir, digest))
    } catch {
      // A blob too many harms nobody.
    }
  }
}

/** What images own, by the letter of image-spec; children that are missing or damaged own nothing. */
function reachedBy(dir: string, roots: readonly Descriptor[]): ReadonlySet<Digest> {
  const reached = new Set<Digest>()
  const queue = [...roots]
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    if (reached.has(item.digest)) continue
    reached.add(item.digest)
    try {
      if (isIndexType(item.mediaType)) queue.push(...parseImageIndex(readSmall(dir, item.digest)).manifests)
      if (isManifestType(item.mediaType)) {
        const { config, layers } = parseImageManifest(readSmall(dir, item.digest))
        queue.push(config, ...layers)
      }
    } catch {
      // Its children are not known, so they stay.
    }
  }
  return reached
}

/**
 * Every digest that the kept entries mention anywhere, in documents of any kind: artifacts, subjects and media types
 * of later specs count too. Undefined when an image's document is there and cannot be read.
 */
function mentionedBy(dir: string, entries: readonly unknown[]): ReadonlySet<string> | undefined {
  const mentioned = new Set<string>()
  const queue: unknown[] = [...entries]
  for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
    if (typeof value !== 'object' || value === null) continue
    for (const child of Object.values(value))
      if (typeof child === 'object' && child !== null) queue.push(child)
    const digest = 'digest' in value ? value.digest : undefined
    if (typeof digest !== 'string' || !isDigest(digest) || mentioned.has(digest)) continue
    mentioned.add(digest)
    const mediaType = 'mediaType' in value && typeof value.mediaType === 'string' ? value.mediaType : ''
    if (layerCompression(mediaType) !== undefined || mediaType === mediaTypes.config) continue
    try {
      const bytes = readSmall(dir, digest)
      if (bytes !== undefined) queue.push(decodeDocument(bytes, digest))
    } catch {
      if (isIndexType(mediaType) || isManifestType(mediaType)) return undefined
    }
  }
  return mentioned
}

/** The bytes of a blob of at most 4 MiB; undefined when it is missing. Throws when it is larger. */
function readSmall(dir: string, digest: Digest): Uint8Array | undefined {
  const path = blobPath(dir, digest)
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isFile() !== true) return undefined
  if (stats.size > maxDocumentBytes) throw new Error('too large for a document')
  return readFileSync(path)
}
