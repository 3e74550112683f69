/** The images whose layers are believed to be what their keys say: tags that are overwritten, or those that were named. */

import type { ImageSpec } from '../config/resolved-spec.ts'
import type { ImageSource } from '../content/image-place.ts'
import { OciBuildError } from '../errors.ts'
import { openSource, outputPlace } from '../open-target.ts'
import { formatReference, parseReference } from '../spec/parse-reference.ts'
import type { LayoutReference, RegistryReference } from '../spec/reference.ts'
import { pushedReferences } from './output-places.ts'
import type { Outputs } from './outputs.ts'
import type { Session } from './session.ts'

export type CacheReference = LayoutReference | RegistryReference

export interface CacheSource {
  /** As a user would write it. */
  readonly title: string
  readonly reference: CacheReference
  /** A tag that is overwritten; its others most likely name the same image. */
  readonly own: boolean
  /** Undefined where there is nothing. */
  open(): Promise<ImageSource | undefined>
  /** What reading it threw: tells whom it concerns, and throws what ends the build. */
  useless(error: unknown): void
}

/** Tags of one image that are looked at without being named; each costs a request. */
const maxOwnTags = 8

/** What `cacheFrom` names. Throws `OCB-SPEC-REFERENCE`, `OCB-USAGE-CACHE-FROM`. */
export function parseCacheFrom(texts: readonly string[]): readonly CacheReference[] {
  return texts.map((text) => {
    const reference = parseReference(text, 'in')
    if (reference.transport === 'docker' || 'path' in reference) return reference
    throw new OciBuildError('OCB-USAGE-CACHE-FROM', {
      message: `"${text}" holds no layers that could be taken over`,
      hint: 'name an image or a cache manifest in a registry, or oci:DIR',
    })
  })
}

/**
 * The sources for an image, in the order they are looked at. Without `cacheFrom` only tags that this build overwrites
 * are believed: whoever can write those can replace the image anyway.
 */
export function cacheSourcesOf(spec: ImageSpec, outputs: Outputs, session: Session): readonly CacheSource[] {
  const { cacheFrom, cache, offline } = session.options
  if (cacheFrom !== undefined) {
    return parseCacheFrom(cacheFrom).map((reference) => ({
      title: formatReference(reference),
      reference,
      own: false,
      open: () => openNamed(reference, spec, outputs, session),
      useless: (error) => warnOfNamed(reference, error, session),
    }))
  }
  if (cache === false || offline === true) return []
  const own = outputs.placesOf(spec).flatMap((place) => {
    if (place.transport !== 'docker') return []
    return pushedReferences(place, spec).map((title): CacheSource => {
      const reference: RegistryReference = { ...place, tag: title.slice(title.lastIndexOf(':') + 1) }
      const open = (): Promise<ImageSource | undefined> => openNamed(reference, spec, outputs, session)
      return { title, reference, own: true, open, useless: passOverOwn }
    })
  })
  return own.slice(0, maxOwnTags)
}

/** Nobody asked for it. But a registry that cannot be reached had better fail the push before all is compressed. */
function passOverOwn(error: unknown): void {
  if (!(error instanceof OciBuildError) || /^OCB-(?:NETWORK|INTERRUPTED)/.test(error.code)) throw error
}

function warnOfNamed(reference: CacheReference, error: unknown, { reporter }: Session): void {
  if (!(error instanceof OciBuildError) || error.code === 'OCB-INTERRUPTED') throw error
  // The first build of all has nothing to begin with.
  if (/^OCB-(?:REFERENCE|LAYOUT)-NOT-FOUND$/.test(error.code)) return
  reporter.warn(
    'OCB-CACHE-FROM',
    `${formatReference(reference)} is of no use as a cache: ${error.message}`,
    error.hint ?? 'check the reference in --cache-from',
  )
}

async function openNamed(
  reference: CacheReference,
  spec: ImageSpec,
  outputs: Outputs,
  session: Session,
): Promise<ImageSource | undefined> {
  const { environment, options, cache, registries } = session
  const { cwd } = environment
  const { signal } = options
  if (reference.transport !== 'docker') {
    return openSource(reference, { cwd, spoolDir: cache.runDir, environment, signal })
  }
  // What is read of a repository that is pushed to need not be asked for again by the push.
  const wanted = outputPlace(reference, cwd)
  const place = outputs.placesOf(spec).find((one) => outputPlace(one, cwd) === wanted)
  if (place !== undefined) {
    const output = await outputs.open(place, spec)
    return output.peek?.(reference.digest ?? reference.tag ?? 'latest', { signal })
  }
  const { peekRegistry } = await import('../open-registry.ts')
  return peekRegistry(reference, await registries.context())
}
