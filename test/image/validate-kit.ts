/** Sound images with one thing changed, and what validateImage finds in them. */

import type { Finding, ValidationCode } from '../../src/image/validate-finding.ts'
import { validateImage } from '../../src/image/validate-image.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import type { Platform } from '../../src/spec/platform.ts'
import {
  addJson,
  gzipLayer,
  makeImage,
  plainLayer,
  rawTar,
  type Edits,
  type HandMadeLayer,
  type RawEntry,
} from '../helpers/hand-made-image.ts'

export type Json = Record<string, unknown>
export type Find = () => Promise<readonly Finding[]>

export const soundEntries: readonly RawEntry[] = [
  { name: 'bin/', mode: 0o755 },
  { name: 'bin/sh', content: '#!' },
  { name: 'bin/ash', flag: '1', target: 'bin/sh' },
  { name: 'bin/bash', flag: '2', target: '/bin/sh' },
  { name: 'bin/.wh.old' },
  { name: 'etc/' },
  { name: 'etc/.wh..wh..opq' },
  { name: 'etc/motd', content: 'x'.repeat(3000) },
  { name: 'null', flag: '3' },
  { name: 'pipe', flag: '6' },
]
export const sound: HandMadeLayer = gzipLayer(rawTar(soundEntries))

export async function check(
  layers: readonly HandMadeLayer[],
  edits: Edits = {},
  edit: (root: Descriptor) => Json = (root) => ({ ...root }),
): Promise<readonly Finding[]> {
  const { store, root } = await makeImage(layers, edits)
  return (await validateImage(store, { ...root, ...edit(root) })).findings
}

export function codesOf(findings: readonly Finding[]): readonly string[] {
  return [...new Set(findings.map(({ code }) => code))].toSorted()
}

export function tarOf(...entries: readonly RawEntry[]): Find {
  return async () => await check([plainLayer(rawTar(entries))])
}
export function manifestWith(fields: Json): Find {
  return async () => await check([sound], { manifest: (manifest) => ({ ...manifest, ...fields }) })
}
export function configWith(fields: Json): Find {
  return async () => await check([sound], { config: (config) => ({ ...config, ...fields }) })
}
export function executionWith(fields: Json): Find {
  return configWith({ config: fields })
}

/** The first layer's descriptor changed. */
export function layerWith(edit: (layer: Json) => Json): Find {
  return async () =>
    await check([sound], {
      manifest: (manifest) => ({ ...manifest, layers: editFirst(manifest['layers'], edit) }),
    })
}

export function editFirst(list: unknown, edit: (item: Json) => Json): unknown {
  if (!Array.isArray(list)) throw new Error('a list')
  return list.map((item: Json, i) => (i === 0 ? edit(item) : item))
}

/** An index over one sound image, its descriptors edited; `platform` is what they carry. */
export async function checkIndex(
  edit: (image: Descriptor) => readonly unknown[],
  fields: Json = {},
): Promise<readonly Finding[]> {
  const { store, root } = await makeImage([sound])
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: edit(root), ...fields }
  const descriptor = await addJson(store, mediaTypes.index, index)
  return (await validateImage(store, descriptor)).findings
}

export const platform: Platform = { os: 'linux', architecture: 'amd64' }

export interface Case {
  readonly fault: string
  readonly find: Find
  /** All codes that must be found, and no other. */
  readonly codes: readonly ValidationCode[]
  readonly where?: RegExp
}
