/** Manifests on their way into a repository: kept for the tags that follow. */

import { readFile } from 'node:fs/promises'
import { readDocument } from '../content/read-document.ts'
import { verifyBytes } from '../content/hash.ts'
import type { ByteStream } from '../content/store.ts'
import { OciBuildError } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import { documentTooLarge, maxDocumentBytes } from '../spec/read-value.ts'
import { isNotFound } from './host-session.ts'
import { headManifest, type RawManifest } from './manifests.ts'
import { pushWithTags, type RegistryAbilities } from './push-tags.ts'
import type { Repository } from './repository.ts'

export interface ManifestWriter {
  has(target: Descriptor, signal: AbortSignal | undefined): Promise<boolean>
  push(expected: Descriptor, content: ByteStream, signal: AbortSignal | undefined): Promise<void>
  pushFile(expected: Descriptor, path: string, signal: AbortSignal | undefined): Promise<void>
  /** Under tags, or under the digest where there are none; `load` gives bytes that were not pushed here. */
  tag(
    target: Descriptor,
    tags: readonly string[],
    load: () => Promise<RawManifest>,
    signal: AbortSignal | undefined,
    /** What a tag was seen to name, if it was looked at. */
    named?: (tag: string) => Digest | undefined,
  ): Promise<readonly string[]>
}

/** So many manifests are kept: an index and its platforms. */
const maxKept = 64

/** `onBlobUnknown` is called when the registry misses a blob that a manifest names. */
export function createManifestWriter(repository: Repository, onBlobUnknown: () => void): ManifestWriter {
  const kept = new Map<Digest, RawManifest>()
  const abilities: RegistryAbilities = {}

  const keep = (manifest: RawManifest): void => {
    const [oldest] = kept.keys()
    if (kept.size >= maxKept && oldest !== undefined) kept.delete(oldest)
    kept.set(manifest.descriptor.digest, manifest)
  }
  const writer: ManifestWriter = {
    async has(target, signal) {
      try {
        return (await headManifest(repository, target.digest, signal)).size === target.size
      } catch (error) {
        if (isNotFound(error)) return false
        throw error
      }
    },

    async push(expected, content, signal) {
      const bytes = await readDocument({ fetch: async () => content }, expected, { signal })
      await writer.tag(expected, [], async () => ({ descriptor: expected, bytes }), signal)
    },

    async pushFile(expected, path, signal) {
      if (expected.size > maxDocumentBytes) throw documentTooLarge(expected.digest, expected.size)
      const bytes = await readFile(path)
      verifyBytes(expected, bytes)
      await writer.tag(expected, [], async () => ({ descriptor: expected, bytes }), signal)
    },

    async tag(target, tags, load, signal, named) {
      const loadOnce = async (): Promise<RawManifest> => {
        const manifest = kept.get(target.digest) ?? (await load())
        keep(manifest)
        return manifest
      }
      try {
        return await pushWithTags(repository, abilities, target.digest, loadOnce, tags, signal, named)
      } catch (error) {
        if (error instanceof OciBuildError && error.code === 'OCB-REGISTRY-BLOB-UNKNOWN') onBlobUnknown()
        throw error
      }
    },
  }
  return writer
}
