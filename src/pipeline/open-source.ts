/** An image that a spec names, as a base or in `from`: what comes from a registry is kept in the staging store. */

import { openResolvedReferences } from '../cache/resolved-references.ts'
import type { ImageSpec } from '../config/resolved-spec.ts'
import { cachedFetcher } from '../content/cached-fetcher.ts'
import { OciBuildError } from '../errors.ts'
import { openSource, type ImageSource } from '../open-target.ts'
import type { Pins } from '../lock/pins.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { formatReference, qualifiedName } from '../spec/parse-reference.ts'
import type { Reference, RegistryReference } from '../spec/reference.ts'
import { askOnce, type Session } from './session.ts'

/**
 * Opens it. What is pinned is not asked for. A tag is, on every build, unless `--offline`: then it is what it was when
 * it was asked for last. Throws `OCB-NETWORK-OFFLINE` where that is not known, and `OCB-LOCK-MISSING`.
 */
export async function openSpecSource(
  reference: Reference,
  spec: ImageSpec,
  session: Session,
  pins: Pins,
): Promise<ImageSource> {
  if (reference.transport === 'docker') return openFromRegistry(reference, session, pins)
  const { environment, options, cache } = session
  return openSource(reference, {
    cwd: spec.root,
    spoolDir: cache.runDir,
    environment,
    signal: options.signal,
  })
}

async function openFromRegistry(
  reference: RegistryReference,
  session: Session,
  pins: Pins,
): Promise<ImageSource> {
  const { staging, registries, asked } = session
  const root =
    pins.rootOf(reference) ??
    (await askOnce(asked.roots, formatReference(reference), () => resolveTag(reference, session)))
  pins.resolved(reference, root)
  const far = async (): Promise<ImageSource['store']> => {
    const { registrySourceAt } = await import('../open-registry.ts')
    return registrySourceAt(reference, root, await registries.context()).store
  }
  return { store: cachedFetcher(staging, far), root, name: qualifiedName(reference) }
}

/** What the registry says, or, offline, what it said last. */
async function resolveTag(reference: RegistryReference, session: Session): Promise<Descriptor> {
  const { cache, options, registries } = session
  const resolved = openResolvedReferences(cache.resolvedDir)
  const text = formatReference({ ...reference, tag: reference.digest ? undefined : reference.tag })
  if (options.offline === true) {
    const root = resolved.lookup(text)
    if (root !== undefined) return root
    throw new OciBuildError('OCB-NETWORK-OFFLINE', {
      message: `${text} was never resolved on this machine, and --offline forbids to ask its registry`,
      hint: 'build once without --offline',
    })
  }
  const { openRegistrySource } = await import('../open-registry.ts')
  const { root } = await openRegistrySource(reference, await registries.context())
  resolved.remember(text, root)
  return root
}
