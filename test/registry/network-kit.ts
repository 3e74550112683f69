/** An image, a strict registry, a fault proxy before it, and a client that soon loses patience. */

import { randomBytes } from 'node:crypto'
import { afterEach, expect } from 'vitest'
import { copyGraph } from '../../src/content/copy-graph.ts'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { processEnvironment } from '../../src/environment.ts'
import type {
  RegistryContext,
  RegistryCredential,
  RegistryLimits,
} from '../../src/registry/registry-context.ts'
import { RegistryError } from '../../src/registry/registry-error.ts'
import { openRegistry } from '../../src/registry/registry-store.ts'
import { closeRegistries } from '../../src/registry/sessions.ts'
import { makeImage, plainLayer, rawTar, type HandMadeImage } from '../helpers/hand-made-image.ts'
import { startFaultProxy, type Fault, type FaultProxy } from '../helpers/registry/fault-proxy.ts'
import { startRegistry, type RegistryOptions, type TestRegistry } from '../helpers/registry/registry.ts'

export const attempts = 3

export interface Network {
  readonly registry: TestRegistry
  readonly proxy: FaultProxy
  readonly image: HandMadeImage
  readonly context: RegistryContext
  /** Pushes the image to `app:v1` through the proxy. */
  push(): Promise<void>
  /** Reads `app:v1` through the proxy; the image's digest. */
  pull(): Promise<string>
  /** Puts the image where `pull` finds it, without the client. */
  seed(repository?: string): Promise<void>
}

export interface NetworkOptions {
  readonly registry?: RegistryOptions | undefined
  readonly plan?: readonly Fault[] | undefined
  readonly credential?: RegistryCredential
  readonly context?: Partial<RegistryContext> | undefined
  readonly limits?: Partial<RegistryLimits> | undefined
  /** Of each of the two layers. Default 200,000. */
  readonly layerBytes?: number | undefined
}

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const item of open.splice(0).toReversed()) await item.close()
})

export async function startNetwork(options: NetworkOptions = {}): Promise<Network> {
  const registry = await startRegistry(options.registry)
  const proxy = await startFaultProxy(registry.origin, options.plan)
  // Noise: two layers of which the first is long enough to be cut anywhere, and in several chunks.
  const noise = ['first', 'second'].map((name) =>
    rawTar([{ name, content: randomBytes(options.layerBytes ?? 200_000) }]),
  )
  const image = await makeImage(noise.map(plainLayer))
  const context: RegistryContext = {
    environment: { ...processEnvironment(), variables: {} },
    settingsFor: (host) => ({ host, mirrors: [], insecure: false }),
    credentialFor: async () => options.credential,
    limits: {
      attempts,
      retryDelayMs: 2,
      maxRetryAfterMs: 2500,
      timeouts: { connectMs: 500, headersMs: 400, idleMs: 400 },
      commitMs: 400,
      chunkBytes: 64 * 1024,
      ...options.limits,
    },
    ...options.context,
  }
  open.push(registry, proxy, { close: async () => await closeRegistries(context) })
  const reference = { host: proxy.host, repository: 'app' }
  return {
    registry,
    proxy,
    image,
    context,
    async push() {
      const target = await openRegistry(reference, context)
      await copyGraph(image.store, image.root, target, { concurrency: 1 })
      await target.tag(image.root, 'v1')
    },
    async pull() {
      const source = await openRegistry(reference, context)
      const root = await source.resolve('v1')
      const store = createMemoryStore()
      await copyGraph(source, root, store, { concurrency: 1 })
      expect(await store.has(image.layers[1] ?? image.config)).toBe(true)
      return root.digest
    },
    async seed(repository = 'app') {
      for (const descriptor of [image.config, ...image.layers])
        registry.state.addBlob(repository, await bytesOf(image, descriptor))
      const manifest = await bytesOf(image, image.root)
      registry.state.addManifest(repository, image.root.mediaType, manifest, ['v1'])
    },
  }
}

/** What a promise is rejected with: an error of the registry's or the network's. */
export async function failureOf(work: Promise<unknown>): Promise<RegistryError> {
  const outcome: unknown = await work.then(
    () => 'it succeeded',
    (error: unknown) => error,
  )
  if (!(outcome instanceof RegistryError))
    throw new Error(`no RegistryError: ${String(outcome)}`, { cause: outcome })
  return outcome
}

/** That the image lies in `app` whole, and that nothing was left half done. */
export function expectPushed({ registry, image }: Network): void {
  expect(registry.state.resolve('app', 'v1')).toBe(image.root.digest)
  const { blobs } = registry.state.open('app')
  for (const { digest } of [image.config, ...image.layers]) expect(blobs.has(digest)).toBe(true)
}

export function expectNothingPushed({ registry }: Network): void {
  const repository = registry.state.repositories.get('app')
  expect(Array.from(repository?.tags.keys() ?? [])).toEqual([])
  expect(Array.from(repository?.manifests.keys() ?? [])).toEqual([])
}

async function bytesOf({ store }: HandMadeImage, descriptor: HandMadeImage['root']): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of await store.fetch(descriptor)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
