/** The key of a finished layer: everything that decides its bytes, and nothing of this machine. */

import type { Compression } from '../config/resolved-spec.ts'
import { createDigester } from '../content/hash.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Changeset } from './changeset.ts'
import { sourceSize } from './read-source.ts'

/** How entries are written and cut; another one is another key. */
export const formatVersion = 1

/** Longer texts are slower to put together. */
const textLength = 64 * 1024

/** What can be known without reading contents, in hex: two layers of other shapes are never the same. */
export function shapeKey(changeset: Changeset, compression: Compression, encoderId: string): string {
  const digester = createDigester()
  const level = compression.type === 'none' ? '' : `:${compression.level}`
  let text = `ocibuild layer ${formatVersion} ${compression.type}${level} ${encoderId}\n`
  changeset.entries.forEach((entry) => {
    text += `${entry.type}\t${entry.path}\0${entry.mode} ${entry.uid} ${entry.gid} ${entry.mtime}`
    if (entry.type === 'file') text += ` ${sourceSize(entry.source)}`
    else if ('target' in entry) text += ` ${entry.target}`
    else if ('xattrs' in entry && entry.xattrs)
      text += ` ${JSON.stringify(Object.entries(entry.xattrs).toSorted())}`
    text += '\0\n'
    if (text.length > textLength) {
      digester.update(text)
      text = ''
    }
  })
  digester.update(text)
  return digester.digest().slice('sha256:'.length)
}

/** The key itself, in hex: the shape and the sha256 of each file's content in order, 32 bytes each. */
export function layerKey(shape: string, contents: Uint8Array): string {
  const digester = createDigester()
  digester.update(`${shape}\n`)
  digester.update(contents)
  return digester.digest().slice('sha256:'.length)
}

/** On descriptors of layers that were built here: see `keyAnnotation`. */
export const layerKeyName = 'dev.ocibuild.layer.key'
/** On those whose bytes are one library's: its name and version. */
export const layerEncoderName = 'dev.ocibuild.layer.encoder'

const ownNames: ReadonlySet<string> = new Set([layerKeyName, layerEncoderName])

/**
 * What a layer's descriptor says of how it was made: `SHAPE-KEY`, 16 digits of the shape (whether a key is worth
 * finding is known without reading contents) and the key. Nothing of this machine: manifests stay one everywhere.
 */
export function keyAnnotation(shape: string, key: string): string {
  return `${shape.slice(0, 16)}-${key}`
}

/** What a layer's descriptor carries: its key, and the encoder where the bytes hold for that one only. */
export function layerAnnotations(
  shape: string,
  key: string,
  encoderId: string,
): Readonly<Record<string, string>> {
  const ofKey = { [layerKeyName]: keyAnnotation(shape, key) }
  return encoderId === '' ? ofKey : { ...ofKey, [layerEncoderName]: encoderId }
}

/**
 * A base's descriptor without what its builder said of how to make it: who can write a base must not become believed
 * for layers of ours.
 */
export function withoutLayerAnnotations(layer: Descriptor): Descriptor {
  const { annotations } = layer
  if (annotations?.[layerKeyName] === undefined && annotations?.[layerEncoderName] === undefined) return layer
  const others = Object.entries(annotations).filter(([name]) => !ownNames.has(name))
  return { ...layer, annotations: others.length === 0 ? undefined : Object.fromEntries(others) }
}
