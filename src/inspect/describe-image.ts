/** All that a person asks of an image without reading its layers. */

import { readDocument } from '../content/read-document.ts'
import type { Fetcher, StoreOptions } from '../content/store.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { HealthcheckConfig, HistoryEntry, ImageConfig } from '../spec/image-config.ts'
import { isIndexType, isManifestType, isNondistributable, type MediaType } from '../spec/media-type.ts'
import { parseImageConfig } from '../spec/parse-image-config.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { formatPlatform, type Platform } from '../spec/platform.ts'
import { findManifests, selectManifest, type FoundManifest } from './find-manifests.ts'

export interface LayerDescription {
  /** Of the blob. */
  readonly digest: Digest
  /** Of the uncompressed tar; null when the config has none for it. */
  readonly diffId: Digest | null
  /** Bytes as stored. */
  readonly size: number
  readonly mediaType: MediaType
  /** `created_by` of its line of the history. */
  readonly createdBy: string | null
}

export interface PlatformDescription {
  /** `linux/amd64`. */
  readonly platform: string
  /** Of the manifest. */
  readonly digest: Digest
  readonly mediaType: MediaType
  /** Of the image config. */
  readonly config: Digest
  /** Bytes of manifest, config and layers, a layer that is there twice counted once. */
  readonly size: number
  readonly created: string | null
  readonly author: string | null
  readonly user: string | null
  readonly workingDir: string | null
  readonly entrypoint: readonly string[] | null
  readonly cmd: readonly string[] | null
  readonly env: readonly string[]
  /** `80/tcp`. */
  readonly exposedPorts: readonly string[]
  readonly volumes: readonly string[]
  readonly stopSignal: string | null
  /** As Docker writes it, durations in nanoseconds. */
  readonly healthcheck: HealthcheckConfig | null
  readonly labels: Readonly<Record<string, string>>
  /** Of the manifest. */
  readonly annotations: Readonly<Record<string, string>>
  /** Lowest first. */
  readonly layers: readonly LayerDescription[]
  /** Lines of the history, also those that made no layer. */
  readonly history: readonly HistoryEntry[]
}

/** Content of an index that is no image: artifacts, attestations, unknown types. */
export interface OtherDescription {
  readonly digest: Digest
  readonly mediaType: MediaType
  readonly artifactType: string | null
  readonly platform: string | null
  readonly size: number
}

export interface ImageDescription {
  readonly schemaVersion: 1
  /** Of the root: the manifest's, or the index's. */
  readonly digest: Digest
  readonly mediaType: MediaType
  /** Bytes of all distinct blobs; without those of non-distributable layers. */
  readonly size: number
  /** Of the index; empty when the root is a manifest. */
  readonly annotations: Readonly<Record<string, string>>
  readonly platforms: readonly PlatformDescription[]
  readonly others: readonly OtherDescription[]
}

export interface DescribeOptions extends StoreOptions {
  /** Only this platform's image. Default: all. */
  readonly platform?: Platform | undefined
}

/** Reads documents and configs, no layers. Throws `OCB-USAGE-PLATFORM`, and what reading and parsing throw. */
export async function describeImage(
  store: Fetcher,
  root: Descriptor,
  options: DescribeOptions = {},
): Promise<ImageDescription> {
  const found = await findManifests(store, root, options)
  const images = found.manifests.filter(({ isImage }) => isImage)
  const chosen = options.platform ? [selectManifest(found, options.platform)] : images
  const platforms: PlatformDescription[] = []
  for (const image of chosen) platforms.push(await describePlatform(store, image, options))
  const artifacts = found.manifests.filter(({ isImage }) => !isImage)
  const others = [
    ...artifacts.map(describeArtifact),
    ...found.unknown.map((item) => describeOther(item, null)),
  ]
  const blobs = [...found.indexes, ...found.unknown, ...found.manifests.flatMap(blobsOf)]
  return {
    schemaVersion: 1,
    digest: root.digest,
    mediaType: root.mediaType,
    size: sizeOf(blobs),
    annotations: isIndexType(root.mediaType)
      ? (parseImageIndex(await readDocument(store, root, options)).annotations ?? {})
      : {},
    platforms,
    others: options.platform ? [] : others,
  }
}

/** The bytes of a manifest or index exactly as they are stored; with `platform` the manifest for it. */
export async function readRawDocument(
  store: Fetcher,
  root: Descriptor,
  options: DescribeOptions = {},
): Promise<Uint8Array> {
  if (options.platform === undefined || !(isIndexType(root.mediaType) || isManifestType(root.mediaType))) {
    return await readDocument(store, root, options)
  }
  const { descriptor } = selectManifest(await findManifests(store, root, options), options.platform)
  return await readDocument(store, descriptor, options)
}

async function describePlatform(
  store: Fetcher,
  image: FoundManifest,
  options: StoreOptions,
): Promise<PlatformDescription> {
  const { descriptor, manifest, platform } = image
  const config = parseImageConfig(await readDocument(store, manifest.config, options))
  const execution = config.config ?? {}
  return {
    platform: formatPlatform(platform ?? config),
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    config: manifest.config.digest,
    size: sizeOf(blobsOf(image)),
    created: config.created ?? null,
    author: config.author ?? null,
    user: execution.User || null,
    workingDir: execution.WorkingDir || null,
    entrypoint: execution.Entrypoint ?? null,
    cmd: execution.Cmd ?? null,
    env: execution.Env ?? [],
    exposedPorts: Object.keys(execution.ExposedPorts ?? {}),
    volumes: Object.keys(execution.Volumes ?? {}),
    stopSignal: execution.StopSignal || null,
    healthcheck: execution.Healthcheck ?? null,
    labels: execution.Labels ?? {},
    annotations: manifest.annotations ?? {},
    layers: describeLayers(manifest.layers, config),
    history: config.history ?? [],
  }
}

function describeLayers(layers: readonly Descriptor[], config: ImageConfig): LayerDescription[] {
  const lines = (config.history ?? []).filter(({ empty_layer: isEmpty }) => isEmpty !== true)
  return layers.map(({ digest, size, mediaType }, i) => ({
    digest,
    diffId: config.rootfs.diff_ids[i] ?? null,
    size,
    mediaType,
    createdBy: lines[i]?.created_by ?? null,
  }))
}

function describeArtifact({ descriptor, manifest }: FoundManifest): OtherDescription {
  return describeOther(descriptor, manifest.artifactType ?? manifest.config.mediaType)
}

function describeOther(descriptor: Descriptor, artifactType: string | null): OtherDescription {
  const { digest, mediaType, platform, size } = descriptor
  return {
    digest,
    mediaType,
    artifactType: descriptor.artifactType ?? artifactType,
    platform: platform ? formatPlatform(platform) : null,
    size,
  }
}

function blobsOf({ descriptor, manifest }: FoundManifest): readonly Descriptor[] {
  return [
    descriptor,
    manifest.config,
    ...manifest.layers.filter(({ mediaType }) => !isNondistributable(mediaType)),
  ]
}

function sizeOf(blobs: readonly Descriptor[]): number {
  const sizes = new Map(blobs.map(({ digest, size }) => [digest, size]))
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}
