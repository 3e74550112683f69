/** Registries as sources and outputs. */

import { copyBlob } from './content/copy-graph.ts'

import type { ImageSource, Output } from './content/image-place.ts'
import { pushGraph } from './registry/push-graph.ts'
import type { RegistryContext } from './registry/registry-context.ts'
import { openRegistry } from './registry/registry-store.ts'
import type { Descriptor } from './spec/descriptor.ts'
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

/** Uploads at once to one registry. */
const concurrency = 4

/** A repository as an output: `add` sends blobs and manifests, `finish` moves the tags. */
export function registryOutput(
  reference: Pick<RegistryReference, 'host' | 'repository'>,
  context: RegistryContext,
  mountFrom: readonly string[],
): Output {
  const store = openRegistry(reference, context, { access: 'push', mountFrom })
  const added: { readonly root: Descriptor; readonly tags: readonly string[] }[] = []
  const ahead = new Set<Promise<void>>()
  return {
    store,
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
      await pushGraph(source, root, store, [], { ...options, concurrency, presume: tags[0] })
      added.push({ root, tags })
    },
    async finish(options) {
      for (const { root, tags } of added) await store.tagAll(root, tags, options)
    },
    abort: async () => void (await Promise.all(ahead)),
  }
}
