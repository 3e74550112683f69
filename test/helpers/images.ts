/** Small images made by hand, put into any store. */

import { gzipSync } from 'node:zlib'
import { sha256 } from '../../src/content/hash.ts'
import type { ByteStream, ContentStore } from '../../src/content/store.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { encodeJson } from '../../src/spec/json.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'

export async function* bytesOf(bytes: Uint8Array | string): ByteStream {
  yield typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes
}

export function describeBytes(mediaType: string, bytes: Uint8Array | string): Descriptor {
  return { mediaType, digest: sha256(bytes), size: Buffer.byteLength(bytes) }
}

export async function collectBytes(content: ByteStream): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  // A layer's chunks are used again by whoever makes it.
  for await (const chunk of content) chunks.push(Uint8Array.from(chunk))
  return Buffer.concat(chunks)
}

async function put(store: ContentStore, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const descriptor = describeBytes(mediaType, bytes)
  await store.push(descriptor, bytesOf(bytes))
  return descriptor
}

/** A ustar archive of regular files, in the order given. */
export function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const blocks: Uint8Array[] = []
  for (const [name, content] of Object.entries(files)) {
    blocks.push(tarHeader({ name, size: Buffer.byteLength(content), type: '0' }))
    const body = Buffer.from(content)
    blocks.push(body, Buffer.alloc((512 - (body.length % 512)) % 512))
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

export function tarHeader(entry: {
  readonly name: string
  readonly size: number
  readonly type: string
  readonly target?: string
}): Buffer {
  const header = Buffer.alloc(512)
  header.write(entry.name, 0, 100)
  header.write('0000644\u00000000000\u00000000000\u0000', 100)
  header.write(`${entry.size.toString(8).padStart(11, '0')}\u000000000000000\u0000        ${entry.type}`, 124)
  header.write(entry.target ?? '', 157, 100)
  header.write('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148)
  return header
}

export interface TestImage {
  readonly manifest: Descriptor
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** Pushes a runnable-looking image: one gzip layer for each item of `layers`, its files by path. */
export async function putImage(
  store: ContentStore,
  layers: readonly Readonly<Record<string, string>>[],
  architecture = 'amd64',
): Promise<TestImage> {
  const tars = layers.map(tarOf)
  const pushed: Descriptor[] = []
  for (const tar of tars) pushed.push(await put(store, mediaTypes.layerGzip, gzipSync(tar)))
  const config = await put(
    store,
    mediaTypes.config,
    encodeJson({
      architecture,
      os: 'linux',
      config: { Cmd: ['/hello'] },
      rootfs: { type: 'layers', diff_ids: tars.map((tar) => sha256(tar)) },
      history: layers.map((_, position) => ({ created_by: `layer ${position}` })),
    }),
  )
  const document = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: pushed,
  })
  const manifest = await put(store, mediaTypes.manifest, document)
  return { manifest: { ...manifest, platform: { os: 'linux', architecture } }, config, layers: pushed }
}

/** Pushes an index over manifests. */
export async function putIndex(store: ContentStore, manifests: readonly Descriptor[]): Promise<Descriptor> {
  return await put(
    store,
    mediaTypes.index,
    encodeJson({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }),
  )
}
