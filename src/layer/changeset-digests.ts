/** The digests of a changeset's files: those that are remembered, and those that building it finds. */

import type { FileDigests } from '../cache/file-digests.ts'
import type { Deflater } from '../deflate/deflater.ts'
import type { Changeset } from './changeset.ts'
import { hashContents } from './content-hashes.ts'
import type { LongFiles } from './long-files.ts'
import { checkDigest, sourceSize } from './read-source.ts'
import type { ContentDigests, FileEntry } from './tar-blocks.ts'

const digestBytes = 32
/** So few files are read and hashed before the memory of a project's digests is. */
const fewFiles = { count: 64, bytes: 1024 * 1024 }

export interface ChangesetDigests extends ContentDigests {
  /** All of them, once they are found: 32 bytes a file. */
  readonly contents: Uint8Array
  /** Files whose digest was neither asked for nor found so far. */
  left(): number
}

/** Digests of one changeset: this pass's, then what the source says, then what is remembered. */
export function changesetDigests(
  { entries }: Changeset,
  files: FileDigests,
  longFiles?: LongFiles,
): ChangesetDigests {
  const count = entries.reduce((files, { type }) => (type === 'file' ? files + 1 : files), 0)
  const contents = new Uint8Array(count * digestBytes)
  const isFound = new Uint8Array(count)
  let left = count
  const set = (index: number, digest: Uint8Array): void => {
    contents.set(digest, index * digestBytes)
    if (isFound[index] === 0) left -= 1
    isFound[index] = 1
  }
  return {
    contents,
    left: () => left,
    known(entry, index) {
      if (isFound[index] === 1) return contents.subarray(index * digestBytes, (index + 1) * digestBytes)
      const { source } = entry
      if (source.kind === 'bytes') return undefined
      const digest =
        source.digest === undefined
          ? files.lookup(source)
          : Buffer.from(source.digest.slice('sha256:'.length), 'hex')
      if (digest !== undefined) set(index, digest)
      return digest
    },
    found(entry, index, digest) {
      checkDigest(entry.source, digest)
      set(index, digest)
      if (entry.source.kind === 'host') files.remember(entry.source, digest)
    },
    coming: ({ source }) => longFiles?.digestOf(source),
    // Bytes at hand are nobody's to write.
    isSettled: ({ source }) => source.kind === 'bytes' || files.isSettled(source),
  }
}

/** The digest of every file in order; what is not known is read and hashed. */
export async function findDigests(
  changeset: Changeset,
  digests: ChangesetDigests,
  deflater: Deflater,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { contents } = digests
  if (digests.left() === 0) return contents
  const unknown: { readonly entry: FileEntry; readonly index: number }[] = []
  let index = 0
  for (const entry of changeset.entries) {
    if (entry.type !== 'file') continue
    const known = digests.known(entry, index)
    if (known === undefined) unknown.push({ entry, index })
    index += 1
  }
  if (unknown.length === 0) return contents
  const sources = unknown.map(({ entry }) => entry.source)
  for (const [place, digest] of (await hashContents(sources, deflater, signal)).entries()) {
    const file = unknown[place]
    if (file !== undefined) digests.found(file.entry, file.index, digest)
  }
  return contents
}

/** The sha256 of every file of a changeset, 32 bytes each, in order: remembered, or read and hashed. */
export function contentDigests(
  changeset: Changeset,
  files: FileDigests,
  deflater: Deflater,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  return findDigests(changeset, changesetDigests(changeset, files), deflater, signal)
}

/** The bytes of all files of a changeset. */
export function contentBytes(changeset: Changeset): number {
  return changeset.entries.reduce(
    (total, entry) => (entry.type === 'file' ? total + sourceSize(entry.source) : total),
    0,
  )
}

/** Nothing is remembered of few files that are the host's, nor asked. */
export function worthRemembering({ entries }: Changeset, files: FileDigests): FileDigests {
  let [count, bytes] = [0, 0]
  for (const entry of entries) {
    if (entry.type !== 'file') continue
    count += 1
    bytes += sourceSize(entry.source)
    if (count > fewFiles.count || bytes > fewFiles.bytes) return files
  }
  return { ...files, lookup: () => undefined, remember() {} }
}
