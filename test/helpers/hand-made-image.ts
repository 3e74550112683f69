/** Images made by hand, a part at a time, so that a test can spoil any part of them. */

import { gzipSync } from 'node:zlib'
import { sha256 } from '../../src/content/hash.ts'
import { createMemoryStore, type MemoryStore } from '../../src/content/memory-store.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'

/** A ustar header as a test wants it, sound or not; content follows. */
export interface RawEntry {
  readonly name: string | Uint8Array
  /** The type flag. Default: '5' for names that end in `/`, else '0'. */
  readonly flag?: string | undefined
  readonly content?: string | Uint8Array | undefined
  /** In place of the content's length. */
  readonly size?: number | undefined
  readonly target?: string | undefined
  readonly mode?: number | undefined
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

const encoder = new TextEncoder()

/** One entry of a tar: 512 bytes and the padded content. */
export function rawEntry(entry: RawEntry): Uint8Array {
  const { name, target = '', mode = 0o644, uid = 0, gid = 0 } = entry
  const content = typeof entry.content === 'string' ? encoder.encode(entry.content) : (entry.content ?? [])
  const nameBytes = typeof name === 'string' ? encoder.encode(name) : name
  const flag = entry.flag ?? (typeof name === 'string' && name.endsWith('/') ? '5' : '0')
  const header = Buffer.alloc(512)
  const octal = (value: number, offset: number, length: number): void => {
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1')
  }
  header.set(nameBytes.subarray(0, 100), 0)
  octal(mode, 100, 8)
  octal(uid, 108, 8)
  octal(gid, 116, 8)
  octal(entry.size ?? content.length, 124, 12)
  octal(0, 136, 12)
  header.write(`        ${flag}`, 148, 'latin1')
  header.write(target, 157)
  header.write('ustar\u000000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512)
  return Buffer.concat([header, Buffer.from(content), padding])
}

/** A whole tar, with the two blocks of zeros at its end. */
export function rawTar(entries: readonly RawEntry[]): Uint8Array {
  return Buffer.concat([...entries.map(rawEntry), Buffer.alloc(1024)])
}

export interface HandMadeLayer {
  readonly mediaType: string
  /** As stored. */
  readonly bytes: Uint8Array
  readonly diffId: string
}

export function gzipLayer(tar: Uint8Array): HandMadeLayer {
  return { mediaType: mediaTypes.layerGzip, bytes: gzipSync(tar), diffId: sha256(tar) }
}

export function plainLayer(tar: Uint8Array): HandMadeLayer {
  return { mediaType: mediaTypes.layer, bytes: tar, diffId: sha256(tar) }
}

type Json = Record<string, unknown>

export interface HandMadeImage {
  readonly store: MemoryStore
  readonly root: Descriptor
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** What to do to each document before it is encoded; each gets the sound one and gives the one to store. */
export interface Edits {
  readonly config?: ((config: Json) => unknown) | undefined
  readonly manifest?: ((manifest: Json) => unknown) | undefined
  readonly root?: ((root: Descriptor) => Json) | undefined
}

/** A manifest over the layers, in a memory store. */
export async function makeImage(
  layers: readonly HandMadeLayer[],
  edits: Edits = {},
  store: MemoryStore = createMemoryStore(),
): Promise<HandMadeImage> {
  const descriptors: Descriptor[] = []
  for (const { mediaType, bytes } of layers) descriptors.push(await store.ingest(mediaType, chunksOf(bytes)))
  const sound: Json = {
    created: '2024-01-02T03:04:05Z',
    architecture: 'amd64',
    os: 'linux',
    config: {
      Env: ['PATH=/bin'],
      Cmd: ['/bin/sh'],
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
      Labels: { a: 'b' },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map((_, i) => ({ created_by: `layer ${i}` })),
  }
  const config = await addJson(store, mediaTypes.config, edits.config ? edits.config(sound) : sound)
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: descriptors }
  const document = edits.manifest ? edits.manifest(manifest) : manifest
  const root = await addJson(store, mediaTypes.manifest, document)
  return { store, root, config, layers: descriptors }
}

/** Stores a value as JSON; a string or bytes as they are. */
export async function addJson(store: MemoryStore, mediaType: string, value: unknown): Promise<Descriptor> {
  const bytes = value instanceof Uint8Array ? value : encoder.encode(JSON.stringify(value))
  return store.ingest(mediaType, chunksOf(bytes))
}

/** In pieces of an odd length, so that nothing may rely on where chunks end. */
export async function* chunksOf(bytes: Uint8Array, length = 1009): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}
