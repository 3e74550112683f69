/** What `cacheTo` writes: one manifest over all layers of a build, for the `cacheFrom` of other machines. */

import type { ResolvedSpec } from '../config/resolved-spec.ts'
import { OciBuildError } from '../errors.ts'
import { describeLayer } from '../image/assemble-image.ts'
import { pushDocument } from '../image/push-document.ts'
import type { BuiltLayer } from '../layer/build-layer.ts'
import { outputPlace } from '../open-target.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { ImageConfig } from '../spec/image-config.ts'
import type { ImageManifest } from '../spec/image-manifest.ts'
import { mediaTypes } from '../spec/media-type.ts'
import { parseReference } from '../spec/parse-reference.ts'
import type { LayoutReference, RegistryReference } from '../spec/reference.ts'
import type { StagedImage } from './build-image.ts'
import { namesIn, type Place } from './output-places.ts'
import type { Session } from './session.ts'

/** Of cache manifests: no engine takes one for an image. */
export const cacheArtifactType = 'application/vnd.ocibuild.layers.v1'

/** A place for a cache manifest, and what it is called there. */
export interface CachePlace {
  readonly place: Place
  readonly name: string
}

/**
 * Where `cacheTo` says; `placesOf` gives the places of an image, none of which may be meant. Throws
 * `OCB-SPEC-REFERENCE`, `OCB-USAGE-CACHE-TO`.
 */
export function cachePlacesOf(
  resolved: ResolvedSpec,
  placesOf: (spec: ResolvedSpec['images'][number]) => readonly Place[],
  { options, environment }: Session,
): readonly CachePlace[] {
  const taken = new Set(
    resolved.images.flatMap((spec) =>
      placesOf(spec).flatMap((place) =>
        namesIn(place, spec).map(({ reference }) => `${outputPlace(place, environment.cwd)} ${reference}`),
      ),
    ),
  )
  return (options.cacheTo ?? []).map((text) => {
    const place = readPlace(text)
    const name = place.transport === 'docker' ? (place.tag ?? '') : (place.ref ?? 'cache')
    if (taken.has(`${outputPlace(place, environment.cwd)} ${name}`)) {
      throw refuse(text, 'an image of this build gets that very name', 'give the cache a tag of its own')
    }
    return { place, name }
  })
}

function readPlace(text: string): LayoutReference | RegistryReference {
  const place = parseReference(text, 'out')
  if (place.transport === 'oci' || place.transport === 'oci-archive') {
    if (place.path !== '-') return place
  } else if (place.transport === 'docker') {
    // The default tag is where people look for an image.
    if (/:[^/:]+$/.test(text)) return place
    throw refuse(text, 'it names no tag', `write ${text}:cache`)
  }
  throw refuse(
    text,
    'it is no place for a cache manifest',
    'write HOST/NAME:TAG, oci:DIR or oci-archive:FILE',
  )
}

function refuse(text: string, problem: string, hint: string): OciBuildError {
  return new OciBuildError('OCB-USAGE-CACHE-TO', {
    message: `cannot write a cache to "${text}": ${problem}`,
    hint,
  })
}

/** Stores the manifest of all layers with keys, each once; undefined where there are none. */
export async function stageCacheManifest(
  images: readonly StagedImage[],
  { staging }: Session,
): Promise<Descriptor | undefined> {
  const layers = new Map<string, BuiltLayer>()
  for (const { platforms } of images) {
    for (const layer of platforms.flatMap((platform) => platform.layers)) {
      layers.set(`${layer.descriptor.digest} ${JSON.stringify(layer.annotations)}`, layer)
    }
  }
  if (layers.size === 0) return undefined
  const all = Array.from(layers.values())
  // An image config, since readers find diffIDs in one; for a platform that no engine runs.
  const document: ImageConfig = {
    architecture: 'unknown',
    os: 'unknown',
    rootfs: { type: 'layers', diff_ids: all.map(({ diffId }) => diffId) },
  }
  const config = await pushDocument(staging, mediaTypes.config, document)
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: cacheArtifactType,
    config,
    layers: all.map(describeLayer),
  }
  return pushDocument(staging, mediaTypes.manifest, manifest)
}
