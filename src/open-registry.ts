/** Registries as sources and outputs. */

import { copyBlob, copyGraph } from './content/copy-graph.ts'
import type { ImageSource, Output } from './content/image-place.ts'
import type { FileBacked, Fetcher, StoreOptions } from './content/store.ts'
import { isParent } from './content/successors.ts'
import { OciBuildError } from './errors.ts'
import type { RawManifest } from './registry/manifests.ts'
import { pushGraph } from './registry/push-graph.ts'
import type { RegistryContext } from './registry/registry-context.ts'
import { openRegistry, type RegistryStore } from './registry/registry-store.ts'
import type { Descriptor } from './spec/descriptor.ts'
import type { Digest } from './spec/digest.ts'
import { qualifiedName } from './spec/parse-reference.ts'
import type { RegistryReference } from './spec/reference.ts'

/** Opens the image that a tag or digest names: one request; its blobs are fetched when they are asked for. */
export async function openRegistrySource(
  reference: RegistryReference,
  context: RegistryContext,
): Promise<ImageSource> {
  const store = openRegistry(reference, context)
  const root = await store.resolve(reference.digest ?? reference.tag ?? 'latest', { signal: context.signal })
  return { store, root, name: qualifiedName(reference) }
}

/** The same for what a lock or a memory says that the reference names: no request. */
export function registrySourceAt(
  reference: RegistryReference,
  root: Descriptor,
  context: RegistryContext,
): ImageSource {
  return { store: openRegistry(reference, context), root, name: qualifiedName(reference) }
}

/** The image that a tag or digest names, read by one request for its manifest; undefined where there is none. */
export function peekRegistry(
  reference: RegistryReference,
  context: RegistryContext,
): Promise<ImageSource | undefined> {
  const store = openRegistry(reference, context)
  const { signal } = context
  return peekAt(store, knownManifests(store), reference.digest ?? reference.tag ?? 'latest', { signal })
}

/** Uploads at once to one registry. */
const concurrency = 4

/** A repository as an output: `add` sends blobs and manifests, `finish` moves the tags. */
export function registryOutput(
  reference: Pick<RegistryReference, 'host' | 'repository'>,
  context: RegistryContext,
  mountFrom: readonly string[],
): Output {
  const store = openRegistry(reference, context, { access: 'push', mountFrom })
  const added: Added[] = []
  const ahead = new Set<Promise<void>>()
  const known = knownManifests(store)
  return {
    store,
    peek: (tag, options) => peekAt(store, known, tag, options),
    sendAhead(source, blob, options) {
      const sending = (async () => {
        if (!(await store.has(blob, options))) await copyBlob(source, blob, store, options?.signal)
      })()
      // A failure is met again, and told, when `add` sends what is not there.
      ahead.add(sending.catch(() => undefined))
    },
    async add(source, root, names, options) {
      await Promise.all(ahead)
      const tags = names.map((name) => name.reference)
      const [first] = tags
      const presume = first === undefined ? undefined : await known.ofTag(first)
      await pushGraph(source, root, store, [], { ...options, concurrency, presume })
      added.push({ source, root, tags })
    },
    async finish(options) {
      for (const one of added) await tagWhole(store, one, { ...options, named: known.named })
    },
    abort: async () => void (await Promise.all(ahead)),
  }
}

interface Added {
  readonly source: Fetcher & Partial<FileBacked>
  readonly root: Descriptor
  readonly tags: readonly string[]
}

/** A registry may have lost blobs of a manifest that it has: it then says so when the manifest is tagged. */
async function tagWhole(
  store: RegistryStore,
  { source, root, tags }: Added,
  options: NonNullable<Parameters<RegistryStore['tagAll']>[2]>,
): Promise<void> {
  try {
    await store.tagAll(root, tags, options)
  } catch (error) {
    if (!(error instanceof OciBuildError) || error.code !== 'OCB-REGISTRY-BLOB-UNKNOWN') throw error
    await copyGraph(source, root, store, { signal: options.signal, concurrency, deep: true })
    await store.tagAll(root, tags, options)
  }
}

async function peekAt(
  store: RegistryStore,
  known: KnownManifests,
  reference: string,
  options?: StoreOptions,
): Promise<ImageSource | undefined> {
  const raw = await known.read(reference, options)
  if (raw === undefined) return undefined
  const fetch: ImageSource['store']['fetch'] = async (target, fetchOptions) => {
    const manifest = isParent(target) ? await known.read(target.digest, fetchOptions) : undefined
    return manifest === undefined ? await store.fetch(target, fetchOptions) : once(manifest.bytes)
  }
  return { store: { fetch }, root: raw.descriptor }
}

/** Manifests of a repository, each read once; their blobs are then taken as present. */
interface KnownManifests {
  /** Undefined where there is none. */
  read(reference: string, options?: StoreOptions): Promise<RawManifest | undefined>
  /** What was read under the tag, else the tag, to be read when that is needed; undefined where it names nothing. */
  ofTag(tag: string): Promise<RawManifest | string | undefined>
  /** The digest that was read under the tag, if it was read. */
  named(tag: string): Digest | undefined
}

function knownManifests(store: RegistryStore): KnownManifests {
  const known = new Map<string, Promise<RawManifest | undefined>>()
  const digests = new Map<string, Digest>()
  const load = async (reference: string, options?: StoreOptions): Promise<RawManifest | undefined> => {
    try {
      const raw = await store.resolveRaw(reference, options)
      known.set(raw.descriptor.digest, Promise.resolve(raw))
      digests.set(reference, raw.descriptor.digest)
      await store.presume(raw, options)
      return raw
    } catch (error) {
      if (error instanceof OciBuildError && error.code === 'OCB-REFERENCE-NOT-FOUND') return undefined
      throw error
    }
  }
  return {
    read(reference, options) {
      const reading = known.get(reference) ?? load(reference, options)
      known.set(reference, reading)
      return reading
    },
    async ofTag(tag) {
      const reading = known.get(tag)
      return reading === undefined ? tag : await reading.catch(() => tag)
    },
    named: (tag) => digests.get(tag),
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
