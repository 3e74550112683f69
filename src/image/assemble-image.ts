/** Config and manifest of one platform (image-spec v1.1.1 config.md, manifest.md). */

import type { ImageSpec } from '../config/resolved-spec.ts'
import type { ContentStore } from '../content/store.ts'
import type { BuiltLayer } from '../layer/build-layer.ts'
import { withoutLayerAnnotations } from '../layer/layer-key.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { HistoryEntry, ImageConfig } from '../spec/image-config.ts'
import type { ImageManifest } from '../spec/image-manifest.ts'
import { mediaTypes } from '../spec/media-type.ts'
import type { Platform } from '../spec/platform.ts'
import type { BaseImage } from './base-image.ts'
import { inheritConfig } from './inherit-config.ts'
import { pushDocument } from './push-document.ts'

export interface AssembledImage {
  /** Of the manifest, with its platform. */
  readonly descriptor: Descriptor
  readonly config: Descriptor
}

/** Stores config and manifest of `layers` on `base`. */
export async function assembleImage(
  store: ContentStore,
  spec: ImageSpec,
  wanted: Platform,
  base: BaseImage,
  layers: readonly BuiltLayer[],
): Promise<AssembledImage> {
  const platform = imagePlatform(wanted, base)
  const document = imageConfig(spec, platform, base, layers)
  const config = await pushDocument(store, mediaTypes.config, document)
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: [...base.layers.map(withoutLayerAnnotations), ...layers.map(describeLayer)],
    annotations: nonEmpty({ ...baseAnnotations(base.name, base.manifestDigest), ...spec.annotations }),
  }
  const descriptor = await pushDocument(store, mediaTypes.manifest, manifest)
  return { descriptor: { ...descriptor, platform }, config }
}

/** A built layer as manifests name it: with what it was made of. */
export function describeLayer({ descriptor, annotations }: BuiltLayer): Descriptor {
  return { ...descriptor, annotations: nonEmpty({ ...descriptor.annotations, ...annotations }) }
}

/** What was asked for, with os.version, os.features and variant as the base has them. */
export function imagePlatform(wanted: Platform, base: BaseImage): Platform {
  const { config } = base
  return {
    os: wanted.os,
    architecture: wanted.architecture,
    variant: config?.variant ?? wanted.variant,
    'os.version': config?.['os.version'],
    'os.features': config?.['os.features'],
  }
}

/** `base.name` and `base.digest` (image-spec v1.1.1 annotations.md), where the base came from a registry. */
export function baseAnnotations(
  name: string | undefined,
  digest: string | undefined,
): Readonly<Record<string, string>> {
  if (name === undefined || digest === undefined) return {}
  return { 'org.opencontainers.image.base.name': name, 'org.opencontainers.image.base.digest': digest }
}

/** A document says nothing rather than `{}`. */
export function nonEmpty<Value>(
  record: Readonly<Record<string, Value>>,
): Readonly<Record<string, Value>> | undefined {
  return Object.keys(record).length === 0 ? undefined : record
}

function imageConfig(
  spec: ImageSpec,
  platform: Platform,
  base: BaseImage,
  layers: readonly BuiltLayer[],
): ImageConfig {
  const created = formatTime(spec.createdSeconds)
  const { author } = spec.config
  return {
    ...platform,
    created,
    author: author === undefined ? base.config?.author : author || undefined,
    config: nonEmpty(inheritConfig(base.config?.config, spec.config, spec.metadataLabels)),
    rootfs: {
      type: 'layers',
      diff_ids: [...(base.config?.rootfs.diff_ids ?? []), ...layers.map((layer) => layer.diffId)],
    },
    history: [
      ...baseHistory(base),
      ...layers.map((layer) => ({ created, created_by: `ocibuild layer ${layer.name}` })),
    ],
  }
}

/** The base's history with one entry a layer: padded where it is shorter, left out where it tells of more. */
function baseHistory(base: BaseImage): readonly HistoryEntry[] {
  const history = base.config?.history ?? []
  const missing = base.layers.length - history.filter((entry) => entry.empty_layer !== true).length
  const padding: HistoryEntry = { comment: 'a layer of the base, which has no history of it' }
  if (missing < 0) return base.layers.map(() => padding)
  return [...history, ...Array.from({ length: missing }, () => padding)]
}

/** RFC 3339 in whole seconds, UTC. */
export function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
