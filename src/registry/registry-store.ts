/** Store 3: one repository of a registry behind the seam (distribution-spec v1.1.1). */

import { verifyBytes } from '../content/hash.ts'
import { contentNotFound } from '../content/not-found.ts'
import type { FileReceiver, Mounter, StoreOptions, Target } from '../content/store.ts'
import { OciBuildError, throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { ImageIndex } from '../spec/image-index.ts'
import type { RegistryReference } from '../spec/reference.ts'
import type { AuthorizationState } from './authorizer.ts'
import { fetchBlob } from './blob-fetch.ts'
import { createBlobWriter } from './blob-writer.ts'
import { deleteContent, deleteManifest } from './delete-content.ts'
import { isNotFound } from './host-session.ts'
import { listTags } from './list-tags.ts'
import { getManifest, headManifest, isManifestContent, type RawManifest } from './manifests.ts'
import { createManifestWriter } from './manifest-writer.ts'
import { mirrorsOf, readFirst } from './mirrors.ts'
import { tagNotFound } from './not-found.ts'
import { listReferrers } from './referrers.ts'
import type { RegistryContext } from './registry-context.ts'
import { checkRepository, createRepository, type Repository } from './repository.ts'
import { sessionFor } from './sessions.ts'

export interface RegistryStoreOptions {
  /** `push`: one token for reading and writing is asked for at once. Default `pull`. */
  readonly access?: 'pull' | 'push' | undefined
  /** Whether `fetch` and `resolve` ask the host's mirrors first. Default: true for `pull`, false for `push`. */
  readonly mirrors?: boolean | undefined
  /** Repositories of the same host that are likely to hold the same blobs (the base's), tried first in mounts. */
  readonly mountFrom?: readonly string[] | undefined
}

export interface RegistryStore extends Target, Mounter, FileReceiver {
  readonly host: string
  readonly repository: string
  /** A manifest or index by tag or digest, with its very bytes. Throws as `resolve`. */
  resolveRaw(reference: string, options?: StoreOptions): Promise<RawManifest>
  /**
   * Stores a manifest and makes it visible under tags (none: under its digest only). Tags that have the digest already
   * get no PUT. Gives the tags that were changed. Throws `OCB-REGISTRY-MANIFEST-INVALID`, `OCB-REGISTRY-BLOB-UNKNOWN`.
   */
  pushManifestWithTags(
    descriptor: Descriptor,
    bytes: Uint8Array,
    tags: readonly string[],
    options?: StoreOptions,
  ): Promise<readonly string[]>
  /**
   * As `tag`, for several. What is tagged already costs one HEAD a tag; `named` tells what tags were seen to name a
   * moment ago, and saves those of others. Gives the tags that were changed.
   */
  tagAll(
    target: Descriptor,
    tags: readonly string[],
    options?: StoreOptions & { readonly named?: ((tag: string) => Digest | undefined) | undefined },
  ): Promise<readonly string[]>
  /**
   * Takes the blobs of what a tag or digest names now, or of a manifest that was read here, as present, so that no
   * HEAD asks for them. Where the registry then knows one of them not (`OCB-REGISTRY-BLOB-UNKNOWN`), all are forgotten, and copying again sends them.
   */
  presume(known: string | RawManifest, options?: StoreOptions): Promise<void>
  /** Every tag, page by page. */
  listTags(options?: StoreOptions): AsyncIterable<string>
  /** Deletes a manifest by digest, or only a tag by its name; a subject's fallback list is kept right. */
  deleteManifest(reference: string, options?: StoreOptions): Promise<void>
  deleteBlob(digest: Digest, options?: StoreOptions): Promise<void>
  /** What refers to a manifest, by the API or the fallback tag; empty where nothing does. */
  referrers(digest: Digest, artifactType?: string, options?: StoreOptions): Promise<ImageIndex>
  /** How the host wants to be asked, and what tokens are held: for `doctor`. Holds no secrets. */
  authorization(): AuthorizationState
}

/**
 * Opens a repository; nothing is asked before the first call. Stores of one context share connections, tokens and
 * what was learned of the host. Throws `OCB-USAGE-REPOSITORY`.
 */
export function openRegistry(
  reference: Pick<RegistryReference, 'host' | 'repository'>,
  context: RegistryContext,
  options: RegistryStoreOptions = {},
): RegistryStore {
  const { host, repository: name } = reference
  checkRepository(host, name)
  const access = options.access ?? 'pull'
  const session = sessionFor(context, host)
  const repository = createRepository(session, name, access)
  const mirrors = (options.mirrors ?? access === 'pull') ? mirrorsOf(context, host, name) : []
  const blobs = createBlobWriter(context, repository, options.mountFrom ?? [])
  const manifests = createManifestWriter(repository, blobs.forget)

  const load = async (target: Descriptor, options?: StoreOptions): Promise<RawManifest> => {
    try {
      return await getManifest(repository, target.digest, options?.signal)
    } catch (error) {
      throw isNotFound(error) ? contentNotFound(target, repository.title) : error
    }
  }
  /** Reads what a tag or digest names, from the first of the mirrors that has it, else the host. */
  const readNamed = async <T>(
    reference: string,
    options: StoreOptions | undefined,
    read: (from: Repository, reference: string, signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> => {
    throwIfAborted(options?.signal)
    try {
      const signal = options?.signal
      return await readFirst(
        context,
        mirrors,
        repository,
        async (from) => await read(from, reference, signal),
      )
    } catch (error) {
      throw isNotFound(error) ? tagNotFound(repository.title, reference, error) : error
    }
  }
  const store: RegistryStore = {
    host,
    repository: name,

    async fetch(target, options) {
      throwIfAborted(options?.signal)
      try {
        return await readFirst(context, mirrors, repository, async (from) => {
          if (!isManifestContent(target.mediaType)) {
            const content = await fetchBlob(from, target, options?.signal)
            if (from === repository) context.seenBlob?.(host, name, target.digest)
            return content
          }
          const { bytes } = await getManifest(from, target.digest, options?.signal)
          verifyBytes(target, bytes)
          return once(bytes)
        })
      } catch (error) {
        throw isNotFound(error) ? contentNotFound(target, repository.title) : error
      }
    },

    async has(target, options) {
      throwIfAborted(options?.signal)
      if (!isManifestContent(target.mediaType)) return await blobs.has(target, options?.signal)
      return await manifests.has(target, options?.signal)
    },

    async push(expected, content, options) {
      throwIfAborted(options?.signal)
      if (isManifestContent(expected.mediaType)) await manifests.push(expected, content, options?.signal)
      else await blobs.push(expected, content, options?.signal)
    },

    async pushFile(expected, file, options) {
      throwIfAborted(options?.signal)
      if (isManifestContent(expected.mediaType)) {
        await manifests.pushFile(expected, file.path, options?.signal)
      } else await blobs.pushFile(expected, file, options?.signal)
    },

    resolve: async (reference, options) => await readNamed(reference, options, headManifest),
    resolveRaw: async (reference, options) => await readNamed(reference, options, getManifest),

    async tag(target, reference, options) {
      await store.tagAll(target, [reference], options)
    },

    async tagAll(target, tags, options) {
      throwIfAborted(options?.signal)
      const loadTarget = async (): Promise<RawManifest> => await load(target, options)
      return await manifests.tag(target, tags, loadTarget, options?.signal, options?.named)
    },

    async pushManifestWithTags(descriptor, bytes, tags, options) {
      verifyBytes(descriptor, bytes)
      throwIfAborted(options?.signal)
      return await manifests.tag(descriptor, tags, async () => ({ descriptor, bytes }), options?.signal)
    },

    async presume(known, options) {
      try {
        const read = typeof known === 'string'
        blobs.presume(read ? await getManifest(repository, known, options?.signal) : known)
      } catch (error) {
        // Nothing there, or nothing that can be read, means nothing to save.
        if (!isNotFound(error) && !isUnreadable(error)) throw error
      }
    },

    mount: async (target, fromRepository, options) =>
      await blobs.mount(target, fromRepository, options?.signal),
    mountSources: (target) => blobs.mountSources(target),
    listTags: (options) => listTags(repository, options?.signal),
    deleteManifest: async (reference, options) =>
      await deleteManifest(repository, reference, options?.signal),
    deleteBlob: async (digest, options) => await deleteContent(repository, 'blob', digest, options?.signal),
    referrers: async (digest, artifactType, options) =>
      await listReferrers(repository, digest, artifactType, options?.signal),
    authorization: () => session.authorization(),
  }
  return store
}

function isUnreadable(error: unknown): boolean {
  return error instanceof OciBuildError && error.code.startsWith('OCB-DOCUMENT-')
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
