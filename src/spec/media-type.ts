/** The media types this tool reads and writes (image-spec v1.1.1 media-types.md, and Docker's schema 2). */

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  nondistributableLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  nondistributableLayerGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  nondistributableLayerZstd: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
} as const

/** A media type as it stands in a descriptor; readers must take unknown ones (image-spec v1.1.1 descriptor.md). */
export type MediaType = string

export function isIndexType(mediaType: MediaType): boolean {
  return mediaType === mediaTypes.index || mediaType === mediaTypes.dockerIndex
}

export function isManifestType(mediaType: MediaType): boolean {
  return mediaType === mediaTypes.manifest || mediaType === mediaTypes.dockerManifest
}

/** Layers that stay at their `urls` and are never pushed (image-spec v1.1.1 layer.md, Non-Distributable Layers). */
export function isNondistributable(mediaType: MediaType): boolean {
  return mediaType.includes('.nondistributable.') || mediaType === mediaTypes.dockerForeignLayer
}

/** How a layer's tar is compressed, by its media type; undefined when it is no layer type that we know. */
export function layerCompression(mediaType: MediaType): 'gzip' | 'zstd' | 'none' | undefined {
  switch (mediaType) {
    case mediaTypes.layer:
    case mediaTypes.dockerLayer:
    case mediaTypes.nondistributableLayer:
      return 'none'
    case mediaTypes.layerGzip:
    case mediaTypes.dockerLayerGzip:
    case mediaTypes.dockerForeignLayer:
    case mediaTypes.nondistributableLayerGzip:
      return 'gzip'
    case mediaTypes.layerZstd:
    case mediaTypes.nondistributableLayerZstd:
      return 'zstd'
    default:
      return undefined
  }
}

/** The OCI type of a Docker schema 2 type over the same bytes; every other type is returned as it is. */
export function toOciMediaType(mediaType: MediaType): MediaType {
  switch (mediaType) {
    case mediaTypes.dockerIndex:
      return mediaTypes.index
    case mediaTypes.dockerManifest:
      return mediaTypes.manifest
    case mediaTypes.dockerConfig:
      return mediaTypes.config
    case mediaTypes.dockerLayer:
      return mediaTypes.layer
    case mediaTypes.dockerLayerGzip:
      return mediaTypes.layerGzip
    case mediaTypes.dockerForeignLayer:
      return mediaTypes.nondistributableLayerGzip
    default:
      return mediaType
  }
}
