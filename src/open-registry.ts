/** Registries as sources and outputs. */

import { copyBlob, copyGraph } from './content/copy-graph.ts'

import { OciBuildError } from './errors.ts'
import type { ImageSource, Output } from './content/image-place.ts'
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
      const send = (): Promise<void> => copyGraph(source, root, store, { ...options, concurrency })
      const [first] = tags
      // What the tag names now is there: no HEAD need ask for its blobs.
      if (first !== undefined && !(await store.has(root, options))) await store.presume(first, options)
      try {
        await send()
      } catch (error) {
        // What the tag's present image has was taken as present, and was not: it is forgotten, so send all.
        if (!(error instanceof OciBuildError) || error.code !== 'OCB-REGISTRY-BLOB-UNKNOWN') throw error
        await send()
      }
      added.push({ root, tags })
    },
    async finish(options) {
      for (const { root, tags } of added) await store.tagAll(root, tags, options)
    },
    abort: async () => void (await Promise.all(ahead)),
  }
}
