/** Writes a hand-made image as a layout, plainly and independently of the layout store. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import type { HandMadeImage } from './hand-made-image.ts'
import { blobPath } from './unpack.ts'

/** `ref`: the ref name in index.json. */
export async function writeLayout(dir: string, image: HandMadeImage, ref: string): Promise<string> {
  mkdirSync(join(dir, 'blobs', 'sha256'), { recursive: true })
  for (const descriptor of [image.root, image.config, ...image.layers])
    await writeBlob(dir, image, descriptor)
  const entry = { ...image.root, annotations: { 'org.opencontainers.image.ref.name': ref } }
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [entry] }
  writeFileSync(join(dir, 'index.json'), JSON.stringify(index))
  writeFileSync(join(dir, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  return dir
}

async function writeBlob(dir: string, { store }: HandMadeImage, descriptor: Descriptor): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of await store.fetch(descriptor)) chunks.push(chunk)
  writeFileSync(blobPath(dir, descriptor), Buffer.concat(chunks))
}
