/** The layers of an image as its outputs hold it now: what a plan is compared with where no build is remembered. */

import type { ImageSpec } from '../config/resolved-spec.ts'
import type { ImageSource } from '../content/image-place.ts'
import { createDigester } from '../content/hash.ts'
import { OciBuildError } from '../errors.ts'
import { openBaseImage, type BaseImage } from '../image/base-image.ts'
import { formatXattrs, type EntryFacts } from '../layer/entry-facts.ts'
import { layerKeyName } from '../layer/layer-key.ts'
import { openSource } from '../open-target.ts'
import { openLayer } from '../rootfs/open-layer.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { formatReference } from '../spec/parse-reference.ts'
import type { Platform } from '../spec/platform.ts'
import { namesIn, placeOf, pushedReferences, type Place } from './output-places.ts'
import type { Session } from './session.ts'

export interface PushedLayer {
  /** The image that holds it, as a user would write it. */
  readonly reference: string
  /** As `keyAnnotation` writes it; undefined where its manifest does not say. */
  readonly key: string | undefined
  /** Fetches and reads it whole. Who placed its entries is not known. */
  entries(): Promise<readonly EntryFacts[]>
}

/** Finds the layers of one name, lowest first: those that a build of ours wrote down in the image's history. */
export type FindPushed = (name: string) => Promise<readonly PushedLayer[]>

/**
 * The first of the image's outputs that holds it is opened when a layer is asked for. One that cannot be read is told
 * of (`OCB-WHY-UNREAD`) and passed over.
 */
export function pushedLayers(spec: ImageSpec, platform: Platform, session: Session): FindPushed {
  let opening: Promise<Opened | undefined> | undefined
  return async (name) => {
    opening ??= openFirst(spec, platform, session)
    const opened = await opening
    if (opened === undefined) return []
    const { reference, image } = opened
    return layersNamed(name, image).map((layer) => ({
      reference,
      key: layer.annotations?.[layerKeyName],
      entries: () => readFacts(image, layer, session.options.signal),
    }))
  }
}

interface Opened {
  readonly reference: string
  readonly image: BaseImage
}

async function openFirst(spec: ImageSpec, platform: Platform, session: Session): Promise<Opened | undefined> {
  for (const output of spec.outputs) {
    let reference = formatReference(output)
    try {
      const place = placeOf(output, spec.name)
      reference = nameOf(place, spec)
      const source = await open(place, spec, session)
      if (source) return { reference, image: await openBaseImage(source, platform, reference, 'image') }
    } catch (error) {
      if (!(error instanceof OciBuildError) || error.code === 'OCB-INTERRUPTED') throw error
      // The first build of all, or of a platform or a registry that is new, has nothing to be compared with.
      if (isAbsence(error)) continue
      session.reporter.warn(
        'OCB-WHY-UNREAD',
        `${reference} cannot be compared with: ${error.message}`,
        error.hint,
      )
    }
  }
  return undefined
}

function nameOf(place: Place, spec: ImageSpec): string {
  if (place.transport === 'docker') return pushedReferences(place, spec)[0] ?? formatReference(place)
  const name = namesIn(place, spec)[0]?.reference
  return formatReference({ ...place, ref: name })
}

async function open(place: Place, spec: ImageSpec, session: Session): Promise<ImageSource | undefined> {
  const { environment, options, cache, registries } = session
  if (place.transport !== 'docker') {
    if (place.path === '-') return undefined
    const { cwd } = environment
    const wanted = { ...place, ref: namesIn(place, spec)[0]?.reference }
    return openSource(wanted, { cwd, spoolDir: cache.runDir, environment, signal: options.signal })
  }
  if (options.offline === true) return undefined
  const { peekRegistry } = await import('../open-registry.ts')
  const tag = place.tag ?? spec.tags[0]
  return peekRegistry({ ...place, tag }, await registries.context())
}

function isAbsence({ code, cause }: OciBuildError): boolean {
  if (/-NOT-FOUND$|^OCB-BASE-PLATFORM$|^OCB-SPEC-NAME-HOST$/.test(code)) return true
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
}

/** By what the history says of each layer that is not empty. */
function layersNamed(name: string, { layers, config }: BaseImage): readonly Descriptor[] {
  const history = (config?.history ?? []).filter((entry) => entry.empty_layer !== true)
  if (history.length !== layers.length) return []
  return layers.filter((_, index) => history[index]?.created_by === `ocibuild layer ${name}`)
}

async function readFacts(
  { store }: BaseImage,
  layer: Descriptor,
  signal: AbortSignal | undefined,
): Promise<readonly EntryFacts[]> {
  const facts: EntryFacts[] = []
  if (store === undefined) return facts
  for await (const { entry, content } of openLayer(store, layer, { signal })) {
    const { path, type, mode, uid, gid, mtime, target } = entry
    let digest: string | undefined
    if (type === 'file') {
      const digester = createDigester()
      for await (const chunk of content) digester.update(chunk)
      digest = digester.digest().slice('sha256:'.length)
    }
    const xattrs = formatXattrs(entry.xattrs)
    facts.push({ path, type, mode, uid, gid, mtime, target, xattrs, digest, origin: undefined })
  }
  return facts
}
